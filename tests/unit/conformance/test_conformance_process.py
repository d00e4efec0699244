"""The client under examination as a process: its words are heard, as lines, and hold nobody up."""

import asyncio
import sys

from hub.programs.conformance.process import ClientProcess
from tests.support.waiting import eventually


async def test_its_words_are_heard_as_lines() -> None:
    said: list[str] = []
    program = "import sys; print('\\x1b[2J one'); print('two', file=sys.stderr); sys.stdout.write('three')"
    process = ClientProcess([sys.executable, "-u", "-c", program], said.append)
    await process.start()
    await eventually(lambda: process.ended is not None)
    assert await process.stop() == 0
    assert said == ["\x1b[2J one", "two", "three"]


async def test_what_it_started_holds_nobody_up() -> None:
    said: list[str] = []
    process = ClientProcess(["/bin/sh", "-c", "sleep 30 & echo $!; wait"], said.append)
    await process.start()
    await eventually(lambda: said)
    async with asyncio.timeout(20):
        await process.kill()
    await (await asyncio.create_subprocess_exec("kill", said[0])).wait()

"""The client under examination as a process: its words are heard, as lines, and what it started ends with it."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


@pytest.fixture(autouse=True)
def _signals_of_a_shell() -> Iterator[None]:
    """A child inherits what this process blocks or ignores, such as after a simulation that ended in it."""
    blocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    handler = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def runs(pid: str) -> bool:
    """Whether the process has not ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("how", ["kill", "stop", "end"])
async def test_what_it_started_ends_with_it(how: str) -> None:
    said: list[str] = []
    process = ClientProcess(["/bin/sh", "-c", "sleep 300 & echo $!; wait"], said.append)
    await process.start()
    await eventually(lambda: said)
    async with asyncio.timeout(20):
        await getattr(process, how)()
    await eventually(lambda: not runs(said[0]))


async def test_what_is_left_of_a_process_that_ended_ends_too() -> None:
    """A command that goes into the background, and a child that ignores SIGTERM."""
    said: list[str] = []
    script = "(trap '' TERM; echo ready; exec sleep 300) & echo $!"
    process = ClientProcess(["/bin/sh", "-c", script], said.append)
    await process.start()
    await eventually(lambda: process.ended is not None and len(said) == 2)
    async with asyncio.timeout(20):
        await process.end()
    [child] = [word for word in said if word.isdecimal()]
    await eventually(lambda: not runs(child))

"""Pages at `/mqtt` and event streams that stand and say no more than they must, in a process of their own.

python -m tests.support.crowd < SETTINGS    what `crowd` starts: in a shop these run on other machines

They give way to everything else on this one, so that what is measured beside them is what hub and edge do.
"""

import asyncio
import contextlib
import dataclasses
import json
import os
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.page import PINGREQ, PINGRESP, connect_packet
from tests.support.paths import ROOT
from tests.support.waiting import paused

AT_ONCE = 20
DEADLINE_S = 120
PING_S = 20.0
"""From one sign of a page to its next: two thirds of its keep-alive, as clients have it."""
_NICE = 19
_NICE_OF_GROUP = 10
"""With more it gets so little that the broker takes it for dead."""
_KEY = b64encode(bytes(16)).decode()
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Wanted:
    """Pages and streams of the clients `many-0` and so on, all with one secret."""

    port: int
    authority: str
    """PEM."""
    pages: int
    streams: int
    secret: str


class Members:
    """The connections."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._trust = ssl.create_default_context(cadata=wanted.authority)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._pages: list[Connection] = []
        self._streams: list[Connection] = []

    async def open(self) -> None:
        """All of them."""
        wanted = self._wanted
        pages = range(wanted.pages)
        await asyncio.gather(*map(self._page, pages))
        await asyncio.gather(*map(self._stream, range(wanted.pages, wanted.pages + wanted.streams)))

    async def stay(self) -> None:
        """Each page says in its turn that it is there, until it is cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for _, writer in self._pages:
                # By the clock: this process gives way to others, and pauses that each take longer would be too long.
                due += PING_S / len(self._pages)
                await paused(max(due - loop.time(), 0.0))
                writer.write(framed(PINGREQ))

    async def check(self) -> None:
        """Each page hears the broker, and each stream goes on. Raises when one does not."""
        for reader, writer in self._pages:
            writer.write(framed(PINGREQ))
            async with asyncio.timeout(DEADLINE_S):
                while (await _heard(reader)) != PINGRESP:
                    continue
        for reader, writer in self._streams:
            assert not reader.at_eof()
            assert not writer.transport.is_closing()

    async def _connect(self, said: str) -> Connection:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._wanted.port, ssl=self._trust, server_hostname="localhost"
        )
        writer.write(said.encode())
        return reader, writer

    async def _page(self, number: int) -> None:
        host = f"localhost:{self._wanted.port}"
        head = f"GET /mqtt HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        head += f"Origin: https://{host}\r\nSec-WebSocket-Protocol: mqtt\r\n"
        head += f"Sec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        name = f"many-{number}"
        async with self._turn:
            reader, writer = await self._connect(head)
            said = await reader.readuntil(b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 101 "), said
            writer.write(framed(connect_packet(name, name, self._wanted.secret)))
            assert (await _heard(reader)).startswith(b"\x20")
        self._pages.append((reader, writer))

    async def _stream(self, number: int) -> None:
        name = f"many-{number}"
        # Without a session: the stream itself is the sign that the client is there.
        head = f"GET /api/events/{name} HTTP/1.1\r\nHost: localhost\r\n"
        async with self._turn:
            reader, writer = await self._connect(f"{head}Authorization: Bearer {self._wanted.secret}{name}\r\n\r\n")
            said = await reader.readuntil(b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 200 "), said
        self._streams.append((reader, writer))


async def _heard(reader: asyncio.StreamReader) -> bytes:
    """The next message, which is short."""
    _, size = await reader.readexactly(2)
    assert size < 126
    return await reader.readexactly(size)


def framed(data: bytes) -> bytes:
    """A WebSocket message as a client sends it."""
    size = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
    return b"\x82" + size + bytes(4) + data


class Crowd:
    """The process."""

    def __init__(self, wanted: Wanted) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crowd"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._say(json.dumps(dataclasses.asdict(wanted)))
        self._hear("open")

    def check(self) -> None:
        """All of them still stand."""
        self._say("check")
        self._hear("all")

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(DEADLINE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _hear(self, word: str) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == word, "the crowd's own output says why"


@contextmanager
def crowd(wanted: Wanted) -> Iterator[Crowd]:
    """They stand for as long as the block lasts."""
    with contextlib.closing(Crowd(wanted)) as standing:
        yield standing


def _give_way() -> None:
    os.nice(_NICE)
    with contextlib.suppress(OSError):  # where the kernel groups processes by session, niceness counts within one only
        Path("/proc/self/autogroup").write_text(f"{_NICE_OF_GROUP}\n", encoding="ascii")


async def main() -> None:
    """Do what the lines at the standard input say, until it ends."""
    _give_way()
    said = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(said)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    members = Members(Wanted(**json.loads(await said.readline())))
    async with asyncio.timeout(DEADLINE_S):
        await members.open()
    print("open", flush=True)  # noqa: T201
    staying = asyncio.create_task(members.stay())
    while await said.readline():
        staying.cancel()
        await members.check()
        print("all", flush=True)  # noqa: T201
        staying = asyncio.create_task(members.stay())
    staying.cancel()


if __name__ == "__main__":
    asyncio.run(main())

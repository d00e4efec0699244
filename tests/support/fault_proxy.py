"""A TCP proxy that breaks what passes through it: delay, slices, silence, one-way silence, resets, refusals.

The proxies of a process share one thread with one event loop. Each listens on a port of its own on 127.0.0.1, so that a
test cuts one agent, one hub or all of them. Every call takes effect for open and for new connections at once.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
_CALL_S = 10.0
_BLOCK = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the line is. The default is a good one; `up` is from who connects to the service, `down` the way back."""

    delay_s: float = 0.0
    """Added to each block, each way."""
    slice_bytes: int = 0
    """Hand on so many bytes at a time; 0: as they come."""
    bytes_per_s: float = 0.0
    """0: no limit."""
    up_silent: bool = False
    down_silent: bool = False
    """Nothing arrives, and nobody is told: what was sent meanwhile arrives when the line is well again."""
    refuse: bool = False
    """New connections are taken and reset at once."""


GOOD = Conditions()
HALF_OPEN = Conditions(up_silent=True, down_silent=True)


class Loop:
    """One thread with one event loop; `call` runs a coroutine in it and waits."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="fault proxies", daemon=True)
        self._thread.start()

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The coroutine's result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(_CALL_S)

    def close(self) -> None:
        """End the thread; close the proxies before."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_CALL_S)
        self.loop.close()


class FaultProxy:
    """A proxy before one service on 127.0.0.1. `cut` ends connections; `set` changes the line."""

    def __init__(self, thread: Loop, target_port: int) -> None:
        self._thread = thread
        self._target = target_port
        self._links: set[_Link] = set()
        self._good = asyncio.Event()
        self.conditions = GOOD
        self.taken = 0
        """How many connections it has taken so far."""
        self._server: asyncio.Server = thread.call(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def set(self, conditions: Conditions) -> None:
        """Change the line."""
        self._thread.call(self._set(conditions))

    def cut(self, *, reset: bool = False) -> None:
        """End all open connections, by RST or by an orderly end."""
        self._thread.call(self._cut(reset))

    def close(self) -> None:
        """Stop listening and end what is open."""
        self._thread.call(self._close())

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._take, HOST, 0)

    async def _set(self, conditions: Conditions) -> None:
        self.conditions = conditions
        changed, self._good = self._good, asyncio.Event()
        changed.set()

    async def _cut(self, reset: bool) -> None:
        for link in list(self._links):
            link.end(reset=reset)

    async def _close(self) -> None:
        self._server.close()
        links = list(self._links)
        await self._cut(reset=False)
        await asyncio.gather(*(link.ended() for link in links), return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        link = _Link(reader, writer)
        if self.conditions.refuse:
            link.end(reset=True)
            return
        self._links.add(link)
        try:
            await link.carry(self._target, lambda: self.conditions, lambda: self._good)
        finally:
            self._links.discard(link)


class _Link:
    """One connection and the one behind it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._near = (reader, writer)
        self._writers = [writer]
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()

    async def carry(
        self, port: int, conditions: Callable[[], Conditions], changed: Callable[[], asyncio.Event]
    ) -> None:
        """Carry bytes both ways until one side ends or somebody ends it."""
        try:
            far = await asyncio.open_connection(HOST, port)
        except OSError:
            self.end(reset=True)
            return
        self._writers.append(far[1])
        for writer in self._writers:
            writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        up = self._carry(self._near[0], far[1], lambda: conditions().up_silent, conditions, changed)
        down = self._carry(far[0], self._near[1], lambda: conditions().down_silent, conditions, changed)
        self._tasks = [asyncio.ensure_future(up), asyncio.ensure_future(down)]
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self.end(reset=False)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        silent: Callable[[], bool],
        conditions: Callable[[], Conditions],
        changed: Callable[[], asyncio.Event],
    ) -> None:
        with contextlib.suppress(OSError):
            while block := await reader.read(_BLOCK):
                while silent():
                    await changed().wait()
                await _pause(conditions().delay_s, changed())
                start = 0
                while start < len(block):
                    now = conditions()
                    piece = block[start : start + (now.slice_bytes or len(block))]
                    start += len(piece)
                    writer.write(piece)
                    await writer.drain()
                    if now.bytes_per_s:
                        await _pause(len(piece) / now.bytes_per_s, changed())

    def end(self, *, reset: bool) -> None:
        """End both sides now; what is on the way is lost."""
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            if reset:
                opened = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort() if reset else writer.close()
        self._over.set()

    async def ended(self) -> None:
        """Until it is over."""
        await self._over.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pause(seconds: float, changed: asyncio.Event) -> None:
    """Sleep, but not beyond a change of the conditions: a line that is well again is well for what is on it, too."""
    if seconds:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await changed.wait()

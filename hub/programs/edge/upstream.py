"""Requests to the hub over its Unix socket, and their answers, by the library h11.

Each caller's connection has one of its own to the hub, made when it is needed: nothing that one caller sends, or leaves
half sent, can become part of another's.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import h11

from hub.programs.edge.headers import Headers

CONNECT_S = 5.0
SILENCE_S = 120.0
"""How long neither a part of the body goes to the hub nor a part of the answer comes. Streams say something every ten
seconds, and the longest `wait` of a request is 60."""
_READ = 64 * 1024
_MAX_HEAD = 128 * 1024


class AwayError(Exception):
    """The hub does not listen; nothing was sent."""


class NoAnswerError(Exception):
    """The hub ended the connection, or went silent, before its answer: what was asked may have been done."""


class CutOffError(Exception):
    """The answer ended in its middle."""


class RefusedHeadError(Exception):
    """The request has something that the library does not write."""


class Upstream:
    """One exchange at a time. Close it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        self._progress_at = asyncio.get_running_loop().time()
        self.goes_on = asyncio.Event()
        """The hub wants the body, for a request that asked before it sends one."""
        self.heard = False
        """Something of the present answer came."""

    @classmethod
    async def open(cls, socket: Path) -> "Upstream":
        """Raises AwayError."""
        try:
            async with asyncio.timeout(CONNECT_S):
                return cls(*await asyncio.open_unix_connection(socket, limit=_READ))
        except (OSError, TimeoutError) as problem:
            raise AwayError(str(problem)) from None

    def close(self) -> None:
        """End it at once, whatever is under way."""
        self._writer.transport.abort()

    def renew(self) -> bool:
        """Make it ready for another exchange; whether that is possible."""
        http = self._http
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE or http.trailing_data[0]:
            return False
        http.start_next_cycle()
        self.goes_on.clear()
        self.heard = False
        return True

    @property
    def stands(self) -> bool:
        """Whether the hub has not ended it, as far as is known."""
        return not self._reader.at_eof() and not self._writer.transport.is_closing()

    def send_head(self, method: bytes, target: bytes, headers: Headers) -> None:
        """Raises RefusedHeadError."""
        try:
            data = self._http.send(h11.Request(method=method, target=target, headers=headers))
        except h11.LocalProtocolError as problem:
            raise RefusedHeadError(str(problem)) from None
        self._write(data)

    async def send_body(self, receive: Callable[[], Awaitable[bytes | None]]) -> None:
        """Send what comes until None. Raises OSError when the hub takes no more; its answer may say why."""
        while (part := await receive()) is not None:
            if part:
                self._write(self._http.send(h11.Data(data=part)))
                await self._writer.drain()
        self.end()

    def end(self) -> None:
        """No more of the request."""
        self._write(self._http.send(h11.EndOfMessage()))

    async def head(self) -> h11.Response:
        """The head of the answer. Raises NoAnswerError."""
        while True:
            event = await self._next(NoAnswerError)
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 100:
                    self.goes_on.set()
            elif isinstance(event, h11.Response):
                return event
            else:
                raise NoAnswerError

    async def body(self) -> AsyncIterator[bytes]:
        """The parts of the answer's body. Raises CutOffError."""
        while not isinstance(event := await self._next(CutOffError), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                raise CutOffError

    async def _next(self, failure: type[Exception]) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        loop = asyncio.get_running_loop()
        while True:
            try:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return event
                async with asyncio.timeout_at(self._progress_at + SILENCE_S):
                    data = await self._reader.read(_READ)
                self.heard = self.heard or bool(data)
                self._http.receive_data(data)
            except TimeoutError:
                if loop.time() < self._progress_at + SILENCE_S:
                    continue  # meanwhile a part of the body went out
                raise failure from None
            except (OSError, h11.RemoteProtocolError):
                raise failure from None
            self._progress_at = loop.time()

    def _write(self, data: bytes | None) -> None:
        self._progress_at = asyncio.get_running_loop().time()
        if data:
            self._writer.write(data)

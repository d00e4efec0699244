"""HTTP connections with a bound on their heads, in bytes and in time, and on pauses in their bodies. The parser itself
has none."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes of a request line with all headers."""
HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a further request, to the end of its headers."""
BODY_PAUSE_S = 40.0
"""Between two looks whether more of a body came. Uploads have a shorter bound of their own, and an answer for it."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is too long or too slow, or whose body stops half-way; nobody is answered
    who has not asked."""

    _head_bytes = 0
    _in_head = True
    _in_body = False
    _body_came = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            # A body may follow in the same read; a head that was longer than this is one, wherever it ends.
            if self._head_bytes > MAX_HEAD + len(data):
                self._refuse()
                return
        super().data_received(data)
        # Only now: most bodies come whole with their heads.
        if self._in_body and self._deadline is None:
            self._deadline = self.loop.call_later(BODY_PAUSE_S, self._look_at_body)

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._begin_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._end_wait()
        self._in_head = False
        self._in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_came = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._end_wait()
        super().on_message_complete()

    def _begin_head(self) -> None:
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_DEADLINE_S, self._refuse)

    def _look_at_body(self) -> None:
        self._deadline = None
        if not self._body_came and not self.flow.read_paused:  # else it is we who do not read
            self._refuse()
            return
        self._body_came = False
        self._deadline = self.loop.call_later(BODY_PAUSE_S, self._look_at_body)

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self) -> None:
        self._end_wait()
        if not self.transport.is_closing():
            self.transport.close()

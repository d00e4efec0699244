"""HTTP connections with a bound on their heads: in bytes and in time. The parser itself has neither."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes of a request line with all headers."""
HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a further request, to the end of its headers."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is too long or too slow; nobody is answered who has not asked."""

    _head_bytes = 0
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            # A body may follow in the same read; a head that was longer than this is one, wherever it ends.
            if self._head_bytes > MAX_HEAD + len(data):
                self._refuse()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._begin_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def _begin_head(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        self._deadline = self.loop.call_later(HEAD_DEADLINE_S, self._refuse)

    def _end_head(self) -> None:
        self._in_head = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self) -> None:
        self._end_head()
        if not self.transport.is_closing():
            self.transport.close()

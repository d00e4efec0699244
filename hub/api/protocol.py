"""HTTP connections with a bound on their heads, in bytes and in time, and on pauses in their bodies and in the reading
of answers. The parser itself has none."""

import asyncio
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 64 * 1024
"""Bytes of a request line with all headers."""
HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a further request, to the end of its headers."""
BODY_PAUSE_S = 40.0
"""Between two looks whether more of a body came. Uploads have a shorter bound of their own, and an answer for it."""


BODY_S = 1_830.0
"""How long a body may take, however little comes: longer than an upload, which has an answer for it."""
BODY_RATE = 8 * 1024
"""Bytes. Each time that so many came, the body may take a second longer."""
ANSWER_PAUSE_S = 40.0
"""Between two looks whether more of an answer was taken, by the caller's network stack or from our buffer."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is too long or too slow, whose body stops half-way or trickles, or whose
    answer nobody takes; nobody is answered who has not asked."""

    _head_bytes = 0
    _in_head = True
    _in_body = False
    _body_bytes = 0
    _body_seen = 0
    _body_began = 0.0
    _deadline: asyncio.TimerHandle | None = None
    _answer_deadline: asyncio.TimerHandle | None = None
    _answer_left: tuple[int, int] = (0, 0)

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        self._end_answer_wait()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._answer_deadline is None:
            self._wait_for_reader()

    def resume_writing(self) -> None:
        self._end_answer_wait()
        super().resume_writing()

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
        self._body_bytes = self._body_seen = 0
        self._body_began = self.loop.time()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
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
        stopped = self._body_bytes == self._body_seen and not self.flow.read_paused  # else it is we who do not read
        trickles = self.loop.time() > self._body_began + BODY_S + self._body_bytes / BODY_RATE
        if stopped or trickles:
            self._refuse()
            return
        self._body_seen = self._body_bytes
        self._deadline = self.loop.call_later(BODY_PAUSE_S, self._look_at_body)

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self) -> None:
        self._end_wait()
        if not self.transport.is_closing():
            self.transport.close()

    def _wait_for_reader(self) -> None:
        self._answer_left = self._left()
        self._answer_deadline = self.loop.call_later(ANSWER_PAUSE_S, self._look_at_reader)

    def _look_at_reader(self) -> None:
        self._answer_deadline = None
        if self._left() == self._answer_left:
            self.transport.abort()
        else:
            self._wait_for_reader()

    def _left(self) -> tuple[int, int]:
        """Bytes of answers in our buffer, and those that the caller's network stack has not acknowledged (0 where the
        system does not tell)."""
        return self.transport.get_write_buffer_size(), _unacknowledged(self.transport.get_extra_info("socket"))

    def _end_answer_wait(self) -> None:
        if self._answer_deadline is not None:
            self._answer_deadline.cancel()
            self._answer_deadline = None


def _unacknowledged(sock: Any) -> int:
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    try:
        return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
    except OSError:
        return 0

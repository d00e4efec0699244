"""HTTP connections: heads have a bound in bytes and in time, bodies and the reading of answers in their pauses, and
each request is read in one way only. The parser itself has no bounds, and takes an offer to change the protocol for a
change of the protocol."""

import asyncio
import select
import sys
from typing import Any

import httptools
from starlette.requests import Request
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from hub.api import framing, problems, safe_headers
from hub.api.framing import WrongHeadError
from hub.api.proxies import as_ipv4

MAX_HEAD = 64 * 1024
"""Bytes of a request line with all headers; of what stands in a body besides the body."""
HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a further request, to the end of its headers."""
BODY_PAUSE_S = 40.0
"""Between two looks whether more of a body came. Uploads have a shorter bound of their own, and an answer for it."""
MAX_REFUSED = 256 * 1024
"""Bytes of a refused request that are read and thrown away, so that its answer arrives."""
LINGER_S = 2.0
"""How long a connection with a refused request stays: one that is closed on unread data may lose its answer."""


BODY_S = 1_830.0
"""How long a body may take, however little comes: longer than an upload, which has an answer for it."""
BODY_RATE = 8 * 1024
"""Bytes. Each time that so many came, the body may take a second longer."""
STOP_BODY_S = 1.0
"""How long a body under way may still take when the hub stops."""
STOP_RETRY_S = 2
"""What a caller is told to wait whose body came too late for that."""
ANSWER_PAUSE_S = 40.0
"""Between two looks whether more of an answer was taken, by the caller's network stack or from our buffer."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request head is wrong, too long or too slow, whose body stops half-way or trickles, or
    whose answer nobody takes. Requests before it on the same connection get their answers first; nobody is answered who
    has not asked.

    `Upgrade` is an offer, which is ignored: the request is served as if it were not there (RFC 9110, 7.8).
    """

    _head_bytes = 0
    _bytes_beside_body = 0
    _in_head = True
    _in_body = False
    _body_bytes = 0
    _body_seen = 0
    _body_began = 0.0
    _answer_deadline: asyncio.TimerHandle | None = None
    _answer_left: tuple[int, int] = (0, 0)
    _offer: bytes | None = None
    """A head that offers another protocol, without the offer, until it is read again."""
    _deadline: asyncio.TimerHandle | None = None
    _switched = False
    """The connection goes on with another protocol, and another object."""
    _refusing = False
    """Nothing more is read; what was read before is still answered."""
    _lingering = False
    """The answer to what is refused is out."""
    _thrown_away = 0
    _refusal: str | None = None
    """The code that answers what is refused; None: nobody is answered."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if self.client is not None:
            # A socket for IPv6 takes connections of IPv4, too, and writes their addresses its own way. What counts,
            # allows and records addresses knows one.
            host, port = self.client
            self.client = (as_ipv4(host), port)
        self._begin_head()
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_wait()
        self._end_answer_wait()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # The library closes.
        """The caller sends no more, and may still read: what it asked for as a whole is answered first.

        An answer without an end, once begun, ends here: nothing else tells that its reader is gone. At a Unix socket
        the system tells that, so what somebody waits for there ends with him.
        """
        cycle = self.cycle
        if not self._refusing and _has_hung_up(self.transport.get_extra_info("socket")):
            return False
        if self._refusing:
            return not self._lingering
        if self._in_body and self.pipeline and self.pipeline[0][0] is cycle:
            self._refuse()  # Half a request, behind whole ones.
            return True
        if self._in_body or cycle is None or cycle.response_complete:
            return False
        if cycle.response_started and cycle.chunked_encoding:
            return False
        self._end_wait()
        cycle.keep_alive = False  # It is the last one: those before it in the pipeline are answered, and then it.
        return True

    def shutdown(self) -> None:
        """The server stops: whole requests are served, a body gets a moment to come, and nobody waits for the rest."""
        super().shutdown()
        if self._in_body and not self.transport.is_closing():
            self.loop.call_later(STOP_BODY_S, self._end_body)

    def _end_body(self) -> None:
        if self._in_body and not self.transport.is_closing():
            self._refuse("stopping")

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._answer_deadline is None:
            self._wait_for_reader()

    def resume_writing(self) -> None:
        self._end_answer_wait()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._refusing:
            self._thrown_away += len(data)
            if self._thrown_away > MAX_REFUSED:
                self.transport.close()
            return
        if self._in_head:
            self._head_bytes += len(data)
            # A body may follow in the same read; a head that was longer than this is one, wherever it ends.
            if self._head_bytes > MAX_HEAD + len(data):
                self._refuse("head_too_long")
                return
        elif self._in_body:
            self._bytes_beside_body += len(data)
            if self._bytes_beside_body > MAX_HEAD + len(data):
                self._refuse("head_too_long")
                return
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError as problem:
            code = self._code_of(problem, data)
            if code == "target_not_encoded":
                self.headers = framing.unread_language(data)  # The parser stopped before it.
            self._refuse(code)
            return
        # Only now: most requests come whole.
        if self._deadline is not None or self._switched:
            return
        if self._in_head:
            self._wait_for_head()
        elif self._in_body:
            self._deadline = self.loop.call_later(BODY_PAUSE_S, self._look_at_body)
        else:
            self._wait_for_next()

    def _code_of(self, problem: httptools.HttpParserError, data: bytes) -> str:
        if isinstance(wrong := problem.__context__, WrongHeadError):
            return wrong.code
        in_target = isinstance(problem, httptools.HttpParserInvalidURLError)
        return "target_not_encoded" if self._in_head and framing.has_raw_target(data, in_target) else "bad_request"

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as stopped:
                if self._offer is None:
                    self._switched = True
                    self.switch(data[stopped.args[0] :])
                    return
                # The parser has given up the message after its head, and takes what follows for another one. A new
                # parser reads the same head without the offer, and goes on with the body.
                head, self._offer = self._offer, None
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
                self.parser.feed_data(head)
                data = data[stopped.args[0] :]
            else:
                return

    def on_message_begin(self) -> None:
        if not self._in_head:
            self._begin_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # A field behind a chunked body never becomes one of the head (RFC 9110, 6.5.1).
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        version, method = self.parser.get_http_version(), self.parser.get_method()
        framing.check_head(version, self.headers, MAX_HEAD - len(self.url))
        if self.parser.should_upgrade():
            if method == b"CONNECT":
                raise WrongHeadError("no_tunnel")
            if self.takes_offer():
                self._end_wait()
                return
            self._offer = framing.without_offer(method, self.url, version, self.headers)
            return
        self.url = framing.target(method, self.url, self.headers)
        if version == "1.0":
            self.expect_100_continue = False  # It does not know what would come (RFC 9110, 10.1.1).
        self._end_wait()
        self._in_head = False
        self._in_body = True
        self._bytes_beside_body = self._body_bytes = self._body_seen = 0
        self._body_began = self.loop.time()
        super().on_headers_complete()

    def takes_offer(self) -> bool:
        """Whether the connection goes on with the protocol that a complete head offers; then `switch` follows."""
        return False

    def switch(self, data: bytes) -> None:
        """Go on with another protocol; `data` came behind the head."""
        raise NotImplementedError

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._bytes_beside_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._offer is not None or self._in_head:
            return  # It is a head that offers another protocol.
        self._in_body = False
        self._end_wait()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusing and not self.pipeline and (self.cycle.response_complete or self.cycle.disconnected):
            self._close()

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if app is service_unavailable:
            app = _overloaded
        super()._start_asgi_task(cycle, _closing_unless_read(cycle, app) if cycle.waiting_for_100_continue else app)

    def _wait_for_next(self) -> None:
        """What came was no request, or the rest of one that was answered before: the connection is idle again, and the
        library has given up its timer for what came."""
        answered = self.cycle is not None and self.cycle.response_complete
        if answered and self.timeout_keep_alive_task is None and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _begin_head(self) -> None:
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0

    def _wait_for_head(self) -> None:
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

    def _refuse(self, code: str | None = None) -> None:
        """Read no more, and close when what came before is answered."""
        if self._refusing:
            return
        self._end_wait()
        self._refusing, self._refusal = True, code
        if code is not None:
            self.logger.warning("A request was refused: %s", code)
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete and self._in_body:
            # The body of this very request is wrong: what serves it must not take it for whole.
            cycle.disconnected = True
            cycle.message_event.set()
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()  # It has not begun; those before it are served.
                return
            if cycle.response_started:
                self._refusal = None  # Half an answer is out, and nothing can be added to it.
        elif cycle is not None and not cycle.response_complete:
            return
        self._close()

    def _close(self) -> None:
        if self.transport.is_closing():
            return
        if self._refusal is None:
            self.transport.close()
            return
        self._lingering = True
        self.transport.write(refusal(self._refusal, self.headers or []))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._unset_keepalive_if_required()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_S, self.transport.close)

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


def _has_hung_up(sock: Any) -> bool:
    """Whether the other side neither writes nor reads any more. Never known of TCP, where both look the same."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(sock.fileno(), 0)
        return any(event & select.POLLHUP for _, event in poll.poll(0))
    except (OSError, ValueError):
        return False


def _unacknowledged(sock: Any) -> int:
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    try:
        return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)
    except OSError:
        return 0


_BESIDE = {
    "no_tunnel": {"Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
    "stopping": {"Retry-After": str(STOP_RETRY_S)},
}
"""Fields of the answers to what is refused, by its code."""


def refusal(code: str, headers: list[tuple[bytes, bytes]], **params: str) -> bytes:
    """The whole answer to a request that reaches no route; its connection ends."""
    accept_language = b",".join(value for name, value in headers if name == b"accept-language").decode("latin-1")
    answer = problems.plain_problem(code, params, accept_language, headers=_BESIDE.get(code))
    lines = [STATUS_LINE[answer.status_code]]
    safe_headers.complete(answer.raw_headers)
    lines += [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
    return b"".join([*lines, b"connection: close\r\n\r\n", bytes(answer.body)])


def _closing_unless_read(cycle: Any, app: Any) -> Any:
    """Serve a request that waits for `100 Continue`. One that is answered without it may send its body or not: what
    follows on the connection could be either, so it is closed."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        async def answer(message: Any) -> None:
            if cycle.waiting_for_100_continue and not cycle.body:
                cycle.keep_alive = False
            await send(message)

        await app(scope, receive, answer)

    return served


async def _overloaded(scope: Any, receive: Any, send: Any) -> None:
    """The answer when there are more connections or requests than the hub takes."""
    headers = {"Retry-After": "1", "Connection": "close"}
    answer = problems.problem(Request(scope), "overloaded", {}, headers=headers)
    safe_headers.complete(answer.raw_headers)  # it goes past what adds them to all others
    await answer(scope, receive, send)

"""Ends from outside: the hub stops, or a caller says that it sends no more. Whole requests are answered, half ones
told so or dropped."""

import asyncio
import contextlib
import logging
import socket
from typing import Any

import pytest

from hub.api import protocol
from hub.api.server import RequestLog
from hub.api.telemetry import Metrics
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from tests.support.raw_http import Answer, echo, exchange, running
from tests.support.waiting import eventually

POST = b"POST /api/documents HTTP/1.1\r\nHost: hub\r\n"
GET = b"GET /whole HTTP/1.1\r\nHost: hub\r\n\r\n"
WHOLE = POST + b"Content-Length: 3\r\n\r\nabc"
HALF = {
    "nothing yet": POST + b"Content-Length: 10\r\n\r\n",
    "with a length": POST + b"Content-Length: 10\r\n\r\nabc",
    "in chunks": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "in the middle of a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
    "without the last line": POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    "with an offer": POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 10\r\n\r\nabc",
}


class Slow:
    """Answers as `echo` does, when it is told to."""

    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        self.asked.set()
        await self.go_on.wait()
        await echo(scope, receive, send)


async def stopped_while(app: Any, *parts: bytes) -> list[Answer]:
    """What a caller hears who has sent so much when the hub stops."""
    async with running(app, timeout_graceful_shutdown=20) as server:
        port = server.servers[0].sockets[0].getsockname()[1]
        exchanging = asyncio.create_task(exchange(port, *parts))
        await eventually(lambda: bool(server.server_state.tasks))
        stopping = asyncio.create_task(server.shutdown())
        answers = await exchanging
        await stopping
    return answers


@pytest.mark.parametrize("half", HALF.values(), ids=HALF)
async def test_a_body_that_is_not_whole_when_the_hub_stops_is_told_so(
    half: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(protocol, "STOP_BODY_S", 0.05)
    [answer] = await stopped_while(echo, half)

    assert (answer.status, answer.json()["code"]) == (503, "stopping")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.headers["retry-after"], answer.headers["connection"]) == ("2", "close")
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


async def test_who_waited_for_100_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STOP_BODY_S", 0.05)
    answers = await stopped_while(echo, POST + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
    assert [answer.status for answer in answers] == [100, 503]


async def test_a_body_that_comes_whole_while_the_hub_stops_is_served() -> None:
    async with running(echo, timeout_graceful_shutdown=20) as server:
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        writer.write(POST + b"Content-Length: 10\r\n\r\nabc")
        await eventually(lambda: bool(server.server_state.tasks))
        stopping = asyncio.create_task(server.shutdown())
        await eventually(lambda: not next(iter(server.server_state.connections)).cycle.keep_alive)
        writer.write(b"defghij")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        await stopping


async def test_a_request_that_the_hub_cannot_wait_for_is_told_that_it_may_be_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    app = RequestLog(slow, Metrics(Meters()), Log())
    async with running(app) as server:
        exchanging = asyncio.create_task(exchange(server.servers[0].sockets[0].getsockname()[1], WHOLE))
        await slow.asked.wait()
        for task in server.server_state.tasks:
            task.cancel()
        [answer] = await exchanging
    assert (answer.status, answer.json()["code"]) == (503, "stopped")
    assert (answer.headers["retry-after"], answer.headers["connection"]) == ("2", "close")
    assert "x-request-id" in answer.headers
    assert not [record for record in caplog.records if record.exc_info]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections whose callers said that they send no more."""
    seen: list[Any] = []
    told = protocol.BoundedHttp.eof_received

    def noted(self: protocol.BoundedHttp) -> bool | None:
        seen.append(self)
        return told(self)

    monkeypatch.setattr(protocol.BoundedHttp, "eof_received", noted)
    return seen


async def half_closed(app: Any, sent: bytes, ends: list[Any], go_on: asyncio.Event | None = None) -> bytes:
    """All that a caller reads who sends this and then says that it sends no more."""
    async with running(app) as server, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        writer.write(sent)
        writer.write_eof()
        if go_on is not None:
            # Between whole requests the hub reads on only when it has answered.
            await eventually(lambda: ends or any(each.flow.read_paused for each in server.server_state.connections))
            go_on.set()
        heard = b""
        with contextlib.suppress(ConnectionError):
            heard = await reader.read()
        writer.close()
        await eventually(lambda: not server.server_state.connections)
    return heard


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        (GET, 1),
        (WHOLE, 1),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 1),
        (GET + WHOLE + GET, 3),
        (GET + b"GET /half", 1),
        (WHOLE + HALF["with a length"], 1),
        (GET + WHOLE + HALF["in chunks"], 2),
    ],
)
async def test_who_sends_no_more_is_answered_what_it_asked_as_a_whole(
    sent: bytes, number: int, ends: list[Any]
) -> None:
    slow = Slow()
    heard = await half_closed(slow, sent, ends, slow.go_on)
    assert heard.count(b"HTTP/1.1 200") == number
    assert heard.count(b"HTTP/1.1 ") == number


async def test_a_refusal_behind_a_whole_request_takes_nothing_from_it(ends: list[Any]) -> None:
    slow = Slow()
    heard = await half_closed(slow, WHOLE + b"rubbish\r\n\r\n", ends, slow.go_on)
    assert heard.count(b"HTTP/1.1 200") == 1
    assert heard.count(b"HTTP/1.1 400") == 1


@pytest.mark.parametrize("half", [b"", b"GET /half", *HALF.values()], ids=["nothing", "half a head", *HALF])
async def test_half_a_request_of_who_sends_no_more_is_dropped(half: bytes, ends: list[Any]) -> None:
    assert await half_closed(echo, half, ends) == b""


async def test_an_answer_without_an_end_ends_with_its_caller() -> None:
    ended = asyncio.Event()

    async def streams(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        ended.set()

    async with running(streams) as server, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        writer.write(GET)
        await reader.readuntil(b"first")
        writer.write_eof()
        await ended.wait()
        writer.close()


async def test_an_unread_answer_of_who_sends_no_more_keeps_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "ANSWER_PAUSE_S", 0.1)

    async def at_length(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"12000000")]})
        await send({"type": "http.response.body", "body": bytes(12_000_000)})

    async with running(at_length) as server:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, server.servers[0].sockets[0].getsockname())
        await asyncio.get_running_loop().sock_sendall(sock, GET)
        sock.shutdown(socket.SHUT_WR)
        await eventually(lambda: server.server_state.total_requests == 1)
        await eventually(lambda: not server.server_state.connections)
        sock.close()


@pytest.mark.parametrize(
    "parts",
    [
        (GET, b"\r\n"),
        (GET, b"\r"),
        (POST + b"Content-Length: 10\r\n\r\n", b"0123456789"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
    ],
    ids=["line end", "half a line end", "late body", "late body in chunks"],
)
async def test_a_connection_that_is_idle_again_is_closed(parts: tuple[bytes, bytes]) -> None:
    """What came after the answer was no request: nothing else would ever close it."""
    async with running(early, timeout_keep_alive=1) as server:
        reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname())
        writer.write(parts[0])
        await reader.readuntil(b"\r\n\r\n")
        writer.write(parts[1])
        async with asyncio.timeout(20):
            await reader.read()
        writer.close()


async def early(scope: Any, receive: Any, send: Any) -> None:
    """Answers before the body."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})

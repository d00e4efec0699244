"""A request whose body stops half-way, or whose answer nobody takes, does not keep its place among the connections for
ever."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from hub.api import protocol
from tests.support.raw_http import running
from tests.support.waiting import eventually, paused

LARGE = 12_000_000
"""More than the system keeps for a connection."""


async def reads_all(scope: Any, receive: Any, send: Any) -> None:
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message["body"])
        if not message["more_body"]:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": str(size).encode()})
            return


async def answers_at_length(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % LARGE)]})
    await send({"type": "http.response.body", "body": bytes(LARGE)})


def port_of(server: uvicorn.Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with running(reads_all) as server:
        yield port_of(server)


@pytest.fixture
async def downloads() -> AsyncIterator[uvicorn.Server]:
    async with running(answers_at_length) as server:
        yield server


async def ask_with_small_buffers(server: uvicorn.Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port_of(server)))
    reader, writer = await asyncio.open_connection(sock=sock)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    return reader, writer


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("begin", [HEAD, HEAD + b"12345"], ids=["before it", "in the middle"])
async def test_a_body_that_stops_is_given_up(port: int, begin: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_PAUSE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begin)
    async with asyncio.timeout(20):
        assert await reader.read() == b""
    writer.close()


async def test_a_connection_whose_body_came_waits_for_the_next_request(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        for parts in ((HEAD, b"1234567890"), (HEAD + b"12345", b"67890"), (HEAD + b"1234567890",)):
            for part in parts:
                writer.write(part)
                await writer.drain()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"10")
    writer.close()


async def test_a_body_that_trickles_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_PAUSE_S", 0.1)
    monkeypatch.setattr(protocol, "BODY_S", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")

    async def trickle() -> None:
        while True:
            writer.write(b"1")
            await paused(0.01)

    sending = asyncio.create_task(trickle())
    async with asyncio.timeout(20):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
    sending.cancel()
    writer.close()


async def test_an_answer_that_nobody_reads_is_given_up(
    downloads: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "ANSWER_PAUSE_S", 0.1)
    _, writer = await ask_with_small_buffers(downloads)
    await eventually(lambda: downloads.server_state.total_requests == 1)
    await eventually(lambda: not downloads.server_state.connections)
    writer.close()


async def test_an_answer_may_take_as_long_as_it_is_read(
    downloads: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 1.5 s, and may stand still for 0.7 s."""
    monkeypatch.setattr(protocol, "ANSWER_PAUSE_S", 0.7)
    reader, writer = await ask_with_small_buffers(downloads)
    await reader.readuntil(b"\r\n\r\n")
    async with asyncio.timeout(20):
        for _ in range(15):
            await paused(0.1)
            await reader.readexactly(LARGE // 15)
        assert len(await reader.readexactly(LARGE - 15 * (LARGE // 15))) == LARGE % 15
    writer.close()

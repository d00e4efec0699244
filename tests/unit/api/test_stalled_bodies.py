"""A request whose body stops half-way does not keep its place among the connections for ever."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from hub.api import protocol
from hub.api.protocol import BoundedHttp


async def reads_all(scope: Any, receive: Any, send: Any) -> None:
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message["body"])
        if not message["more_body"]:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": str(size).encode()})
            return


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(reads_all, port=0, http=BoundedHttp, lifespan="off", log_config=None)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


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

"""Requests byte for byte, and an HTTP server of this process that says how it read them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import uvicorn

from hub.api.protocol import BoundedHttp


@contextlib.asynccontextmanager
async def running(app: Any, **options: Any) -> AsyncIterator[uvicorn.Server]:
    """An application behind the hub's own protocol."""
    config = uvicorn.Config(app, port=0, http=BoundedHttp, ws="none", lifespan="off", log_config=None, **options)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server
    finally:
        await server.shutdown()


@contextlib.asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[int]:
    """The same; gives the port."""
    async with running(app, **options) as server:
        yield server.servers[0].sockets[0].getsockname()[1]


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it was asked."""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return
        body += message["body"]
        more = message["more_body"]
    fields = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    heard = {"method": scope["method"], "path": scope["path"], "body": body.decode("latin-1"), "fields": fields}
    heard["query"] = scope["query_string"].decode()
    content = json.dumps(heard).encode()
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        """Its content."""
        return json.loads(self.content)


async def exchange(port: int, *parts: bytes, most: int = 100) -> list[Answer]:
    """Send these one after the other; every answer until the hub closes the connection, or `most` came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers: list[Answer] = []
    async with asyncio.timeout(20):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)  # the server is in this loop, and reads now
        with contextlib.suppress(asyncio.IncompleteReadError):
            while len(answers) < most:
                answers.append(await _answer(reader))
    writer.close()
    return answers


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(first.split()[1]), headers, content)


def parsed(data: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Status, headers and content of each answer in what a server sent until it closed the connection."""
    found: list[tuple[int, dict[str, str], bytes]] = []
    while data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status, length = int(first.split()[1]), int(headers.get("content-length", 0))
        if status >= 200:
            found.append((status, headers, data[:length]))
            data = data[length:]
    return found

"""Large things on slow lines: what makes progress is not cut off by a total, what stands still is."""

import asyncio
import contextlib
import hashlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from device_agent.documents import Documents
from device_agent.hub_http import HubHttp
from device_agent.ipp import codec
from device_agent.ipp.client import IppClient, JobTicket
from device_agent.ipp.errors import IppInterrupted
from device_agent.ipp.message import Group, Message, Tag, attribute
from device_agent.uploads import Uploads
from tests.support.waiting import paused

STALL_S = 1.0
PAUSE_S = 0.1
PARTS = 16
"""Together they take 1.6 s: longer than the other side may stand still."""
CONTENT = b"\x89PNG" + bytes(3_200_000)
Serve = Callable[[str, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """The port of a peer with small buffers, which is given the head of each request."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                await serve(head, reader, writer)
                await writer.drain()

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        async with await asyncio.start_server(connection, sock=listener):
            yield listener.getsockname()[1]


def length_of(head: str) -> int:
    return int(head.lower().partition("content-length:")[2].partition("\r\n")[0])


async def read_slowly(reader: asyncio.StreamReader, size: int) -> bytes:
    body = b""
    while len(body) < size:
        await paused(PAUSE_S)
        body += await reader.readexactly(min(len(CONTENT) // PARTS, size - len(body)))
    return body


def answer(writer: asyncio.StreamWriter, status: int, content: bytes) -> None:
    writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)


async def test_a_document_may_take_as_long_as_it_comes(tmp_path: Path) -> None:
    async def slow(head: str, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(CONTENT)}\r\n\r\n".encode())
        step = len(CONTENT) // PARTS
        for begin in range(0, len(CONTENT), step):
            await paused(PAUSE_S)
            writer.write(CONTENT[begin : begin + step])
            await writer.drain()

    async with serving(slow) as port:
        hub = HubHttp(f"http://127.0.0.1:{port}", "pc-1", "secret")
        wanted = {"path": "/d", "sha256": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)}
        file = await Documents(hub, tmp_path / "cache", stalled_s=STALL_S).fetch(wanted)
    assert file.read_bytes() == CONTENT


async def test_an_upload_may_take_as_long_as_it_is_taken(tmp_path: Path) -> None:
    """Also what the system had taken and the hub had not: the answer comes only after that."""
    received = []

    async def slow(head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if head.startswith("POST"):
            answer(writer, 201, json.dumps({"path": "/api/uploads/t", "max_size": 10**9}).encode())
            return
        body = await read_slowly(reader, length_of(head))
        received.append(body)
        said = {"id": "d", "path": "/d", "sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
        answer(writer, 201, json.dumps(said).encode())

    file = tmp_path / "screen.png"
    file.write_bytes(CONTENT)
    async with serving(slow) as port:
        hub = HubHttp(f"http://127.0.0.1:{port}", "pc-1", "secret")
        await Uploads(hub, stalled_s=STALL_S).send("c-1", file, "image/png")
    assert received == [CONTENT]


async def test_a_printer_may_take_a_document_slowly(tmp_path: Path) -> None:
    received = []

    async def slow(head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = await read_slowly(reader, length_of(head))
        request, _ = codec.decode(body[:10_000])
        received.append(body[-len(CONTENT) :])
        job = Group(2, (attribute("job-id", Tag.INTEGER, 7),))
        answer(writer, 200, codec.encode(Message(code=0, request_id=request.request_id, groups=(job,))))

    file = tmp_path / "photo.png"
    file.write_bytes(CONTENT)
    ticket = JobTicket(name="n", document_format="image/png")
    async with serving(slow) as port, IppClient(f"ipp://127.0.0.1:{port}/ipp/print", send_s=STALL_S) as client:
        assert (await client.print_job(ticket, file)).job_id == 7
    assert received == [CONTENT]


async def test_a_printer_that_stops_taking_the_document_is_given_up(tmp_path: Path) -> None:
    over = asyncio.Event()

    async def half(head: str, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readexactly(length_of(head) // 2)
        await over.wait()

    file = tmp_path / "photo.png"
    file.write_bytes(CONTENT)
    ticket = JobTicket(name="n", document_format="image/png")
    async with serving(half) as port, IppClient(f"ipp://127.0.0.1:{port}/ipp/print", send_s=0.3) as client:
        with pytest.raises(IppInterrupted):
            await client.print_job(ticket, file)
        over.set()

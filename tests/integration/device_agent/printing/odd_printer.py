"""A peer that speaks IPP and answers as a test wants: what no well-behaved printer can be made to say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from device_agent.ipp import codec
from device_agent.ipp.client import IppClient
from device_agent.ipp.message import Group, Message

Answer = Callable[[Message], tuple[int, bytes]]
"""An HTTP status and a body for a request."""


@contextlib.asynccontextmanager
async def printer_that(answers: Answer, heard: list[Message] | None = None) -> AsyncIterator[IppClient]:
    """A client of a web server that answers each IPP request as told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
                request, _ = codec.decode(await reader.readexactly(length))
                if heard is not None:
                    heard.append(request)
                status, body = answers(request)
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with IppClient(f"ipp://127.0.0.1:{port}/ipp/print", answer_s=2) as client:
            yield client


def reply(request: Message, code: int = 0, *groups: Group, **changes: int) -> tuple[int, bytes]:
    request_id = changes.get("request_id", request.request_id)
    return 200, codec.encode(Message(code=code, request_id=request_id, groups=groups, version=request.version))

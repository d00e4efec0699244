"""A web server on this machine that answers as a test wants and counts who comes."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator


class Web:
    """`answers` maps a path to the bytes of a whole response; None keeps the connection open in silence."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes | None] = {}
        self.requests: list[str] = []
        self.connections = 0
        self.endless = False
        self.port = 0

    def lay(self, path: str, content: bytes = b"", status: str = "200 OK", **headers: str) -> None:
        """Answer `path` with this; headers as `Content_Type="..."`."""
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.answers[path] = "\r\n".join([*lines, "", ""]).encode() + content

    def redirect(self, path: str, to: str) -> None:
        """Send who asks for `path` elsewhere."""
        self.lay(path, status="302 Found", Location=to, Set_Cookie="who=me")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        self.connections += 1
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            answer = self.answers.get(head.split(" ")[1], b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            if answer is None:
                await reader.read()
                return
            writer.write(answer)
            while self.endless:
                writer.write(b"x" * 10_000)
                await writer.drain()
                await asyncio.sleep(0)
            await writer.drain()


@contextlib.asynccontextmanager
async def listening(*hosts: str, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """A server on these addresses, all on one port."""
    web = Web()
    async with contextlib.AsyncExitStack() as stack:
        for host in hosts:
            server = await stack.enter_async_context(
                await asyncio.start_server(web.serve, host, web.port or port, ssl=tls)
            )
            web.port = server.sockets[0].getsockname()[1]
        yield web

"""A look at a server's certificate beside other connections."""

import asyncio
import contextlib
import socketserver
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from schemas.tls import certificate_at, trusting
from tests.support.fault_proxy import HOST
from tests.support.tls_front import Authority, authority

ROUNDS = 30
"""Enough that what one connection leaves behind meets another."""


@pytest.fixture
def known(tmp_path: Path) -> Authority:
    return authority(tmp_path)


class _Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Of a library: what comes goes back. A client may leave in the handshake, or be sent away in it."""
        assert isinstance(self.server, _Server)
        with (
            contextlib.suppress(OSError),
            self.server.context.wrap_socket(self.request, server_side=True) as connection,
        ):
            while block := connection.recv(100):
                connection.sendall(block)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, known: Authority, *, asks: bool) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(known.chain)
        if asks:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(known.file)
        super().__init__((HOST, 0), _Echo)


@pytest.fixture
def ports(known: Authority) -> Iterator[tuple[int, int]]:
    """Of a server that asks for a certificate, and of one that does not. A thread for each connection, where no alert
    of another one reaches it."""
    with _Server(known, asks=True) as asking, _Server(known, asks=False) as other:
        threads = [Thread(target=server.serve_forever, args=(0.02,)) for server in (asking, other)]
        for thread in threads:
            thread.start()
        yield asking.server_address[1], other.server_address[1]
        for server, thread in zip((asking, other), threads, strict=True):
            server.shutdown()
            thread.join()


async def test_the_alert_of_a_server_that_asks_for_ours_is_not_counted_for_another(
    known: Authority, ports: tuple[int, int]
) -> None:
    asking, other = ports
    context = trusting(known.file)

    async def talk() -> None:
        reader, writer = await asyncio.open_connection(HOST, other, ssl=context)
        for _ in range(5):
            writer.write(b"x")
            assert await reader.read(1) == b"x"
        writer.transport.abort()

    async def look() -> None:
        assert (await certificate_at(HOST, asking, context))["notAfter"]

    for _ in range(ROUNDS):
        await asyncio.gather(talk(), look(), talk(), look(), talk())

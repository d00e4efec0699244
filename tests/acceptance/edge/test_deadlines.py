"""Pages that stop half-way, in an edge of this process whose deadlines are short; hub and broker are the real ones."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from hub.programs.edge.page import Patience
from hub.programs.edge.process import Edge
from hub.programs.edge.settings import EdgeSettings
from hub.telemetry.log import Log
from tests.support.edge import EdgeSite
from tests.support.page import PINGREQ, PINGRESP, connect_packet, publish_packet
from tests.support.site import Site
from tests.support.waiting import eventually

HEAD = (
    b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(data: bytes, opcode: int = 2) -> bytes:
    """A frame as a client sends it."""
    size = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
    return bytes((0x80 | opcode,)) + size + bytes(4) + data


class Door:
    """The edge of this process."""

    def __init__(self, edge: Edge, trust: ssl.SSLContext, client: dict[str, Any]) -> None:
        self.edge = edge
        self._trust = trust
        self._client = client

    async def connected(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A page whose CONNECT the broker has taken."""
        sock = socket.socket()
        for option, value in options.items():
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, option), value)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, self.edge.sock.getsockname())
        reader, writer = await asyncio.open_connection(sock=sock, ssl=self._trust, server_hostname="localhost")
        name = self._client["id"]
        writer.write(HEAD + frame(connect_packet(name, name, self._client["secret"])))
        await reader.readuntil(b"\r\n\r\n")
        assert (await heard(reader))[:1] == b"\x20"
        return reader, writer

    def refused(self, reason: str) -> float:
        """How many were refused for this reason."""
        name = f'floorhub_edge_refused_total{{reason="{reason}"}} '
        lines = self.edge.meters.render().decode().splitlines()
        return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


async def heard(reader: asyncio.StreamReader) -> bytes:
    """The next short message."""
    _, size = await reader.readexactly(2)
    return await reader.readexactly(size)


@pytest_asyncio.fixture
async def door(site: Site, edge: EdgeSite) -> AsyncIterator[Door]:
    settings = EdgeSettings(
        tls_certificate=edge.certificate,
        tls_key=edge.key,
        tls_host="127.0.0.1",
        tls_port=0,
        socket=edge.socket,
        mqtt_url=str(site.stack.mqtt_url),
        edge_status_port=0,
        stop_grace_s=1,
    )
    made = Edge(settings, Log(), Patience(packet_s=0.5, unread_s=0.5))
    stop = asyncio.Event()
    running = asyncio.create_task(made.run(stop))
    yield Door(made, edge.trust, await asyncio.to_thread(site.client))
    stop.set()
    await running


@pytest.mark.parametrize(
    "rest",
    [
        publish_packet("t", b"x" * 10)[:-1],
        b"\x30",
        b"\x30\xff",
        PINGREQ + b"\xc0",
    ],
)
async def test_a_packet_that_does_not_end_ends_the_page(door: Door, rest: bytes) -> None:
    reader, writer = await door.connected()
    writer.write(frame(rest))
    said = await reader.read()
    assert said.endswith(b"\x88\x06\x03\xf0slow")
    assert door.refused("slow") == 1
    writer.close()


async def test_a_frame_that_does_not_end_ends_the_page(door: Door) -> None:
    reader, writer = await door.connected()
    writer.write(frame(PINGREQ)[:-1])
    assert (await reader.read()).endswith(b"\x88\x06\x03\xf0slow")
    writer.close()


async def test_pings_between_the_parts_of_a_packet_do_not_help(door: Door) -> None:
    reader, writer = await door.connected()

    async def trickle() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(frame(b"", opcode=9))
                await writer.drain()
                await asyncio.sleep(0)

    writer.write(frame(b"\x30\x20"))
    pinging = asyncio.create_task(trickle())
    await eventually(lambda: door.refused("slow") == 1)
    pinging.cancel()
    writer.close()
    assert reader is not None


async def test_who_is_busy_is_not_slow(door: Door) -> None:
    reader, writer = await door.connected()
    began = asyncio.get_running_loop().time()
    while asyncio.get_running_loop().time() < began + 1.5:
        for byte in PINGREQ:
            writer.write(frame(bytes((byte,))))
        assert await heard(reader) == PINGRESP
    assert door.refused("slow") == 0
    writer.close()


async def test_who_does_not_read_is_cut_off(door: Door) -> None:
    _, writer = await door.connected(SO_RCVBUF=4096)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # of one that reads
    ping = frame(b"x" * 125, opcode=9) * 1000
    with contextlib.suppress(ConnectionError):
        while not door.refused("not_read"):
            writer.write(ping)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(writer.drain(), 0.1)
    assert door.refused("not_read") == 1
    writer.transport.abort()

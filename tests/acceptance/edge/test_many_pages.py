"""Idle pages at `/mqtt` and event streams through the edge, half-open connections beside them, and what requests and
commands notice of it.

20 of each by default. `FLOORHUB_TEST_PAGES=1000` makes it the size that the edge is meant for; then it prints what it
measured (`-s`).
"""

import asyncio
import contextlib
import json
import os
import resource
import ssl
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from statistics import quantiles

import psycopg
import pytest

from broker_config.render import Client, hash_password
from hub.programs.cli.up import prepare_database
from hub.programs.embedded.data_folder import DataFolder
from schemas.topics import Channel
from tests.support.edge import EdgeSite, open_edge
from tests.support.many_clients import Wanted, insert
from tests.support.page import PINGREQ, PINGRESP, connect_packet
from tests.support.site import Site, open_site
from tests.support.speaker import Speaker
from tests.support.waiting import eventually, paused

pytestmark = pytest.mark.own_site("many clients")

MANY = int(os.environ.get("FLOORHUB_TEST_PAGES", "20"))
HALF_OPEN = 2 * MANY
SECRET = "the-same-for-all-of-them"
REQUESTS = min(5 * MANY, 2_000)
COMMANDS = min(MANY, 500)
AT_ONCE = 20
DEADLINE_S = 240
PING_S = 10.0
KEY = b64encode(bytes(16)).decode()


def _prepare(url: str) -> list[Client]:
    list(prepare_database(url))
    with psycopg.connect(url) as connection:
        insert(connection, [Wanted(f"many-{number}") for number in range(2 * MANY)], hash_password(SECRET))
        connection.execute("UPDATE clients SET secret_sha256 = sha256(convert_to(%s || id, 'UTF8'))", (SECRET,))
    return list(prepare_database(url))


@pytest.fixture(scope="module")
def site(cluster: DataFolder) -> Iterator[Site]:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with open_site("pages", _prepare, cluster) as running:
        yield running


@pytest.fixture(scope="module")
def edge(site: Site) -> Iterator[EdgeSite]:
    with open_edge(site) as running:
        yield running


class Streams:
    """Connections with TLS that are open until the end. `Close` is by `aclose`."""

    def __init__(self, edge: EdgeSite) -> None:
        self._edge = edge
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._writers: list[asyncio.StreamWriter] = []
        self.readers: list[asyncio.StreamReader] = []

    async def connect(
        self, trust: ssl.SSLContext | None, said: bytes
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which this was sent."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._edge.port, ssl=trust, server_hostname="localhost" if trust else None
        )
        self._writers.append(writer)
        self.readers.append(reader)
        writer.write(said)
        return reader, writer

    async def page(self, number: int) -> None:
        """A client that is connected to the broker."""
        head = (
            f"GET /mqtt HTTP/1.1\r\nHost: localhost:{self._edge.port}\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        )
        head += f"Origin: https://localhost:{self._edge.port}\r\nSec-WebSocket-Protocol: mqtt\r\n"
        head += f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        name = f"many-{number}"
        async with self._turn:
            reader, writer = await self.connect(self._edge.trust, head.encode())
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
            writer.write(framed(connect_packet(name, name, SECRET)))
            await self._hear(reader, b"\x20")

    async def stream(self, number: int) -> None:
        """A client that hears its events."""
        name = f"many-{number}"
        # Without a session: the stream itself is the sign that the client is there.
        head = f"GET /api/events/{name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}{name}\r\n\r\n"
        async with self._turn:
            reader, _ = await self.connect(self._edge.trust, head.encode())
            said = await reader.readuntil(b"\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 200 "), said

    async def stay(self) -> None:
        """Pings, as a client sends them, until it is cancelled."""
        while True:
            await paused(PING_S)
            for writer in self._writers:
                writer.write(framed(PINGREQ))

    async def ping(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The broker answers."""
        writer.write(framed(PINGREQ))
        await self._hear(reader, PINGRESP)

    @staticmethod
    async def _hear(reader: asyncio.StreamReader, begin: bytes) -> None:
        _, size = await reader.readexactly(2)
        assert size < 126
        assert (await reader.readexactly(size)).startswith(begin)

    def pages(self) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """What was connected, in order."""
        return list(zip(self.readers, self._writers, strict=True))

    async def over(self) -> list[bytes]:
        """What those said last that the edge has ended."""
        return [await reader.read() for reader, writer in self.pages() if writer.transport.is_closing()]

    async def aclose(self) -> None:
        """End all of them."""
        for writer in self._writers:
            writer.transport.abort()


def framed(data: bytes) -> bytes:
    """A WebSocket message as a client sends it."""
    size = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
    return b"\x82" + size + bytes(4) + data


@contextlib.asynccontextmanager
async def opened(edge: EdgeSite) -> AsyncIterator[Streams]:
    """Room for connections that end with the block."""
    streams = Streams(edge)
    try:
        async with asyncio.timeout(DEADLINE_S):
            yield streams
    finally:
        await streams.aclose()


async def times(edge: EdgeSite, number: int) -> list[float]:
    """How long requests took, one after the other on one connection, in seconds."""
    took: list[float] = []
    request = b"GET /api/clients/many-0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
    async with opened(edge) as streams:
        reader, writer = await streams.connect(edge.trust, b"")
        for _ in range(number):
            began = time.perf_counter()
            writer.write(request % edge.site.key.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            [length] = [line.partition(b":")[2] for line in head.splitlines() if line.startswith(b"content-length")]
            await reader.readexactly(int(length))
            took.append(time.perf_counter() - began)
    return took


def commands_a_second(speaker: Speaker, number: int) -> float:
    """How fast a client gets commands and reports them, one connection and one report at a time."""
    body = {"commands": [{"client_id": speaker.id, "action": "open-door", "payload": {}} for _ in range(number)]}
    seen = len(speaker.broker.received)
    began = time.perf_counter()
    answer = speaker.site.http.post("/api/batches", json=body)
    assert answer.status_code < 300, answer.text
    left = number
    while left:
        speaker.broker.wait_for(lambda seen=seen: len(speaker.broker.received) > seen)  # type: ignore[misc]
        _, payload = speaker.broker.received[seen]
        seen += 1
        said = json.loads(payload.rpartition("\n")[2])
        if said["kind"] == "run":
            left -= 1
            speaker.say(Channel.REPORTS, speaker.reports(speaker.report(said["command_id"])))
    took = time.perf_counter() - began
    speaker.close()
    return number / took


async def test_requests_and_pages_go_on_beside_idle_and_half_open_ones(edge: EdgeSite) -> None:
    rates = [await asyncio.to_thread(commands_a_second, Speaker(edge.site), COMMANDS)]
    before = await times(edge, REQUESTS)
    # Before there are so many files: the library of this client reads no file beyond the thousandth.
    second = Speaker(edge.site)
    async with opened(edge) as pages, opened(edge) as streams, opened(edge) as silent:
        await asyncio.gather(*(pages.page(number) for number in range(MANY)))
        staying = asyncio.create_task(pages.stay())
        await asyncio.gather(*(streams.stream(number) for number in range(MANY, 2 * MANY)))
        assert await streams.over() == []
        assert edge.standing("page") == edge.standing("busy") == MANY
        rates.append(await asyncio.to_thread(commands_a_second, second, COMMANDS))
        beside = await times(edge, REQUESTS)

        await asyncio.gather(*(silent.connect(None, b"") for _ in range(HALF_OPEN)))
        attacked = await times(edge, REQUESTS)
        await eventually(lambda: edge.standing("half_open") <= 256)
        assert HALF_OPEN <= 256 or edge.refused("half_open") >= HALF_OPEN - 256

        # Nobody who works has been sent away.
        staying.cancel()
        await asyncio.gather(*(pages.ping(*page) for page in pages.pages()))
        assert await streams.over() == []
        assert edge.standing("page") == edge.standing("busy") == MANY
    await eventually(lambda: edge.standing("page") == edge.standing("busy") == edge.standing("half_open") == 0)
    after = await times(edge, REQUESTS)
    rates.append(await asyncio.to_thread(commands_a_second, Speaker(edge.site), COMMANDS))
    for what, took in (
        ("before", before),
        ("beside pages", beside),
        ("beside silent ones", attacked),
        ("after", after),
    ):
        cuts = quantiles(took, n=100)
        print(f"{MANY} pages, {MANY} streams: {what} p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms")  # noqa: T201
    print(f"commands a second before, beside pages, after: {[round(rate, 1) for rate in rates]}")  # noqa: T201

"""HTTP load from raw sockets, so that the load costs little beside what it measures.

`python -m tests.bench.load URL KEY saturate CONNECTIONS SECONDS CLIENTS` keeps that many requests under way;
`python -m tests.bench.load URL KEY pace RATE SECONDS CLIENTS` sends at a rate and counts latency from the scheduled
time. Prints one JSON object: done, bad, per_s, p50_ms, p95_ms, p99_ms.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

import uvloop

ARGUMENTS = {f"k{n}": f"value-{n:04d}-abcdefghijklmnop" for n in range(14)}
LENGTH = b"content-length:"


def requests(target: str, key: str, clients: int) -> Iterator[bytes]:
    """Requests to one client after the other, for ever."""
    made = []
    for number in range(clients):
        body = json.dumps({"client_id": f"sim-{number}", "action": "set", "payload": ARGUMENTS}).encode()
        made.append(
            b"POST %s HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % (target.encode(), key.encode(), len(body)) + body
        )
    while True:
        yield from made


class Connection(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, problem: Exception | None) -> None:
        """The hub hung up."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(problem or ConnectionResetError("the hub hung up"))

    def data_received(self, data: bytes) -> None:
        """A part of the answer."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._buffer.lower().index(LENGTH) + len(LENGTH)
        size = int(self._buffer[at : self._buffer.index(b"\r\n", at)])
        if len(self._buffer) >= head + 4 + size and self._answer is not None:
            answer, self._buffer = self._buffer, b""
            self._answer.set_result(answer)

    async def ask(self, request: bytes) -> bytes:
        """Send a request; the whole answer with its head."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """Requests to one URL and what became of them."""

    def __init__(self, host: str, port: int, target: str, key: str, clients: int) -> None:
        self._address = (host, port)
        self._requests = requests(target, key, clients)
        self._waits = "wait" in target
        self.latencies: list[float] = []
        self.bad = 0

    async def connect(self) -> Connection:
        """A new connection."""
        _, connection = await asyncio.get_running_loop().create_connection(Connection, *self._address)
        return connection

    async def one(self, connection: Connection, due: float) -> None:
        """One command, and its answer."""
        answer = await connection.ask(next(self._requests))
        if not answer.startswith(b"HTTP/1.1 201 ") or (self._waits and b'"status":"completed"' not in answer):
            self.bad += 1
        self.latencies.append(time.perf_counter() - due)

    async def saturate(self, connections: int, seconds: float) -> float:
        """Keep `connections` requests under way; how long it took."""
        began = time.perf_counter()
        end = began + seconds

        async def lane() -> None:
            connection = await self.connect()
            while (now := time.perf_counter()) < end:
                await self.one(connection, now)
            connection.close()

        await asyncio.gather(*(lane() for _ in range(connections)))
        return time.perf_counter() - began

    async def pace(self, rate: float, seconds: float) -> float:
        """Send at a rate, however slow the answers are; how long it took."""
        free: list[Connection] = []
        tasks: list[asyncio.Task[None]] = []

        async def send(due: float) -> None:
            connection = free.pop() if free else await self.connect()
            await self.one(connection, due)
            free.append(connection)

        began = time.perf_counter()
        for n in range(int(rate * seconds)):
            due = began + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(send(due)))
        await asyncio.gather(*tasks)
        return time.perf_counter() - began


async def main(url: str, key: str, mode: str, amount: str, seconds: str, clients: str) -> None:
    """Run and print."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    load = Load(parts.hostname or "", parts.port or 80, target, key, int(clients))
    work = (
        load.saturate(int(amount), float(seconds)) if mode == "saturate" else load.pace(float(amount), float(seconds))
    )
    took = await work
    ordered = sorted(load.latencies[len(load.latencies) // 20 :])

    def quantile(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 2)

    result = {"done": len(load.latencies), "bad": load.bad, "per_s": round(len(load.latencies) / took, 1)}
    result |= {"p50_ms": quantile(0.5), "p95_ms": quantile(0.95), "p99_ms": quantile(0.99)}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))

"""HTTP load from raw sockets, so that the load costs little beside what it measures.

`python -m tests.bench.load URL KEY saturate CONNECTIONS SECONDS CLIENTS` keeps that many requests under way;
`python -m tests.bench.load URL KEY pace RATE SECONDS CLIENTS` sends at a rate and counts latency from the scheduled
time. Prints one JSON object: done, bad, per_s, p50_ms, p95_ms, p99_ms.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import uvloop

ARGUMENTS = {f"k{n}": f"value-{n:04d}-abcdefghijklmnop" for n in range(14)}


@dataclass
class Load:
    """Requests to one URL and what became of them."""

    host: str
    port: int
    target: str
    key: str
    clients: int
    latencies: list[float] = field(default_factory=list)
    bad: int = 0
    number: int = 0

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, due: float) -> None:
        """One command, and its answer."""
        self.number += 1
        body = json.dumps(
            {"client_id": f"sim-{self.number % self.clients}", "action": "set", "payload": ARGUMENTS}
        ).encode()
        writer.write(
            b"POST %s HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % (self.target.encode(), self.key.encode(), len(body)) + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        answer = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        if b" 201 " not in head.split(b"\r\n")[0] or ("wait" in self.target and b'"status":"completed"' not in answer):
            self.bad += 1
        self.latencies.append(time.perf_counter() - due)

    async def saturate(self, connections: int, seconds: float) -> float:
        """Keep `connections` requests under way; how long it took."""
        began = time.perf_counter()
        end = began + seconds

        async def lane() -> None:
            reader, writer = await asyncio.open_connection(self.host, self.port)
            while (now := time.perf_counter()) < end:
                await self.one(reader, writer, now)
            writer.close()

        await asyncio.gather(*(lane() for _ in range(connections)))
        return time.perf_counter() - began

    async def pace(self, rate: float, seconds: float) -> float:
        """Send at a rate, however slow the answers are; how long it took."""
        free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        tasks: list[asyncio.Task[None]] = []

        async def send(due: float) -> None:
            reader, writer = free.pop() if free else await asyncio.open_connection(self.host, self.port)
            await self.one(reader, writer, due)
            free.append((reader, writer))

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

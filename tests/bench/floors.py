"""What the machine can do at best, measured in the same run: a commit, a one-CTE transaction, an HTTP no-op and an MQTT
round trip. Each answers with operations a second or milliseconds.
"""

import asyncio
import time
from contextlib import suppress
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from schemas.topics import Channel, client_topic
from tests.bench.load import Connection
from tests.support.thin_mqtt import ThinClient

SETUP = """
CREATE TABLE bench_command (id uuid PRIMARY KEY, client_id text, status text, payload jsonb, at timestamptz);
CREATE INDEX ON bench_command (client_id, status);
CREATE INDEX ON bench_command (at);
CREATE TABLE bench_event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, command_id uuid, at timestamptz);
CREATE TABLE bench_quota (client_id text PRIMARY KEY, used bigint);
INSERT INTO bench_quota SELECT 'sim-' || n, 0 FROM generate_series(0, 199) n;
"""
ONE_ROW = "INSERT INTO bench_event (command_id, at) VALUES (%s, now())"
ONE_CTE = """
WITH taken AS (UPDATE bench_quota SET used = used + 1 WHERE client_id = %(client)s RETURNING client_id),
stored AS (INSERT INTO bench_command SELECT %(id)s, client_id, 'pending', %(payload)s, now() FROM taken RETURNING id)
INSERT INTO bench_event (command_id, at) SELECT id, now() FROM stored
"""
PAYLOAD = '{"text": "' + "x" * 500 + '"}'


def quantile(values: list[float], share: float) -> float:
    """In milliseconds, of seconds."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 3)


async def postgres(url: str, seconds: float = 2.0) -> dict[str, float]:
    """Commits with one row, one after the other; and one-CTE transactions, eight at a time."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    await connection.execute(SETUP.encode())
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        await connection.execute(ONE_ROW.encode(), (uuid4(),))
        times.append(time.perf_counter() - now)
    await connection.close()
    done = 0

    async def lane(number: int) -> None:
        nonlocal done
        lane_connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
        count = 0
        while time.perf_counter() < end:
            count += 1
            parameters = {"client": f"sim-{(number * 25 + count) % 200}", "id": uuid4(), "payload": PAYLOAD}
            await lane_connection.execute(ONE_CTE.encode(), parameters)
            done += 1
        await lane_connection.close()

    end = time.perf_counter() + seconds
    await asyncio.gather(*(lane(number) for number in range(8)))
    return {
        "commit_p50_ms": quantile(times, 0.5),
        "commit_p95_ms": quantile(times, 0.95),
        "one_cte_per_s": done / seconds,
    }


async def http(url: str, seconds: float = 2.0, connections: int = 64) -> dict[str, float]:
    """Requests for which the hub does nothing: one after the other, then as many at a time as a busy day has."""
    parts = urlsplit(url)
    request = b"GET /health HTTP/1.1\r\nHost: hub\r\n\r\n"
    loop = asyncio.get_running_loop()
    opened = [(await loop.create_connection(Connection, parts.hostname, parts.port))[1] for _ in range(connections)]
    times: list[float] = []
    end = time.perf_counter() + seconds / 2
    while (now := time.perf_counter()) < end:
        await opened[0].ask(request)
        times.append(time.perf_counter() - now)
    done = 0

    async def lane(connection: Connection) -> None:
        nonlocal done
        while time.perf_counter() < end:
            await connection.ask(request)
            done += 1

    end = time.perf_counter() + seconds
    await asyncio.gather(*(lane(connection) for connection in opened))
    for connection in opened:
        connection.close()
    return {"http_no_op_p50_ms": quantile(times, 0.5), "http_no_op_per_s": done / seconds}


async def mqtt(port: int, client_id: str, secret: str, hub_password: str, times: int = 1_000) -> dict[str, float]:
    """A QoS-1 message to a client and its answer, one at a time, thin clients on both sides."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[None] = loop.create_future()

    def answer(client: ThinClient, _topic: str, payload: bytes) -> None:
        client.publish(client_topic(client_id, Channel.REPORTS), payload)

    def got(_client: ThinClient, _topic: str, _payload: bytes) -> None:
        with suppress(asyncio.InvalidStateError):
            arrived.set_result(None)

    device = await ThinClient.connect(port, client_id, secret, (client_topic(client_id, Channel.PRESENCE), b""), answer)
    await device.subscribe(client_topic(client_id, Channel.COMMANDS))
    hub = await ThinClient.connect(port, "_hub", hub_password, (client_topic(client_id, Channel.COMMANDS), b""), got)
    await hub.subscribe(client_topic(client_id, Channel.REPORTS))
    took: list[float] = []
    for _ in range(times):
        arrived = loop.create_future()
        began = time.perf_counter()
        hub.publish(client_topic(client_id, Channel.COMMANDS), PAYLOAD.encode())
        await asyncio.wait_for(arrived, 5)
        took.append(time.perf_counter() - began)
    device.close()
    hub.close()
    return {"mqtt_round_trip_p50_ms": quantile(took, 0.5), "mqtt_round_trip_p95_ms": quantile(took, 0.95)}

"""Idle pages at `/mqtt` and event streams through the edge, half-open connections beside them, and what requests and
commands notice of it.

20 of each by default. `FLOORHUB_TEST_PAGES=1000` makes it the size that the edge is meant for. Then it measures in
turns without and beside them (`FLOORHUB_TEST_TURNS`), prints each pair (`-s`), and holds the middle one to what is
promised.
"""

import asyncio
import contextlib
import json
import os
import resource
import time
from collections.abc import Iterator
from statistics import median, quantiles
from typing import NamedTuple

import psycopg
import pytest

from broker_config.render import Client, hash_password
from hub.programs.cli.up import prepare_database
from hub.programs.embedded.data_folder import DataFolder
from schemas.topics import Channel
from tests.support.crowd import Wanted as Members
from tests.support.crowd import crowd
from tests.support.edge import EdgeSite, open_edge
from tests.support.many_clients import Wanted, insert
from tests.support.site import Site, open_site
from tests.support.speaker import Speaker
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("many clients")

MANY = int(os.environ.get("FLOORHUB_TEST_PAGES", "20"))
TURNS = int(os.environ.get("FLOORHUB_TEST_TURNS", "1"))
HALF_OPEN = 2 * MANY
HALF_OPEN_OF_ADDRESS = 256
SECRET = "the-same-for-all-of-them"
REQUESTS = min(5 * MANY, 1_500)
COMMANDS = min(MANY, 150)
BATCHES = 9 if MANY >= 1_000 else 1
"""Of commands; the middle one counts, since the rate goes up and down by more than what is looked for."""
FULL_SIZE = 1_000
SLOWER = 1.5
"""By this factor may 99 of 100 requests take longer beside the crowd."""
FEWER = 0.97
"""So large must the rate of commands stay."""


class Reading(NamedTuple):
    """What requests (seconds) and commands (a second) did."""

    half: float
    p99: float
    rate: float


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


async def times(edge: EdgeSite, number: int) -> list[float]:
    """How long requests took, one after the other on one connection, in seconds."""
    took: list[float] = []
    request = b"GET /api/clients/many-0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port, ssl=edge.trust, server_hostname="localhost")
    try:
        for _ in range(number):
            began = time.perf_counter()
            writer.write(request % edge.site.key.encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            [length] = [line.partition(b":")[2] for line in head.splitlines() if line.startswith(b"content-length")]
            await reader.readexactly(int(length))
            took.append(time.perf_counter() - began)
    finally:
        writer.transport.abort()
    return took


def commands_a_second(site: Site) -> float:
    """How fast a client gets commands and reports them, one connection and one report at a time."""
    with contextlib.closing(Speaker(site)) as speaker:
        return median([_batch(speaker, COMMANDS) for _ in range(BATCHES)])


def _batch(speaker: Speaker, number: int) -> float:
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
    return number / (time.perf_counter() - began)


def measured(edge: EdgeSite, what: str) -> Reading:
    """Requests, then commands."""
    cuts = quantiles(asyncio.run(times(edge, REQUESTS)), n=100)
    found = Reading(cuts[49], cuts[98], commands_a_second(edge.site))
    print(  # noqa: T201
        f"{what}: p50 {found.half * 1000:.2f} ms, p99 {found.p99 * 1000:.2f} ms, {found.rate:.0f} commands a second"
    )
    return found


@contextlib.contextmanager
def silent_ones(edge: EdgeSite) -> Iterator[None]:
    """Connections on which TLS never begins."""
    with contextlib.ExitStack() as stack:
        for _ in range(HALF_OPEN):
            stack.enter_context(contextlib.closing(edge.plain()))
        yield


def test_requests_and_pages_go_on_beside_idle_and_half_open_ones(edge: EdgeSite) -> None:
    measured(edge, "at first")
    alone, beside = [measured(edge, "alone")], list[Reading]()
    members = Members(edge.port, edge.authority.pem, MANY, MANY, SECRET)
    for turn in range(TURNS):
        with crowd(members) as standing:
            assert edge.standing("page") == edge.standing("busy") == MANY
            beside.append(measured(edge, f"turn {turn + 1} beside {MANY} pages and {MANY} streams"))
            if turn == TURNS - 1:
                before = edge.refused("half_open")
                with silent_ones(edge):
                    cuts = quantiles(asyncio.run(times(edge, REQUESTS)), n=100)
                    until(lambda: edge.standing("half_open") <= HALF_OPEN_OF_ADDRESS, "fewer half-open ones")
                    assert edge.refused("half_open") - before >= HALF_OPEN - HALF_OPEN_OF_ADDRESS
                print(f"and {HALF_OPEN} silent ones: p50 {cuts[49] * 1000:.2f} ms, p99 {cuts[98] * 1000:.2f} ms")  # noqa: T201
            # Nobody who works has been sent away.
            standing.check()
            assert edge.standing("page") == edge.standing("busy") == MANY
        until(lambda: not edge.standing("page") + edge.standing("busy") + edge.standing("half_open"), "none")

        alone.append(measured(edge, f"turn {turn + 1} alone"))

    # Against before and after: the machine itself becomes slower or faster meanwhile.
    slower = sorted(
        2 * now.p99 / (before.p99 + after.p99) for before, now, after in zip(alone, beside, alone[1:], strict=False)
    )
    rates = sorted(
        2 * now.rate / (before.rate + after.rate) for before, now, after in zip(alone, beside, alone[1:], strict=False)
    )
    print(f"p99 beside the crowd: times {[round(each, 2) for each in slower]}")  # noqa: T201
    print(f"commands beside the crowd: times {[round(each, 3) for each in rates]}")  # noqa: T201
    if MANY >= FULL_SIZE:
        assert median(slower) <= SLOWER
        assert median(rates) >= FEWER

"""Limits and idempotency keys are exact over two hubs, one of which is killed in the middle."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.plain_http import NO_AUTHORITIES
from tests.support.site import Process, Site

pytestmark = pytest.mark.own_site("kills a hub")

CALLERS = 64
A_DAY = 1_000
KEYS = int(os.environ.get("FLOORHUB_TEST_KEYS", "10"))
"""Keys that 20 requests each name at the same time; ten at once."""


class Callers:
    """Programs that ask two hubs in turns, and ask again elsewhere when one does not answer."""

    def __init__(self, site: Site) -> None:
        self._headers = {"Authorization": f"Bearer {site.key}"}
        self._urls = [site.hub_url(name) for name in ("one", "two")]
        self._turn = 0
        self.unanswered = 0

    async def run(self, work: Callable[[httpx.AsyncClient], Awaitable[None]], number: int) -> None:
        """So many of them at once."""
        limits = httpx.Limits(max_connections=2 * number, max_keepalive_connections=2 * number)
        async with httpx.AsyncClient(
            headers=self._headers, limits=limits, timeout=30, verify=NO_AUTHORITIES, trust_env=False
        ) as http:
            await asyncio.gather(*(work(http) for _ in range(number)))

    async def ask(self, http: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> httpx.Response:
        """An answer, from whichever hub gives one. Whether a request without one was carried out, nobody knows."""
        while True:
            self._turn += 1
            url = self._urls[self._turn % len(self._urls)]
            try:
                answer = await http.post(f"{url}/api/commands", json=body, headers=headers)
            except httpx.ConnectError:
                self._urls = [other for other in self._urls if other != url]
                continue
            except httpx.TransportError:
                self.unanswered += 1
                continue
            if answer.status_code != 503:
                return answer


@pytest.fixture
def second(site: Site) -> Iterator[Process]:
    """Another hub over the same database, ready."""
    with site.another_hub("two") as hub:
        yield hub


def _stored(site: Site, client_id: str) -> tuple[set[str], int]:
    """The commands of a client, and what was taken from its quota."""
    with psycopg.connect(site.stack.database_url) as connection:
        ids = connection.execute("SELECT id::text FROM commands WHERE client_id = %s", (client_id,)).fetchall()
        used = connection.execute("SELECT day_used FROM client_usage WHERE client_id = %s", (client_id,)).fetchone()
    assert used is not None
    return {row[0] for row in ids}, used[0]


@pytest.mark.fault("F6")
def test_of_a_thousand_a_day_exactly_a_thousand_are_accepted(site: Site, second: Process) -> None:
    client = site.client(max_commands_per_day=A_DAY)["id"]
    callers = Callers(site)
    accepted: list[str] = []
    refused = 0

    async def work(http: httpx.AsyncClient) -> None:
        nonlocal refused
        while True:
            answer = await callers.ask(http, {"client_id": client, "action": "open-door"})
            if answer.status_code == 429:
                assert answer.json()["code"] == "quota_exceeded"
                refused += 1
                return
            assert answer.status_code == 201, answer.text
            accepted.append(answer.json()["id"])
            if len(accepted) == A_DAY // 3:
                second.process.kill()

    asyncio.run(callers.run(work, CALLERS))

    second.process.wait(10)
    stored, used = _stored(site, client)
    assert (len(stored), used, refused) == (A_DAY, A_DAY, CALLERS)
    assert len(accepted) == len(set(accepted))
    assert set(accepted) <= stored
    # What was stored without an answer is what the killed hub did not get round to say.
    assert A_DAY - callers.unanswered <= len(accepted) <= A_DAY


@pytest.mark.fault("F6")
def test_twenty_requests_with_one_key_are_one_command(site: Site, second: Process) -> None:
    client = site.client()["id"]
    callers = Callers(site)
    keys = [f"order-{number}" for number in range(KEYS)]
    answers: dict[str, list[dict[str, Any]]] = {key: [] for key in keys}
    waiting = [key for key in keys for _ in range(20)]

    async def work(http: httpx.AsyncClient) -> None:
        while waiting:
            key = waiting.pop(0)
            answer = await callers.ask(
                http, {"client_id": client, "action": "open-door", "reference": key}, **{"Idempotency-Key": key}
            )
            assert answer.status_code in (200, 201), answer.text
            answers[key].append(answer.json())
            if sum(map(len, answers.values())) == 20:
                second.process.kill()

    asyncio.run(callers.run(work, 200))

    second.process.wait(10)
    assert callers.unanswered
    stored, used = _stored(site, client)
    assert (len(stored), used) == (len(keys), len(keys))
    for key, found in answers.items():
        assert len(found) == 20
        assert len({answer["id"] for answer in found}) == 1
        assert {answer["reference"] for answer in found} == {key}
    assert {found[0]["id"] for found in answers.values()} == stored

    other = {"client_id": client, "action": "open-door", "reference": "another"}
    answer = site.http.post("/api/commands", json=other, headers={"Idempotency-Key": keys[0]})
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")

"""Callers: post commands at a pace to either hub, retry whatever was not answered, and write down what HTTP promised.

They behave as an order system should (`docs/how-to/integrate-a-wms.md`): one Idempotency-Key for each order, the same
request again until there is an answer. Some are worse: they hang up at once, ask both hubs at the same time, ask again
for what was answered, or use a key for something else.
"""

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.records import Promise
from tests.support.plain_http import NO_AUTHORITIES

TASKS = 32
PATIENCE_S = 5.0
HURRY_S = 0.02
PER_ORDER_KEY = 25
KINDS = {"plain": 50, "slow": 6, "rerun": 12, "retry": 8, "hopeless": 1, "short": 3, "keyed": 15, "cancelled": 5}


@dataclass(frozen=True, slots=True)
class Order:
    """One request, decided by seed and number alone."""

    number: int
    kind: str
    client: str
    body: dict[str, Any]
    manner: str
    """straight, hangs_up, both_hubs, again or other_body."""
    first_hub: int
    pause_s: float


def order(seed: int, number: int, agents: int) -> Order:
    """The request with this number."""
    chance = random.Random(f"order {seed} {number}")  # noqa: S311 - a load, not a secret
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    client = f"pc-{chance.randint(1, agents)}"
    args = {"before": chance.randint(0, 30), "after": chance.randint(0, 30), "fails": 0}
    body: dict[str, Any] = {"client_id": client, "action": "work", "priority": chance.randint(1, 10)}
    body |= {"timeout_s": 3600, "reference": f"order-{number}"}
    match kind:
        case "slow":
            args |= {"before": chance.randint(100, 900), "after": chance.randint(0, 300)}
        case "rerun" | "keyed":
            body["on_interrupt"] = "rerun"
            args["after"] = chance.randint(0, 100)
        case "retry":
            args["fails"] = chance.randint(1, 2)
        case "hopeless":
            args["fails"] = 9
            body["max_retries"] = 1
        case "short":
            body["expires_in_s"] = 3
    manner = chance.choices(["straight", "hangs_up", "both_hubs", "again", "other_body"], [85, 6, 4, 4, 1])[0]
    body["payload"] = {"args": args}
    return Order(number, kind, client, body, manner, chance.randint(0, 1), chance.uniform(0, 1))


@dataclass
class Callers:
    """Runs in a thread of its own from `start` to `finish`."""

    urls: list[str]
    key: str
    file: Path
    seed: int
    agents: int
    rate: float
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _numbers: int = 0
    problems: list[BaseException] = field(default_factory=list)
    answered: int = 0

    def start(self) -> None:
        """Begin."""
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="callers", daemon=True)
        self._thread.start()

    def finish(self, deadline_s: float) -> None:
        """No new requests; wait until each that was begun is answered. Raises when one is not, or a caller broke."""
        assert self._thread is not None
        self._stop.set()
        self._thread.join(deadline_s)
        if self.problems:
            raise self.problems[0]
        assert not self._thread.is_alive(), f"callers still wait for an answer after {deadline_s:.0f} s"

    def _run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as problem:  # noqa: BLE001 - handed to `finish`
            self.problems.append(problem)

    async def _work(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._keyed: defaultdict[str, int] = defaultdict(int)
        limits = httpx.Limits(max_connections=TASKS * 4)
        headers = {"Authorization": f"Bearer {self.key}"}
        with self.file.open("a", encoding="utf-8") as self._log:
            async with (
                httpx.AsyncClient(headers=headers, limits=limits, verify=NO_AUTHORITIES, trust_env=False) as self._http,
                asyncio.TaskGroup() as self._group,
            ):
                for _ in range(TASKS):
                    self._group.create_task(self._caller())

    async def _caller(self) -> None:
        while not self._stop.is_set():
            number = self._numbers
            self._numbers += 1
            due = self._began + number / self.rate
            while (left := due - time.monotonic()) > 0:
                if self._stop.is_set():
                    return
                await asyncio.sleep(min(left, 0.2))
            await self._ask(order(self.seed, number, self.agents))

    async def _ask(self, wanted: Order) -> None:
        if wanted.kind != "keyed":
            await self._promise(wanted, None)
            return
        # What is ordered is asked for one after the other: the next only when the one before was accepted.
        async with self._locks[wanted.client]:
            count = self._keyed[wanted.client]
            self._keyed[wanted.client] += 1
            await self._promise(wanted, f"{wanted.client}-{count // PER_ORDER_KEY}")

    async def _promise(self, wanted: Order, order_key: str | None) -> None:
        body = wanted.body | ({"order_key": order_key} if order_key else {})
        if wanted.manner == "both_hubs":
            answers = await asyncio.gather(*(self._post(wanted, body, hub) for hub in (0, 1)))
        else:
            answers = [await self._post(wanted, body, wanted.first_hub)]
        if wanted.manner == "again":
            answers.append(await self._post(wanted, body, 1 - wanted.first_hub))
        problem = None
        if any(answer.status_code not in (200, 201) for answer in answers):
            problem = f"answers {[a.status_code for a in answers]}: {answers[0].text[:200]}"
        ids = {answer.json().get("id") for answer in answers if answer.status_code in (200, 201)}
        if len(ids) > 1:
            problem = f"one key, two commands: {sorted(ids)}"
        if wanted.manner == "other_body":
            other = await self._post(wanted, body | {"priority": 11 - body["priority"]}, wanted.first_hub)
            if other.status_code != 409:
                problem = f"the key with another body: {other.status_code}"
        command_id = min(ids, default=None)
        tries = max(int(answer.extensions["tries"]) for answer in answers)
        promise = Promise(wanted.number, time.time(), command_id, wanted.client, wanted.kind, order_key, problem, tries)
        self._log.write(json.dumps(asdict(promise)) + "\n")
        self._log.flush()
        self.answered += 1
        if wanted.kind == "cancelled" and command_id is not None:
            self._group.create_task(self._cancel(command_id, wanted))

    async def _post(self, wanted: Order, body: dict[str, Any], hub: int) -> httpx.Response:
        """Until there is an answer that says something: each second try goes to the other hub."""
        headers = {"Idempotency-Key": f"chaos-{self.seed}-{wanted.number}"}
        hurried = wanted.manner == "hangs_up"
        tries = 0
        while True:
            tries += 1
            patience = HURRY_S if hurried and tries == 1 else PATIENCE_S
            with contextlib.suppress(httpx.HTTPError):
                url = f"{self.urls[hub]}/api/commands"
                answer = await self._http.post(url, json=body, headers=headers, timeout=patience)
                if answer.status_code < 500 and answer.status_code != 429:
                    answer.extensions["tries"] = tries
                    return answer
            hub = 1 - hub
            await asyncio.sleep(min(0.05 * 2**tries, 1.0))

    async def _cancel(self, command_id: str, wanted: Order) -> None:
        await asyncio.sleep(wanted.pause_s)
        hub = wanted.first_hub
        while True:
            with contextlib.suppress(httpx.HTTPError):
                url = f"{self.urls[hub]}/api/commands/{command_id}/cancel"
                answer = await self._http.post(url, timeout=PATIENCE_S)
                if answer.status_code < 500:
                    return
            hub = 1 - hub
            await asyncio.sleep(0.3)

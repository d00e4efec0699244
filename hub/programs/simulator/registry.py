"""Registering the simulated clients at the hub, and retiring them; who is registered is known at any moment."""

import asyncio
import os
import ssl
from collections import deque
from collections.abc import Sequence
from typing import Any

from device_agent.session import Endpoint, parse_endpoint
from hub.errors import SetupError
from hub.programs.simulator.line import AwayError, HubLine, RefusedError
from schemas.signing import decode_key

AT_A_TIME = 16
TAG = "simulated"

Member = tuple[Endpoint, bytes]
"""Where a client connects, and the root key that it pins."""


class Registry:
    """The clients of one run."""

    def __init__(self, hub: HubLine, ids: Sequence[str], broker: str) -> None:
        self._hub = hub
        self._broker = broker
        self._waiting = deque(ids)
        self._problem: Exception | None = None
        self.members: dict[str, Member] = {}
        """Registered by this run, by id."""
        self.in_doubt: set[str] = set()
        """The hub was asked to register them, and has not answered."""
        self.retired: list[str] = []
        self.kept: dict[str, str] = {}
        """Why one that should be retired is not."""

    async def register(self, stop: asyncio.Event) -> None:
        """All of them, unless `stop`. The first problem ends it and is raised, once what was under way has its answer:
        AwayError, RefusedError or SetupError. Whoever cancels it finds in `in_doubt` what was under way."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(self._register_some(stop))
        if self._problem is not None:
            raise self._problem

    async def _register_some(self, stop: asyncio.Event) -> None:
        while self._waiting and self._problem is None and not stop.is_set():
            client_id = self._waiting.popleft()
            self.in_doubt.add(client_id)
            try:
                self.members[client_id] = await self._registered(client_id)
            except AwayError as problem:
                self._problem = problem
                return
            except (RefusedError, SetupError) as problem:
                self._problem = problem
            self.in_doubt.discard(client_id)

    async def _registered(self, client_id: str) -> Member:
        """A client that is new, or was kept by an earlier run: then its secret is rotated."""
        body = {"id": client_id, "kind": "other", "tags": [TAG], "rate_limit": 100_000}
        try:
            answer = await self._hub.call("POST", "/api/clients", {**body, "max_commands_per_day": 1_000_000})
        except RefusedError as problem:
            found = await self._look(client_id)
            if found is None:
                raise problem from None
            if TAG not in found["tags"]:
                raise SetupError(
                    f"{client_id} is no simulated client: use another --prefix. / 다른 --prefix를 쓰십시오."
                ) from None
            if found["status"] == "retired":
                raise SetupError(
                    f"{client_id} was retired, and an id is never used again: use another --prefix. / "
                    "폐기된 id는 다시 쓸 수 없습니다. 다른 --prefix를 쓰십시오."
                ) from None
            answer = await self._hub.call("POST", f"/api/clients/{client_id}/secret")
        try:
            ca_file = os.environ.get("FLOORHUB_MQTT_CA_FILE")
            endpoint = parse_endpoint(self._broker, client_id, answer.body["secret"], ca_file)
        except (ValueError, ssl.SSLError, OSError) as problem:
            raise SetupError(f"--broker: {problem}") from None
        return endpoint, decode_key(answer.body["root_key"])

    async def _look(self, client_id: str) -> dict[str, Any] | None:
        """The client as the hub has it; None: the hub does not know it."""
        try:
            found: dict[str, Any] = (await self._hub.call("GET", f"/api/clients/{client_id}")).body
        except RefusedError:
            return None
        return found

    async def retire(self) -> None:
        """Retire each one that can be; one that cannot hides neither the others nor the result.

        What was in doubt is retired where the hub has it as a simulated client. Whoever cancels it finds the rest in
        `kept`.
        """
        waiting = deque([*self.members, *sorted(self.in_doubt)])
        self.kept = dict.fromkeys(waiting, "not asked in time / 시간 내에 요청하지 못함")

        async def some() -> None:
            while waiting:
                await self._retire(waiting.popleft())

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_A_TIME):
                group.create_task(some())

    async def _retire(self, client_id: str) -> None:
        self.kept[client_id] = "the hub has not answered / 허브의 응답 없음"
        try:
            if client_id in self.in_doubt:
                found = await self._look(client_id)
                if found is None or TAG not in found["tags"]:
                    self.in_doubt.discard(client_id)
                    del self.kept[client_id]
                    return
            await self._hub.call("DELETE", f"/api/clients/{client_id}")
        except (AwayError, RefusedError) as problem:
            self.kept[client_id] = str(problem)
            return
        self.in_doubt.discard(client_id)
        del self.kept[client_id]
        self.retired.append(client_id)


def spans(ids: Sequence[str]) -> str:
    """Ids for people: neighbours together, `sim-0001 to sim-0007, sim-0009`; `-`: none. They end in four digits."""
    parts: list[list[str]] = []
    for client_id in sorted(ids):
        if parts and int(client_id[-4:]) == int(parts[-1][-1][-4:]) + 1:
            parts[-1] = [parts[-1][0], client_id]
        else:
            parts.append([client_id])
    return ", ".join(" to ".join(part) for part in parts) or "-"

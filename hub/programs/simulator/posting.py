"""Posting commands to the fleet at a rate, and keeping a record of what the hub accepted."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from typing import Any

from hub.programs.simulator.interruption import Interruption, ended
from hub.programs.simulator.line import Answer, AwayError, HubLine, RefusedError
from hub.programs.simulator.reconciliation import Account, Posts

IN_FLIGHT = 64
"""Requests at a time; when the hub is slower than the rate, posting waits for it, and the summary shows it."""
FINISH_S = 10.0
"""How long requests may go on after the last one was begun."""
TOO_MUCH_AT_ONCE = frozenset({"too_many_requests", "too_many_waiting"})
AGAIN_S = (0.2, 2.0)
"""The waits before a request without answer is repeated, doubled from the first to the second."""
POLL_S = 0.5
PAGE = 200
OPEN = ("pending", "queued", "running")


class Poster:
    """One run of it. Each command has an Idempotency-Key, so that a request without answer may be repeated."""

    def __init__(
        self, hub: HubLine, clients: Sequence[str], actions: Sequence[str], interruption: Interruption
    ) -> None:
        self._hub = hub
        self._clients, self._actions = clients, actions
        self._interruption = interruption
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self.posts = Posts(mark=f"simulate-{secrets.token_hex(6)}")
        self.forbidden = False
        """The key may not post commands: nothing more is posted."""
        self.refusal: RefusedError | None = None
        """The first one."""

    async def post(self, rate: float, seconds: float) -> None:
        """Post `rate` a second, spread over clients and actions in turn, for `seconds` or until a signal comes."""
        begun, number, tasks = time.monotonic(), 0, set[asyncio.Task[None]]()
        try:
            while number < rate * seconds and not self.forbidden:
                if await self._interruption.wait(max(0.0, begun + number / rate - time.monotonic())):
                    break
                await self._room.acquire()
                task = asyncio.create_task(self._one(number), name=f"post-{number}")
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
            self.posts.took_s = time.monotonic() - begun
            if tasks:
                await asyncio.wait(tasks, timeout=FINISH_S)
        finally:
            await ended(*tasks)

    async def _one(self, number: int) -> None:
        client_id = self._clients[number % len(self._clients)]
        action = self._actions[number // len(self._clients) % len(self._actions)]
        account = self.posts.accounts[number] = Account(client_id=client_id, action=action)
        body = {
            "client_id": client_id,
            "action": action,
            "payload": {"simulate": self.posts.mark, "number": number},
            "reference": self.posts.mark,
        }
        try:
            answer = await self._until_answered(body, f"{self.posts.mark}-{number}")
            account.command_id = answer.body["id"]
        except RefusedError as problem:
            account.refused = problem.code
            self.refusal = self.refusal or problem
            self.forbidden = self.forbidden or problem.status in (401, 403)
        finally:
            self._room.release()

    async def _until_answered(self, body: dict[str, Any], key: str) -> Answer:
        wait, most = AGAIN_S
        while True:
            try:
                return await self._hub.call("POST", "/api/commands", body, key=key)
            except AwayError:
                pass
            except RefusedError as problem:
                if problem.status < 500 and problem.code not in TOO_MUCH_AT_ONCE:
                    raise
            self.posts.repeated += 1
            await asyncio.sleep(wait)
            wait = min(most, 2 * wait)

    async def settle(self, seconds: float) -> None:
        """Until the hub has none of these commands open, or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if not (await self._page(1, status=list(OPEN)))["items"]:
                    return
            except (AwayError, RefusedError):
                pass
            await asyncio.sleep(POLL_S)

    async def what_the_hub_says(self, seconds: float) -> list[dict[str, Any]] | None:
        """All commands of this run as they stand at the hub; None: it gave no whole answer in this time."""
        end = time.monotonic() + seconds
        while True:
            try:
                return await self._all()
            except (AwayError, RefusedError):
                if time.monotonic() > end:
                    return None
                await asyncio.sleep(POLL_S)

    async def _all(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self._page(PAGE, **cursor)
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    async def _page(self, limit: int, **query: Any) -> dict[str, Any]:
        answer = await self._hub.call("GET", "/api/commands", reference=self.posts.mark, limit=limit, **query)
        page: dict[str, Any] = answer.body
        return page

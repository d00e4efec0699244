"""Telling the broker what changed: the outbox is worked off in order, one worker at a time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from hub.core.broker import store
from hub.core.broker.store import BrokerChange
from hub.core.presence.service.ending import end_session
from hub.database.engine import Connection, Database
from hub.errors import UnavailableError
from hub.telemetry.log import Event, Log

POLL_S = 2.0
MOST = 20


class Administrator(Protocol):
    """Changes the broker's users."""

    async def apply(self, changes: Sequence[BrokerChange]) -> dict[int, str | None]:
        """For each change its error, or None when it is in force. Raises UnavailableError."""


class Forgetter(Protocol):
    """Clears what the broker keeps of a client."""

    def forget(self, client_id: str) -> None:
        """Clear the retained topics of a client."""


class Outbox:
    """A loop over the outbox, or a part of it; `run` must be running in a worker that may administer the broker."""

    task = "broker-changes"

    def __init__(
        self,
        database: Database,
        administrator: Administrator,
        forgetter: Forgetter,
        unseal: Callable[[bytes], str | None],
        log: Log,
    ) -> None:
        self._database = database
        self._administrator = administrator
        self._forgetter = forgetter
        self._unseal = unseal
        self._log = log
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There may be something in the outbox."""
        self._wake.set()

    async def run(self) -> None:
        """Work the outbox off until cancelled."""
        while True:
            self._wake.clear()
            try:
                while await self._round():
                    pass
            except UnavailableError as problem:
                self._log.seldom(self.task).warning(Event.TASK_RETRY, task=self.task, code=problem.code)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _round(self) -> bool:
        """Tell the broker some; whether there may be more to tell at once. Raises UnavailableError."""
        raise NotImplementedError

    async def _tell(self, connection: Connection, changes: Sequence[BrokerChange]) -> float:
        """Tell the broker about changes that this transaction holds; how long it took to answer, in seconds. Raises
        UnavailableError."""
        if not changes:
            return 0
        began = time.monotonic()
        outcome = await self._administrator.apply(changes)
        took = time.monotonic() - began
        for change in changes:
            if not change.unseen and (change.change in ("disable", "remove") or change.secret):
                # The broker ended the connection without a will, and would keep an `online` for ever.
                self._forgetter.forget(change.client_id)
            if not change.unseen and change.secret:
                # Nobody has been told the new secret yet: whoever came meanwhile did so with the old one.
                await end_session(connection, change.client_id, "secret_rotated", at_broker=True)
            await store.finish_changes(connection, [change.id], outcome[change.id])
        return took


class BrokerChanges(Outbox):
    """What somebody waits for: at once, in order."""

    async def _round(self) -> bool:
        async with self._database.transaction() as connection:
            if not await store.take_turn(connection):
                return False
            changes = await store.open_changes(connection, MOST, self._unseal)
            await self._tell(connection, changes)
        return len(changes) >= MOST

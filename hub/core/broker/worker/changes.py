"""Telling the broker what changed: the outbox is worked off in order, one worker at a time."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from hub.core.broker import store
from hub.core.broker.store import BrokerChange
from hub.core.presence.service.ending import end_session
from hub.database.engine import Database
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


class BrokerChanges:
    """The loop; `run` must be running in a worker that may administer the broker."""

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
                while await self._round() == MOST:
                    pass
            except UnavailableError as problem:
                self._log.seldom("broker-changes").warning(Event.TASK_RETRY, task="broker-changes", code=problem.code)
            try:
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _round(self) -> int:
        async with self._database.transaction() as connection:
            changes = await store.open_changes(connection, MOST, self._unseal)
            if not changes:
                return 0
            outcome = await self._administrator.apply(changes)
            for change in changes:
                if change.change in ("disable", "remove") or change.secret:
                    # The broker ended the connection without a will, and would keep an `online` for ever.
                    self._forgetter.forget(change.client_id)
                if change.secret:
                    # Nobody has been told the new secret yet: whoever came meanwhile did so with the old one.
                    await end_session(connection, change.client_id, "secret_rotated", at_broker=True)
                await store.finish_changes(connection, [change.id], outcome[change.id])
        return len(changes)

"""Postgres as the hub's services see it, in memory.

A transaction happens at one moment; before it and after its commit time passes, so that a worker can die or another
can be faster. A connection may break after the commit: whoever waits then does not know.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from hub.errors import UnavailableError
from tests.simulation.command_store import CommandStore
from tests.simulation.scheduler import Pause, Scheduler
from tests.simulation.session_store import SessionStore
from tests.simulation.tables import Row, Tables

EPOCH = datetime.fromisoformat("2026-11-21T09:00:00+00:00")


class Store(Tables):
    """The database, and the stores over it. `moved` hears of every change of a command."""

    def __init__(self, scheduler: Scheduler, rng: random.Random, moved: Callable[[Row, Row], None]) -> None:
        super().__init__(lambda: EPOCH + timedelta(seconds=scheduler.now), moved)
        self._rng = rng
        self.down = False
        self.breaks = 0.0
        """How often a connection breaks after its commit."""
        self.command_store = CommandStore(self)
        self.session_store = SessionStore(self)

    # --- what `Database` offers ------------------------------------------------------------------------------

    def connection(self) -> "Held":
        return Held(self)

    def transaction(self) -> "Held":
        return Held(self)

    async def now(self, _: Any) -> datetime:
        return self.at

    # --- people ----------------------------------------------------------------------------------------------

    def dismiss(self) -> None:
        """A person closes every dead letter."""
        for row in self.commands.values():
            if row["dead_letter_reason"] and not row["dead_letter_closed_at"]:
                self.write(row, {"dead_letter_closed_at": self.at, "dead_letter_closed_by": "person"})

    def release(self, client_id: str) -> None:
        """A person has looked."""
        session = self.sessions[client_id]
        session.keep_away, session.watched_from = None, session.identity.issued


class Held:
    """A connection, or a transaction: what happens in it happens at one moment."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __aenter__(self) -> "Held":
        await Pause(self._store._rng.uniform(0.0005, 0.02))
        if self._store.down:
            raise UnavailableError("database_unavailable")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if problem is None:
            await Pause(self._store._rng.uniform(0.0005, 0.01))
            if self._store.down or self._store._rng.random() < self._store.breaks:
                raise UnavailableError("database_unavailable")

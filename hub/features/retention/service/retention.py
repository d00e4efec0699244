"""Clean-up: what is old enough is archived, and then deleted, a small portion at a time.

A portion is one transaction: its rows are taken out, their lines are written to the archive and synced, then it is
committed. A crash between the two leaves the rows where they were; their lines are written again the next time, so a
line may be there twice, and is never missing. What somebody else holds is left for the next round.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from hub.database import engine
from hub.database.engine import Connection, Database
from hub.features.retention import store as store
from hub.features.retention.service.archive import Archive, ArchiveError
from hub.features.retention.telemetry import Event, Metrics
from hub.subject import Kind
from hub.telemetry.log import Log

SHARE = 0.1
"""The part of the time that it works; it rests for the rest."""
LONGEST_REST_S = 5.0
Counts = dict[str, int]
"""How many rows, by the name of their kind."""


class Retention:
    """The service. `problem` says why it cannot delete, for health checks; None while all is well."""

    def __init__(
        self, database: Database, kinds: Sequence[Kind], archive: Archive | None, metrics: Metrics, log: Log
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._archive = archive
        self._metrics = metrics
        self._log = log
        self.problem: str | None = None

    async def preview(self) -> Counts:
        """How many of each kind would go now. Changes nothing. Batches that would only become empty are not counted.
        Raises UnavailableError."""
        async with self._database.connection() as connection:
            now = await engine.now(connection)
            return {kind.name: await kind.count(connection, now) for kind in self._kinds}

    async def run(self, *, share: float = SHARE) -> Counts | None:
        """One round: how many of each kind were deleted, or None while another process cleans up. Rests after each
        portion, so that it works for `share` of the time. Raises UnavailableError, and ArchiveError when the archive
        cannot be written; what was committed until then stays deleted."""
        async with store.alone(self._database) as connection:
            if connection is None:
                return None
            try:
                counts = await self._round(connection, share)
            except ArchiveError as problem:
                self.problem = problem.code
                self._metrics.failing.set(1)
                self._log.error(Event.CLEANUP_STOPPED, **problem.params)
                raise
        self.problem = None
        self._metrics.failing.set(0)
        self._metrics.success.set_to_current_time()
        if any(counts.values()):
            self._log.info(Event.CLEANUP_DONE, **{kind: number for kind, number in counts.items() if number})
        return counts

    async def _round(self, connection: Connection, share: float) -> Counts:
        now = await engine.now(connection)
        if self._archive is not None:
            await asyncio.to_thread(self._archive.probe)
            await asyncio.to_thread(self._archive.pack, now.date())
        counts = dict.fromkeys((kind.name for kind in self._kinds), 0)
        for kind in self._kinds:
            walk = kind.walk(now)
            more = walk is not None
            while walk is not None and more:
                async with _resting(share):
                    async with connection.transaction():
                        more, lines = await walk.portion(connection)
                        await self._keep(kind.name, now, lines)
                    counts[kind.name] += len(lines)
                    self._metrics.deleted.labels(kind.name).inc(len(lines))
        return counts

    async def _keep(self, kind: str, now: datetime, lines: list[str]) -> None:
        if self._archive is not None and lines:
            await asyncio.to_thread(self._archive.append, kind, now.date(), lines)
            self._metrics.archived.labels(kind).inc(len(lines))


@asynccontextmanager
async def _resting(share: float) -> AsyncIterator[None]:
    """Rest after the block, so that it takes `share` of the time."""
    began = time.monotonic()
    yield
    await asyncio.sleep(min((time.monotonic() - began) * (1 / share - 1), LONGEST_REST_S))

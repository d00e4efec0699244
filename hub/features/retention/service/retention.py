"""Clean-up: what is old enough is archived, and then deleted, a small portion at a time.

A portion is one transaction: its rows are taken out, their lines are written to the archive and synced, then it is
committed. A crash between the two leaves the rows where they were; their lines are written again the next time, so a
line may be there twice, and is never missing. What somebody else holds is left for the next round.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.database.engine import Connection, Database
from hub.features.retention import store as store
from hub.features.retention.rules import Kind, Periods, may_go
from hub.features.retention.service.archive import Archive, ArchiveError
from hub.telemetry.log import Event, Log
from hub.telemetry.metrics import Metrics

PORTION = 250
"""Rows of a transaction; a command brings some five rows of its log along."""
SHARE = 0.1
"""The part of the time that it works; it rests for the rest."""
LONGEST_REST_S = 5.0
_FIRST = UUID(int=0)
Counts = dict[Kind, int]
_Work = Callable[[Connection], Coroutine[Any, Any, tuple[bool, list[str]]]]


class Retention:
    """The service. `problem` says why it cannot delete, for health checks; None while all is well."""

    def __init__(
        self, database: Database, periods: Periods, archive: Archive | None, metrics: Metrics, log: Log
    ) -> None:
        self._database = database
        self._periods = periods
        self._archive = archive
        self._metrics = metrics
        self._log = log
        self.problem: str | None = None

    async def preview(self) -> Counts:
        """How many of each kind would go now. Changes nothing. Batches that would only become empty are not counted.
        Raises UnavailableError."""
        counts: Counts = {}
        async with self._database.connection() as connection:
            now = await store.now(connection)
            for kind in Kind:
                before = self._periods.before(kind, now)
                if before is None:
                    counts[kind] = 0
                elif kind is Kind.COMMANDS:
                    counts[kind] = await self._count_commands(connection, before, now)
                elif kind is Kind.BATCHES:
                    counts[kind] = await self._count_batches(connection, before)
                else:
                    counts[kind] = await store.count(connection, kind, before)
        return counts

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
                self._metrics.cleanup_failing.set(1)
                self._log.error(Event.CLEANUP_STOPPED, **problem.params)
                raise
        self.problem = None
        self._metrics.cleanup_failing.set(0)
        self._metrics.cleanup_success.set_to_current_time()
        if any(counts.values()):
            self._log.info(Event.CLEANUP_DONE, **{kind.value: number for kind, number in counts.items() if number})
        return counts

    async def _round(self, connection: Connection, share: float) -> Counts:
        now = await store.now(connection)
        if self._archive is not None:
            await asyncio.to_thread(self._archive.probe)
            await asyncio.to_thread(self._archive.pack, now.date())
        counts = dict.fromkeys(Kind, 0)
        for kind in Kind:
            before = self._periods.before(kind, now)
            if before is None:
                continue
            work = self._work(kind, before, now)
            more = True
            while more:
                async with _resting(share):
                    async with connection.transaction():
                        more, lines = await work(connection)
                        await self._keep(kind, now, lines)
                    counts[kind] += len(lines)
                    self._metrics.cleanup_deleted.labels(kind.value).inc(len(lines))
        return counts

    async def _keep(self, kind: Kind, now: datetime, lines: list[str]) -> None:
        if self._archive is not None and lines:
            await asyncio.to_thread(self._archive.append, kind.value, now.date(), lines)
            self._metrics.cleanup_archived.labels(kind.value).inc(len(lines))

    def _work(self, kind: Kind, before: datetime, now: datetime) -> _Work:
        """A portion of a kind, to be called until it says that there is no more; the lines of what it deleted."""
        if kind is Kind.COMMANDS:
            return _Commands(self._periods, before, now).portion
        if kind is Kind.BATCHES:
            return _Batches(before).portion

        async def documents(connection: Connection) -> tuple[bool, list[str]]:
            looked_at, lines = await store.delete_documents(connection, before)
            return looked_at > 0, lines

        async def by_age(connection: Connection) -> tuple[bool, list[str]]:
            lines = await store.delete_by_age(connection, kind, before, PORTION)
            return len(lines) == PORTION, lines

        return documents if kind is Kind.DOCUMENTS else by_age

    async def _count_commands(self, connection: Connection, before: datetime, now: datetime) -> int:
        number, after = 0, _FIRST
        while page := await store.look_at_commands(connection, after, before, PORTION):
            number += sum(may_go(candidate, self._periods, now) for _, _, candidate in page)
            after = page[-1][0]
        return number

    async def _count_batches(self, connection: Connection, before: datetime) -> int:
        number, after = 0, _FIRST
        while page := await store.look_at_batches(connection, after, before, PORTION):
            number += sum(done for _, done in page)
            after = page[-1][0]
        return number


class _Commands:
    """Walks over the old commands once; what stays does not come again in this round."""

    def __init__(self, periods: Periods, before: datetime, now: datetime) -> None:
        self._periods = periods
        self._before = before
        self._now = now
        self._after = _FIRST

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        page = await store.look_at_commands(connection, self._after, self._before, PORTION)
        if not page:
            return False, []
        self._after = page[-1][0]
        chosen = [(one, version) for one, version, command in page if may_go(command, self._periods, self._now)]
        lines = await store.delete_commands(connection, chosen) if chosen else []
        return len(page) == PORTION, lines


class _Batches:
    def __init__(self, before: datetime) -> None:
        self._before = before
        self._after = _FIRST

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        page = await store.look_at_batches(connection, self._after, self._before, PORTION)
        if not page:
            return False, []
        self._after = page[-1][0]
        done = [one for one, is_done in page if is_done]
        lines = await store.delete_batches(connection, done) if done else []
        return len(page) == PORTION, lines


@asynccontextmanager
async def _resting(share: float) -> AsyncIterator[None]:
    """Rest after the block, so that it takes `share` of the time."""
    began = time.monotonic()
    yield
    await asyncio.sleep(min((time.monotonic() - began) * (1 / share - 1), LONGEST_REST_S))

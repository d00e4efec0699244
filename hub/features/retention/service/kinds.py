"""What clean-up takes away: each kind says how many rows would go, and takes a portion of them.

Most go by their age alone, as their subjects declare. Commands, batches and documents do not: whether one may go
depends on rows of several subjects, so that they are here.
"""

from datetime import datetime
from uuid import UUID

from hub.database.engine import Connection
from hub.features.retention import store
from hub.features.retention.rules import Periods, may_go
from hub.subject import Kept, Walk

PORTION = 250
"""Rows of a transaction; a command brings some five rows of its log along."""
_FIRST = UUID(int=0)


class ByAge:
    """Rows that go by their age alone."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self.name = kept.kind

    async def count(self, connection: Connection, now: datetime) -> int:
        """See `subject.Kind`."""
        period = self._kept.period
        return 0 if period is None else await store.count_by_age(connection, self._kept, now - period)

    def walk(self, now: datetime) -> Walk | None:
        """See `subject.Kind`."""
        period = self._kept.period
        return None if period is None else _ByAge(self._kept, now - period)


class _ByAge:
    def __init__(self, kept: Kept, before: datetime) -> None:
        self._kept = kept
        self._before = before

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        lines = await store.delete_by_age(connection, self._kept, self._before, PORTION)
        return len(lines) == PORTION, lines


class Commands:
    """Commands that have ended, with their logs and upload paths."""

    name = "commands"

    def __init__(self, periods: Periods) -> None:
        self._periods = periods

    async def count(self, connection: Connection, now: datetime) -> int:
        """See `subject.Kind`."""
        period, number, after = self._periods.first_command, 0, _FIRST
        if period is None:
            return 0
        while page := await store.look_at_commands(connection, after, now - period, PORTION):
            number += sum(may_go(command.candidate, self._periods, now) for command in page)
            after = page[-1].id
        return number

    def walk(self, now: datetime) -> Walk | None:
        """See `subject.Kind`."""
        return None if self._periods.first_command is None else _Commands(self._periods, now)


class _Commands:
    """Walks over the old commands once; what stays does not come again in this round."""

    def __init__(self, periods: Periods, now: datetime) -> None:
        assert periods.first_command is not None  # noqa: S101 - else there is no walk
        self._periods = periods
        self._before = now - periods.first_command
        self._now = now
        self._after = _FIRST

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        page = await store.look_at_commands(connection, self._after, self._before, PORTION)
        if not page:
            return False, []
        self._after = page[-1].id
        chosen = [command for command in page if may_go(command.candidate, self._periods, self._now)]
        lines = await store.delete_commands(connection, chosen) if chosen else []
        return len(page) == PORTION, lines


class Batches:
    """Batches that have ended, once none of their commands is left."""

    name = "batches"

    def __init__(self, periods: Periods) -> None:
        self._period = periods.commands

    async def count(self, connection: Connection, now: datetime) -> int:
        """See `subject.Kind`. Those that would only become empty are not counted."""
        number, after = 0, _FIRST
        if self._period is None:
            return 0
        while page := await store.look_at_batches(connection, after, now - self._period, PORTION):
            number += sum(batch.done for batch in page)
            after = page[-1].id
        return number

    def walk(self, now: datetime) -> Walk | None:
        """See `subject.Kind`."""
        return None if self._period is None else _Batches(now - self._period)


class _Batches:
    def __init__(self, before: datetime) -> None:
        self._before = before
        self._after = _FIRST

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        page = await store.look_at_batches(connection, self._after, self._before, PORTION)
        if not page:
            return False, []
        self._after = page[-1].id
        done = [batch.id for batch in page if batch.done]
        lines = await store.delete_batches(connection, done) if done else []
        return len(page) == PORTION, lines


class Documents:
    """Documents that nothing names any more."""

    name = "documents"

    def __init__(self, periods: Periods) -> None:
        self._period = periods.documents

    async def count(self, connection: Connection, now: datetime) -> int:
        """See `subject.Kind`."""
        return 0 if self._period is None else await store.count_documents(connection, now - self._period)

    def walk(self, now: datetime) -> Walk | None:
        """See `subject.Kind`."""
        return None if self._period is None else _Documents(now - self._period)


class _Documents:
    def __init__(self, before: datetime) -> None:
        self._before = before

    async def portion(self, connection: Connection) -> tuple[bool, list[str]]:
        looked_at, lines = await store.delete_documents(connection, self._before)
        return looked_at > 0, lines

"""Schedules: their rows, and which are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg.errors
from psycopg.rows import DictRow
from psycopg.types.json import Json

from hub.core.access.rules import Principal
from hub.database.engine import Connection, reading
from hub.database.statements import statement

_INSERT = statement("features/schedules", "insert")
_FIND = statement("features/schedules", "find")
_LOCK = statement("features/schedules", "lock")
_CHANGE = statement("features/schedules", "change")
_DELETE = statement("features/schedules", "delete")
_DUE = statement("features/schedules", "due")
_LOCK_DUE = statement("features/schedules", "lock_due")
_MOVE = statement("features/schedules", "move")


_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class NameTakenError(Exception):
    """Another schedule has this name; the transaction is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What can be said of a schedule; `next_at` is None while it is disabled."""

    name: str
    cron: str
    time_zone: str
    request: dict[str, Any]
    document_ids: Sequence[UUID]
    misfire: str
    grace_s: int
    enabled: bool
    next_at: datetime | None
    runs_as: UUID


@dataclass(frozen=True, slots=True)
class Locked:
    """A schedule that is locked in the present transaction."""

    stored: Stored
    last_at: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose time has come, as it was when it was looked at."""

    id: UUID
    version: int
    next_at: datetime
    request: dict[str, Any]
    principal: Principal


@dataclass(frozen=True, slots=True)
class LockedDue:
    """One that nobody else fires. `role` is None when its principal is disabled or gone."""

    cron: str
    time_zone: str
    misfire: str
    grace_s: int
    role: str | None
    now: datetime


async def insert(connection: Connection, schedule_id: UUID, new: Stored) -> bool:
    """Store a schedule, created by whom it runs as; False when its name is taken."""
    cursor = await connection.execute(_INSERT, _values(schedule_id, new))
    return await cursor.fetchone() is not None


async def find(
    connection: Connection,
    *,
    id: UUID | None = None,  # noqa: A002 - the column's name
    before: UUID | None = None,
    name: str | None = None,
    enabled: bool | None = None,
    limit: int = 1,
) -> list[DictRow]:
    """Schedules, newest first; a filter that is None lets everything through."""
    cursor = reading(connection)
    await cursor.execute(_FIND, {"id": id, "before": before, "name": name, "enabled": enabled, "limit": limit})
    return await cursor.fetchall()


async def lock(connection: Connection, schedule_id: UUID) -> Locked | None:
    """Lock a schedule, after whoever fires it just now; None when there is none. Needs a transaction."""
    cursor = await connection.execute(_LOCK, {"id": schedule_id})
    row = await cursor.fetchone()
    if row is None:
        return None
    last_at, now = row.pop("last_at"), row.pop("now")
    return Locked(Stored(**row), last_at, now)


async def change(connection: Connection, schedule_id: UUID, changed: Stored) -> None:
    """Replace what is said of a locked schedule. Raises NameTakenError."""
    try:
        await connection.execute(_CHANGE, _values(schedule_id, changed))
    except psycopg.errors.UniqueViolation as problem:
        raise NameTakenError from problem


async def delete(connection: Connection, schedule_id: UUID) -> None:
    """Forget a locked schedule."""
    await connection.execute(_DELETE, {"id": schedule_id})


async def due(connection: Connection, most: int, after: Due | None = None) -> list[Due]:
    """Up to `most` schedules whose time has come, the oldest first; those after another one in this order."""
    at, last = (_BEGINNING, UUID(int=0)) if after is None else (after.next_at, after.id)
    cursor = await connection.execute(_DUE, {"most": most, "after_at": at, "after_id": last})
    return [
        Due(
            row["id"],
            row["version"],
            row["next_at"],
            row["request"],
            Principal(row["runs_as"], row["kind"] or "", row["name"] or "", row["role"] or ""),
        )
        for row in await cursor.fetchall()
    ]


async def lock_due(connection: Connection, due: Due) -> LockedDue | None:
    """Lock a due schedule; None when somebody else has it, had it, or changed it. Needs a transaction."""
    cursor = await connection.execute(_LOCK_DUE, {"id": due.id, "version": due.version, "next_at": due.next_at})
    row = await cursor.fetchone()
    if row is None:
        return None
    role = row["role"] if row["principal_active"] else None
    return LockedDue(row["cron"], row["time_zone"], row["misfire"], row["grace_s"], role, row["now"])


async def move(
    connection: Connection,
    schedule_id: UUID,
    *,
    last_at: datetime,
    next_at: datetime | None,
    batch_id: UUID | None,
    error: str | None,
) -> None:
    """Note what came of a time of a locked schedule, and when the next one is."""
    await connection.execute(
        _MOVE, {"id": schedule_id, "last_at": last_at, "next_at": next_at, "batch_id": batch_id, "error": error}
    )


def _values(schedule_id: UUID, stored: Stored) -> dict[str, Any]:
    return {
        "id": schedule_id,
        "name": stored.name,
        "cron": stored.cron,
        "time_zone": stored.time_zone,
        "request": Json(stored.request),
        "document_ids": list(stored.document_ids),
        "misfire": stored.misfire,
        "grace_s": stored.grace_s,
        "enabled": stored.enabled,
        "next_at": stored.next_at,
        "runs_as": stored.runs_as,
    }

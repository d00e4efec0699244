"""Schedules: their rows, and which are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg.errors
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.access.rules import Principal, Scope
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement
from hub.features.schedules.tables import Schedule as Schedules

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class NameTakenError(Exception):
    """Another schedule of the same principal has this name; the transaction is lost."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
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
    runs_by_key: UUID | None


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it stands."""

    id: UUID
    name: str
    cron: str
    time_zone: str
    request: dict[str, Any]
    misfire: str
    grace_s: int
    enabled: bool
    next_at: datetime | None
    last_at: datetime | None
    last_batch_id: UUID | None
    last_error: str | None
    runs_as: UUID
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    version: int


class Locked(Stored, frozen=True, kw_only=True):
    """A schedule that is locked in the present transaction."""

    last_at: datetime | None
    now: datetime

    @property
    def stored(self) -> Stored:
        """What can be said of it."""
        return Stored(**{name: getattr(self, name) for name in Stored.__struct_fields__})


@dataclass(frozen=True, slots=True)
class Due:
    """A schedule whose time has come, as it was when it was looked at."""

    id: UUID
    version: int
    next_at: datetime
    request: dict[str, Any]
    principal: Principal
    key_id: UUID | None
    """Within whose scope it fires; None: the principal's own."""


class LockedDue(msgspec.Struct, frozen=True, kw_only=True):
    """One that nobody else fires. `role` is None when its principal is disabled or gone."""

    cron: str
    time_zone: str
    misfire: str
    grace_s: int
    role: str | None
    now: datetime


class _Due(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    version: int
    next_at: datetime
    request: dict[str, Any]
    runs_as: UUID
    kind: str
    name: str
    role: str
    reach: str
    key_id: UUID | None


class Beyond(msgspec.Struct, frozen=True):
    """A client that a caller may not command, and the action that a schedule asks of it."""

    client_id: str
    action: str


_DUE = Statement("features/schedules", "due", _Due)
_LOCK_DUE = Statement("features/schedules", "lock_due", LockedDue)
_MOVE = Statement("features/schedules", "move")
_FIND = Statement("features/schedules", "find", Schedule, fresh_plan=True)
_PAGE = Statement("features/schedules", "page", Schedule, fresh_plan=True)
_BEYOND = Statement("features/schedules", "beyond", Beyond, fresh_plan=True)
_MEANS_SOMEBODY = Statement("features/schedules", "means_somebody", bool)


async def insert_schedule(connection: Connection, schedule_id: UUID, new: Stored) -> bool:
    """Store a schedule, created by whom it runs as; False when its name is taken."""
    fields = msgspec.structs.asdict(new) | {"id": schedule_id, "created_by": new.runs_as, "version": 1}
    row = insert(Schedules).values(**fields, created_at=NOW, updated_at=NOW)
    return await model.execute(connection, row.on_conflict_do_nothing()) > 0


async def get(connection: Connection, scope: Scope, schedule_id: UUID) -> Schedule | None:
    """One schedule, if a caller may see it."""
    return await _FIND.fetch_one(connection, id=schedule_id, **scope.parameters)


async def beyond(connection: Connection, scope: Scope, schedule_id: UUID) -> Beyond | None:
    """A client that the schedule of somebody else means and that a caller may not command; None: there is none."""
    return await _BEYOND.fetch_one(connection, id=schedule_id, **scope.parameters)


async def means_somebody(connection: Connection, schedule_id: UUID) -> bool:
    """Whether there is any client that a schedule means, whoever may command it."""
    return await _MEANS_SOMEBODY.fetch_one(connection, id=schedule_id) or False


async def page(
    connection: Connection,
    scope: Scope,
    *,
    before: UUID | None,
    name: str | None,
    enabled: bool | None,
    limit: int,
) -> list[Schedule]:
    """Schedules that a caller may see, newest first, older than one of them; a filter that is None lets everything
    through."""
    return await _PAGE.fetch_all(connection, before=before, name=name, enabled=enabled, limit=limit, **scope.parameters)


async def lock(connection: Connection, schedule_id: UUID) -> Locked | None:
    """Lock a schedule, after whoever fires it just now; None when there is none. Needs a transaction."""
    known = select(*model.columns(Locked, Schedules), NOW.label("now")).where(col(Schedules.id) == schedule_id)
    return await model.fetch_one(connection, known.with_for_update(), Locked)


async def change(connection: Connection, schedule_id: UUID, changed: Stored) -> None:
    """Replace what is said of a locked schedule. Raises NameTakenError."""
    fields = {**msgspec.structs.asdict(changed), "updated_at": NOW, "version": col(Schedules.version) + 1}
    try:
        await model.execute(connection, update(Schedules).where(col(Schedules.id) == schedule_id).values(**fields))
    except psycopg.errors.UniqueViolation as problem:
        raise NameTakenError from problem


async def remove(connection: Connection, schedule_id: UUID) -> None:
    """Forget a locked schedule."""
    await model.execute(connection, delete(Schedules).where(col(Schedules.id) == schedule_id))


async def due(connection: Connection, most: int, after: Due | None = None) -> list[Due]:
    """Up to `most` schedules whose time has come, the oldest first; those after another one in this order."""
    at, last = (_BEGINNING, UUID(int=0)) if after is None else (after.next_at, after.id)
    return [
        Due(
            row.id,
            row.version,
            row.next_at,
            row.request,
            Principal(row.runs_as, row.kind, row.name, row.role, row.reach),
            row.key_id,
        )
        for row in await _DUE.fetch_all(connection, most=most, after_at=at, after_id=last)
    ]


async def lock_due(connection: Connection, due: Due) -> LockedDue | None:
    """Lock a due schedule; None when somebody else has it, had it, or changed it. Needs a transaction."""
    return await _LOCK_DUE.fetch_one(connection, id=due.id, version=due.version, next_at=due.next_at)


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
    await _MOVE.execute(connection, id=schedule_id, last_at=last_at, next_at=next_at, batch_id=batch_id, error=error)

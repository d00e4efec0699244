"""Batches: their rows, what holds their commands back, and how far they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update
from sqlmodel import col

from hub.core.access.rules import Scope
from hub.core.clients.tables import ClientSession
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement
from hub.features.batches.rules import BatchStatus
from hub.features.batches.tables import Batch as Batches


class NewBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch to be stored together with its commands."""

    id: UUID
    created_by: UUID
    target: dict[str, Any]
    total: int
    action: str | None
    accepted: int
    rejected: int
    max_failures: int | None
    per_minute: float | None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch without its progress."""

    id: UUID
    status: BatchStatus
    target: dict[str, Any]
    action: str | None
    total: int
    accepted: int
    rejected: int
    max_failures: int | None
    per_minute: float | None
    stop_reason: str | None
    created_at: datetime
    created_by: UUID
    paused_at: datetime | None
    finished_at: datetime | None


class LockedBatch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is locked in the present transaction. `staged`: its commands begin little by little."""

    status: BatchStatus
    staged: bool
    paused_at: datetime | None


class OpenBatch(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch that has not finished stands."""

    id: UUID
    status: BatchStatus
    max_failures: int | None
    open: bool
    to_cancel: bool
    failed: int
    """Counted up to one more than `max_failures`; 0 without a limit."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """A number of commands by status, code (of rejected ones) and `blocked_by` (of unfinished ones)."""

    status: str
    code: str | None
    blocked_by: str | None
    number: int


class BatchCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command of a batch."""

    command_id: UUID
    client_id: str
    action: str
    status: str
    code: str | None
    presence: str
    blocked_by: str | None
    attempt: int
    cancel_requested: bool
    not_before: datetime | None
    queued_at: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class Beyond(msgspec.Struct, frozen=True):
    """A client, and an action for it, that are perhaps beyond what a caller may command."""

    client_id: str
    action: str


class _Released(msgspec.Struct, frozen=True):
    client_id: str
    scheduled: bool


class _Presence(msgspec.Struct, frozen=True):
    client_id: str
    presence: str


_HOLD = Statement("features/batches", "hold")
_RELEASE = Statement("features/batches", "release", _Released)
_TO_CANCEL = Statement("features/batches", "to_cancel", UUID)
_LOOK = Statement("features/batches", "look", OpenBatch)
_FINISH = Statement("features/batches", "finish")
# With fresh plans: for who reaches all clients, nothing of the rule is left in them.
_PROGRESS = Statement("features/batches", "progress", Count, fresh_plan=True)
_ROWS = Statement("features/batches", "rows", BatchCommand, fresh_plan=True)
_FIND = Statement("features/batches", "find", Batch, fresh_plan=True)
_PAGE = Statement("features/batches", "page", Batch, fresh_plan=True)
_REACHES_ANY = Statement("features/batches", "reaches_any", bool, fresh_plan=True)
_BEYOND = Statement("features/batches", "beyond", Beyond, fresh_plan=True)


async def insert_batch(connection: Connection, new: NewBatch) -> None:
    """Store a batch, in the transaction that stores its commands."""
    fields = msgspec.structs.asdict(new)
    await model.execute(connection, insert(Batches).values(**fields, status="running", created_at=NOW))


async def lock(connection: Connection, batch_id: UUID) -> LockedBatch | None:
    """Lock a batch; None when there is none. Needs a transaction; lock commands after it, never before."""
    staged = col(Batches.per_minute).is_not(None).label("staged")
    known = select(*model.columns(LockedBatch, Batches), staged).where(col(Batches.id) == batch_id)
    return await model.fetch_one(connection, known.with_for_update(), LockedBatch)


async def set_status(
    connection: Connection, batch_id: UUID, status: BatchStatus, stop_reason: str | None = None
) -> None:
    """Move a locked batch, to what `rules` allows."""
    paused_at = NOW if status is BatchStatus.PAUSED else None
    changed = {"status": status.value, "stop_reason": stop_reason, "paused_at": paused_at}
    await model.execute(connection, update(Batches).where(col(Batches.id) == batch_id).values(**changed))


async def hold(connection: Connection, batch_id: UUID) -> None:
    """Keep what has not ended of a locked batch from being handed out (again)."""
    await _HOLD.execute(connection, id=batch_id)


async def release(connection: Connection, batch_id: UUID, *, shift: bool, paused_at: datetime | None) -> set[str]:
    """Undo `hold`; the clients that have work now. `shift`: what was not due at `paused_at` begins and expires later
    by the length of the pause."""
    released = await _RELEASE.fetch_all(connection, id=batch_id, shift=shift, paused_at=paused_at)
    return {command.client_id for command in released if not command.scheduled}


async def to_cancel(connection: Connection, batch_id: UUID, most: int) -> list[UUID]:
    """Commands of a batch that nobody has asked to cancel yet, oldest first."""
    return await _TO_CANCEL.fetch_all(connection, id=batch_id, most=most)


async def look(connection: Connection, *, after: UUID | None, most: int) -> list[OpenBatch]:
    """Batches that have not finished, oldest first, after the one given."""
    return await _LOOK.fetch_all(connection, after=after, most=most)


async def finish(connection: Connection, ids: Sequence[UUID]) -> None:
    """Mark batches in which nothing is open as finished; a cancelled one keeps its status."""
    await _FINISH.execute(connection, ids=list(ids))


async def get(connection: Connection, scope: Scope, batch_id: UUID) -> Batch | None:
    """One batch, if a caller may see it."""
    return await _FIND.fetch_one(connection, id=batch_id, **scope.parameters)


async def reaches_any(connection: Connection, scope: Scope, wanted: Sequence[Beyond]) -> bool:
    """Whether a limited caller may send one of these clients the action that is meant for it."""
    found = await _REACHES_ANY.fetch_one(
        connection,
        client_ids=[one.client_id for one in wanted],
        actions=[one.action for one in wanted],
        **scope.parameters,
    )
    return found or False


async def beyond(connection: Connection, scope: Scope, batch_id: UUID) -> Beyond | None:
    """A command of a batch that has not ended and that a caller may not command; None: there is none."""
    return await _BEYOND.fetch_one(connection, id=batch_id, **scope.parameters)


async def page(
    connection: Connection, scope: Scope, *, before: UUID | None, statuses: Sequence[str] | None, limit: int
) -> list[Batch]:
    """Batches that a caller may see, newest first, older than one of them; a filter that is None lets everything
    through."""
    return await _PAGE.fetch_all(
        connection,
        before=before,
        statuses=list(statuses) if statuses else None,
        limit=limit,
        **scope.parameters,
    )


async def progress(connection: Connection, scope: Scope, batch_id: UUID) -> list[Count]:
    """How many commands of a batch are where, and what stands in their way; of those that a caller may read."""
    return await _PROGRESS.fetch_all(connection, id=batch_id, **scope.parameters)


async def rows(
    connection: Connection,
    scope: Scope,
    batch_id: UUID,
    *,
    after: UUID | None = None,
    statuses: Sequence[str] | None = None,
    blocked_by: str | None = None,
    limit: int,
) -> list[BatchCommand]:
    """Commands of a batch that a caller may read, in the order of its request; a filter that is None lets everything
    through."""
    return await _ROWS.fetch_all(
        connection,
        id=batch_id,
        after=after,
        statuses=list(statuses) if statuses else None,
        blocked_by=blocked_by,
        limit=limit,
        **scope.parameters,
    )


async def presences(connection: Connection, client_ids: Sequence[str]) -> dict[str, str]:
    """How these clients are: online, offline or unknown."""
    asked = select(*model.columns(_Presence, ClientSession)).where(
        model.among(col(ClientSession.client_id), client_ids)
    )
    return {row.client_id: row.presence for row in await model.fetch_all(connection, asked, _Presence)}

"""Batches: their rows, what holds their commands back, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.database.engine import Connection, reading
from hub.database.statements import statement
from hub.features.batches.rules import BatchStatus

_INSERT = statement("features/batches", "insert")
_LOCK = statement("features/batches", "lock")
_SET_STATUS = statement("features/batches", "set_status")
_HOLD = statement("features/batches", "hold")
_RELEASE = statement("features/batches", "release")
_TO_CANCEL = statement("features/batches", "to_cancel")
_LOOK = statement("features/batches", "look")
_FINISH = statement("features/batches", "finish")
_FIND = statement("features/batches", "find")
_PROGRESS = statement("features/batches", "progress")
_ROWS = statement("features/batches", "rows")
_PRESENCES = statement("features/batches", "presences")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
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


@dataclass(frozen=True, slots=True)
class LockedBatch:
    """A batch that is locked in the present transaction."""

    status: BatchStatus
    staged: bool
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """How a batch that has not finished stands."""

    id: UUID
    status: BatchStatus
    max_failures: int | None
    open: bool
    to_cancel: bool
    failed: int
    """Counted up to one more than `max_failures`; 0 without a limit."""


async def insert(connection: Connection, batch: NewBatch) -> None:
    """Store a batch, in the transaction that stores its commands."""
    await connection.execute(
        _INSERT,
        {
            "id": batch.id,
            "created_by": batch.created_by,
            "target": Jsonb(batch.target),
            "total": batch.total,
            "action": batch.action,
            "accepted": batch.accepted,
            "rejected": batch.rejected,
            "max_failures": batch.max_failures,
            "per_minute": batch.per_minute,
        },
    )


async def lock(connection: Connection, batch_id: UUID) -> LockedBatch | None:
    """Lock a batch; None when there is none. Needs a transaction; lock commands after it, never before."""
    cursor = await connection.execute(_LOCK, {"id": batch_id})
    row = await cursor.fetchone()
    if row is None:
        return None
    return LockedBatch(BatchStatus(row["status"]), row["per_minute"] is not None, row["paused_at"])


async def set_status(
    connection: Connection, batch_id: UUID, status: BatchStatus, stop_reason: str | None = None
) -> None:
    """Move a locked batch."""
    await connection.execute(_SET_STATUS, {"id": batch_id, "status": status.value, "stop_reason": stop_reason})


async def hold(connection: Connection, batch_id: UUID) -> None:
    """Keep what has not ended of a locked batch from being handed out (again)."""
    await connection.execute(_HOLD, {"id": batch_id})


async def release(connection: Connection, batch_id: UUID, *, shift: bool, paused_at: datetime | None) -> set[str]:
    """Undo `hold`; the clients that have work now. `shift`: what was not due at `paused_at` begins and expires later
    by the length of the pause."""
    cursor = await connection.execute(_RELEASE, {"id": batch_id, "shift": shift, "paused_at": paused_at})
    return {row["client_id"] for row in await cursor.fetchall() if not row["scheduled"]}


async def to_cancel(connection: Connection, batch_id: UUID, most: int) -> list[UUID]:
    """Commands of a batch that nobody has asked to cancel yet, oldest first."""
    cursor = await connection.execute(_TO_CANCEL, {"id": batch_id, "most": most})
    return [row["id"] for row in await cursor.fetchall()]


async def look(connection: Connection, *, after: UUID | None, most: int) -> list[OpenBatch]:
    """Batches that have not finished, oldest first, after the one given."""
    cursor = await connection.execute(_LOOK, {"after": after, "most": most})
    return [
        OpenBatch(
            row["id"], BatchStatus(row["status"]), row["max_failures"], row["open"], row["to_cancel"], row["failed"]
        )
        for row in await cursor.fetchall()
    ]


async def finish(connection: Connection, ids: Sequence[UUID]) -> None:
    """Mark batches in which nothing is open as finished; a cancelled one keeps its status."""
    await connection.execute(_FINISH, {"ids": list(ids)})


async def find(
    connection: Connection,
    *,
    id: UUID | None = None,  # noqa: A002 - the column's name
    before: UUID | None = None,
    statuses: Sequence[str] | None = None,
    limit: int = 1,
) -> list[DictRow]:
    """Batches, newest first; a filter that is None lets everything through."""
    cursor = reading(connection)
    await cursor.execute(
        _FIND, {"id": id, "before": before, "statuses": list(statuses) if statuses else None, "limit": limit}
    )
    return await cursor.fetchall()


async def progress(connection: Connection, batch_id: UUID) -> list[DictRow]:
    """Numbers of commands by status, code (of rejected ones) and trouble (offline, silent; of unfinished ones)."""
    cursor = await connection.execute(_PROGRESS, {"id": batch_id})
    return await cursor.fetchall()


async def rows(
    connection: Connection,
    batch_id: UUID,
    *,
    after: UUID | None = None,
    statuses: Sequence[str] | None = None,
    trouble: str | None = None,
    limit: int,
) -> list[DictRow]:
    """Commands of a batch in the order of its request; a filter that is None lets everything through."""
    cursor = reading(connection)
    await cursor.execute(
        _ROWS,
        {
            "id": batch_id,
            "after": after,
            "statuses": list(statuses) if statuses else None,
            "trouble": trouble,
            "limit": limit,
        },
    )
    return await cursor.fetchall()


async def presences(connection: Connection, client_ids: Sequence[str]) -> dict[str, str]:
    """How these clients are: online, offline or unknown."""
    cursor = await connection.execute(_PRESENCES, {"client_ids": list(client_ids)})
    return {row["client_id"]: row["presence"] for row in await cursor.fetchall()}

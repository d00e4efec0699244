"""Deleting what is old, a portion at a time. The caller owns each transaction: it commits once the archive is safe."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg

from hub.database.engine import Connection, Database
from hub.database.rows import cursor_of
from hub.database.statements import Statement
from hub.errors import UnavailableError
from hub.features.retention.rules import Candidate, first_id_of
from hub.subject import Kept

LOCK = 4_867_336_201
"""The advisory lock that whoever cleans up holds; any number that nothing else uses."""
DOCUMENTS_AT_ONCE = 20
BYTES_AT_ONCE = 256 * 1024 * 1024


class OldCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command of an age, and what decides about it."""

    id: UUID
    version: int
    finished_at: datetime | None
    waits: bool
    closed_at: datetime | None
    in_batch: bool
    batch_finished_at: datetime | None

    @property
    def candidate(self) -> Candidate:
        """What decides about it."""
        return Candidate(self.finished_at, self.waits, self.closed_at, self.in_batch, self.batch_finished_at)


class OldBatch(msgspec.Struct, frozen=True):
    """A batch of an age. `done`: it ended before that, and is empty now."""

    id: UUID
    done: bool


class _Held(msgspec.Struct, frozen=True):
    id: UUID
    line: str


class _Size(msgspec.Struct, frozen=True):
    id: UUID
    size: int


_PREPARE = Statement("features/retention", "prepare", bool)
_COUNT_DOCUMENTS = Statement("features/retention", "count_documents", int)
_LOOK_AT_COMMANDS = Statement("features/retention", "look_at_commands", OldCommand)
_HOLD_COMMANDS = Statement("features/retention", "hold_commands", _Held)
_DELETE_LOGS = Statement("features/retention", "delete_logs")
_DELETE_COMMANDS = Statement("features/retention", "delete_commands")
_LOOK_AT_BATCHES = Statement("features/retention", "look_at_batches", OldBatch)
_DELETE_BATCHES = Statement("features/retention", "delete_batches", str)
_HOLD_DOCUMENTS = Statement("features/retention", "hold_documents", _Size)
_NAMED_DOCUMENTS = Statement("features/retention", "named_documents", UUID)
_USE_DOCUMENTS = Statement("features/retention", "use_documents")
_DELETE_DOCUMENTS = Statement("features/retention", "delete_documents", str)


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[Connection | None]:
    """A connection of its own for one round of clean-up, or None while another process cleans up. The lock lives and
    dies with the connection that does the work. Raises UnavailableError."""
    try:
        connection = await database.connect()
        async with connection:
            yield connection if await _PREPARE.fetch_one(connection, key=LOCK) else None
    except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
        raise UnavailableError("database_unavailable") from problem


async def delete_by_age(connection: Connection, kept: Kept, before: datetime, most: int) -> list[str]:
    """Delete up to `most` rows of a kind that goes by its age alone, the oldest first; their archive lines."""
    cursor = await cursor_of(connection, str, kept.delete, {"before": before, "most": most})
    return await cursor.fetchall()


async def count_by_age(connection: Connection, kept: Kept, before: datetime) -> int:
    """How many of these rows would go."""
    cursor = await cursor_of(connection, int, kept.count, {"before": before})
    return await cursor.fetchone() or 0


async def look_at_commands(connection: Connection, after: UUID, before: datetime, most: int) -> list[OldCommand]:
    """The next commands whose ids are older than `before`."""
    return await _LOOK_AT_COMMANDS.fetch_all(connection, after=after, before=first_id_of(before), most=most)


async def delete_commands(connection: Connection, chosen: Sequence[OldCommand]) -> list[str]:
    """Delete commands that are still as they were, with their logs; their archive lines. Needs a transaction."""
    held = await _HOLD_COMMANDS.fetch_all(
        connection, ids=[command.id for command in chosen], versions=[command.version for command in chosen]
    )
    ids = [command.id for command in held]
    if ids:
        await _DELETE_LOGS.execute(connection, ids=ids)
        await _DELETE_COMMANDS.execute(connection, ids=ids)
    return [command.line for command in held]


async def look_at_batches(connection: Connection, after: UUID, before: datetime, most: int) -> list[OldBatch]:
    """The next batches whose ids are older than `before`."""
    return await _LOOK_AT_BATCHES.fetch_all(
        connection, after=after, before=first_id_of(before), finished_before=before, most=most
    )


async def delete_batches(connection: Connection, ids: Sequence[UUID]) -> list[str]:
    """Delete batches; their archive lines."""
    return await _DELETE_BATCHES.fetch_all(connection, ids=list(ids))


async def delete_documents(connection: Connection, before: datetime) -> tuple[int, list[str]]:
    """Look at a few documents that nobody has named since `before`: how many, and the archive lines of those that were
    deleted. One that a living command names counts as named now. Needs a transaction."""
    ids: list[UUID] = []
    size = 0
    for document in await _HOLD_DOCUMENTS.fetch_all(connection, before=before, most=DOCUMENTS_AT_ONCE):
        size += document.size
        if ids and size > BYTES_AT_ONCE:
            break
        ids.append(document.id)
    if not ids:
        return 0, []
    # A fresh snapshot, with the documents locked: whoever named one meanwhile is seen.
    named = set(await _NAMED_DOCUMENTS.fetch_all(connection, ids=ids))
    await _USE_DOCUMENTS.execute(connection, ids=list(named))
    return len(ids), await _DELETE_DOCUMENTS.fetch_all(connection, ids=[one for one in ids if one not in named])


async def count_documents(connection: Connection, before: datetime) -> int:
    """How many documents would go."""
    return await _COUNT_DOCUMENTS.fetch_one(connection, before=before) or 0

"""Deleting what is old, a portion at a time. The caller owns each transaction: it commits once the archive is safe."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from hub.database.engine import Connection, Database
from hub.database.statements import statement
from hub.errors import UnavailableError
from hub.features.retention.rules import Candidate, first_id_of
from hub.subject import Kept

LOCK = 4_867_336_201
"""The advisory lock that whoever cleans up holds; any number that nothing else uses."""
DOCUMENTS_AT_ONCE = 20
BYTES_AT_ONCE = 256 * 1024 * 1024

_PREPARE = statement("features/retention", "prepare")
_COUNT_DOCUMENTS = statement("features/retention", "count_documents")
_LOOK_AT_COMMANDS = statement("features/retention", "look_at_commands")
_HOLD_COMMANDS = statement("features/retention", "hold_commands")
_DELETE_LOGS = statement("features/retention", "delete_logs")
_DELETE_COMMANDS = statement("features/retention", "delete_commands")
_LOOK_AT_BATCHES = statement("features/retention", "look_at_batches")
_DELETE_BATCHES = statement("features/retention", "delete_batches")
_HOLD_DOCUMENTS = statement("features/retention", "hold_documents")
_NAMED_DOCUMENTS = statement("features/retention", "named_documents")
_USE_DOCUMENTS = statement("features/retention", "use_documents")
_DELETE_DOCUMENTS = statement("features/retention", "delete_documents")


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[Connection | None]:
    """A connection of its own for one round of clean-up, or None while another process cleans up. The lock lives and
    dies with the connection that does the work. Raises UnavailableError."""
    try:
        connection = await AsyncConnection[DictRow].connect(database.conninfo, autocommit=True, row_factory=dict_row)
        async with connection:
            row = await (await connection.execute(_PREPARE, {"key": LOCK})).fetchone()
            yield connection if row is not None and row["alone"] else None
    except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
        raise UnavailableError("database_unavailable") from problem


async def delete_by_age(connection: Connection, kept: Kept, before: datetime, most: int) -> list[str]:
    """Delete up to `most` rows of a kind that goes by its age alone, the oldest first; their archive lines."""
    return await _lines(connection, kept.delete, {"before": before, "most": most})


async def count_by_age(connection: Connection, kept: Kept, before: datetime) -> int:
    """How many of these rows would go."""
    return await _number(connection, kept.count, before)


async def look_at_commands(
    connection: Connection, after: UUID, before: datetime, most: int
) -> list[tuple[UUID, int, Candidate]]:
    """The next commands whose ids are older than `before`: id, version, and what decides about them."""
    cursor = await connection.execute(_LOOK_AT_COMMANDS, {"after": after, "before": first_id_of(before), "most": most})
    return [
        (
            row["id"],
            row["version"],
            Candidate(row["finished_at"], row["waits"], row["closed_at"], row["in_batch"], row["batch_finished_at"]),
        )
        for row in await cursor.fetchall()
    ]


async def delete_commands(connection: Connection, chosen: Sequence[tuple[UUID, int]]) -> list[str]:
    """Delete commands (id and version) that are still as they were, with their logs; their archive lines. Needs a
    transaction."""
    cursor = await connection.execute(
        _HOLD_COMMANDS, {"ids": [one for one, _ in chosen], "versions": [version for _, version in chosen]}
    )
    held = await cursor.fetchall()
    ids = [row["id"] for row in held]
    if ids:
        await connection.execute(_DELETE_LOGS, {"ids": ids})
        await connection.execute(_DELETE_COMMANDS, {"ids": ids})
    return [row["line"] for row in held]


async def look_at_batches(connection: Connection, after: UUID, before: datetime, most: int) -> list[tuple[UUID, bool]]:
    """The next batches whose ids are older than `before`, and whether each ended before it and is empty now."""
    cursor = await connection.execute(
        _LOOK_AT_BATCHES,
        {"after": after, "before": first_id_of(before), "finished_before": before, "most": most},
    )
    return [(row["id"], bool(row["done"])) for row in await cursor.fetchall()]


async def delete_batches(connection: Connection, ids: Sequence[UUID]) -> list[str]:
    """Delete batches; their archive lines."""
    return await _lines(connection, _DELETE_BATCHES, {"ids": list(ids)})


async def delete_documents(connection: Connection, before: datetime) -> tuple[int, list[str]]:
    """Look at a few documents that nobody has named since `before`: how many, and the archive lines of those that were
    deleted. One that a living command names counts as named now. Needs a transaction."""
    cursor = await connection.execute(_HOLD_DOCUMENTS, {"before": before, "most": DOCUMENTS_AT_ONCE})
    ids: list[UUID] = []
    size = 0
    for row in await cursor.fetchall():
        size += row["size"]
        if ids and size > BYTES_AT_ONCE:
            break
        ids.append(row["id"])
    if not ids:
        return 0, []
    # A fresh snapshot, with the documents locked: whoever named one meanwhile is seen.
    cursor = await connection.execute(_NAMED_DOCUMENTS, {"ids": ids})
    named = {row["id"] for row in await cursor.fetchall()}
    await connection.execute(_USE_DOCUMENTS, {"ids": list(named)})
    return len(ids), await _lines(connection, _DELETE_DOCUMENTS, {"ids": [one for one in ids if one not in named]})


async def count_documents(connection: Connection, before: datetime) -> int:
    """How many documents would go."""
    return await _number(connection, _COUNT_DOCUMENTS, before)


async def _number(connection: Connection, query: bytes, before: datetime) -> int:
    row = await (await connection.execute(query, {"before": before})).fetchone()
    return 0 if row is None else int(row["number"])


async def _lines(connection: Connection, query: bytes, parameters: dict[str, object]) -> list[str]:
    cursor = await connection.execute(query, parameters)
    return [row["line"] for row in await cursor.fetchall()]

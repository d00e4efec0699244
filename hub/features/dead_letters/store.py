"""Reading dead letters: lists, counts, and what a replay takes over. They are closed as all commands are moved, by
`transitions`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from hub.database.engine import Connection, reading
from hub.database.statements import statement

_NUMBER_OPEN = statement("features/dead_letters", "number_open")
_PAGE = statement("features/dead_letters", "page")
_MATCHING = statement("features/dead_letters", "matching")
_NUMBER = statement("features/dead_letters", "number")
_SUMMARY = statement("features/dead_letters", "summary")
_ORIGINALS = statement("features/dead_letters", "originals")
_REPLAYS = statement("features/dead_letters", "replays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which open dead letters; what is None lets everything through."""

    client_id: str | None = None
    action: str | None = None
    reason: str | None = None
    reference: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


async def page(connection: Connection, wanted: Filter, *, before: UUID | None, limit: int) -> list[DictRow]:
    """Open dead letters, newest first, older than `before`."""
    cursor = reading(connection)
    await cursor.execute(_PAGE, {**asdict(wanted), "before": before, "limit": limit})
    return await cursor.fetchall()


async def matching(connection: Connection, wanted: Filter, *, after: UUID | None, limit: int) -> list[UUID]:
    """Ids of open dead letters, oldest first, younger than `after`."""
    cursor = reading(connection)
    await cursor.execute(_MATCHING, {**asdict(wanted), "after": after, "limit": limit})
    return [row["id"] for row in await cursor.fetchall()]


async def number(connection: Connection, wanted: Filter, *, after: UUID | None) -> int:
    """How many open dead letters there are, younger than `after`."""
    cursor = reading(connection)
    await cursor.execute(_NUMBER, {**asdict(wanted), "after": after})
    row = await cursor.fetchone()
    return 0 if row is None else int(row["number"])


async def summary(connection: Connection, wanted: Filter, *, most: int) -> list[DictRow]:
    """Numbers by `kind` (client, action, reason, total) and `name`, the largest `most` of each kind first."""
    cursor = reading(connection)
    await cursor.execute(_SUMMARY, {**asdict(wanted), "most": most})
    return await cursor.fetchall()


async def originals(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, DictRow]:
    """What replays of these commands take over. In the transaction that locked them."""
    cursor = await connection.execute(_ORIGINALS, {"ids": list(ids)})
    return {row["id"]: row for row in await cursor.fetchall()}


async def replays(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The replay of each of these commands that has one."""
    cursor = await connection.execute(_REPLAYS, {"ids": list(ids)})
    return {row["replay_of"]: row["id"] for row in await cursor.fetchall()}


async def number_open(connection: Connection) -> int:
    """How many there are in all."""
    row = await (await connection.execute(_NUMBER_OPEN)).fetchone()
    return 0 if row is None else int(row["number"])

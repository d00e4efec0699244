"""Facts about why commands stand where they stand."""

from collections.abc import Sequence
from uuid import UUID

from psycopg.rows import DictRow

from hub.database.engine import Connection, reading
from hub.database.statements import statement

_FACTS = statement("features/explain", "facts")
_STANDING = statement("features/explain", "standing")


async def facts(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, DictRow]:
    """A row of facts for each command that there is."""
    cursor = reading(connection)
    await cursor.execute(_FACTS, {"ids": list(ids)})
    return {row["id"]: row for row in await cursor.fetchall()}


async def standing(connection: Connection, *, longer_than_s: float, most: int) -> list[UUID]:
    """Commands that are next in their lanes for so long, although their clients are online; at most `most` of them."""
    cursor = await connection.execute(_STANDING, {"longer_than_s": longer_than_s, "most": most})
    return [row["id"] for row in await cursor.fetchall()]

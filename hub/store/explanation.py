"""Facts about why a command stands where it stands."""

from uuid import UUID

from psycopg.rows import DictRow

from hub.store.engine import Connection, reading
from hub.store.sql import statement

_FACTS = statement("explanation", "facts")


async def facts(connection: Connection, command_id: UUID) -> DictRow | None:
    """One row of facts, None when there is no such command."""
    cursor = reading(connection)
    await cursor.execute(_FACTS, {"id": command_id})
    return await cursor.fetchone()

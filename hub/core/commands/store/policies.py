"""Reading the policies of actions."""

from psycopg.rows import DictRow

from hub.database.engine import Connection
from hub.database.statements import statement

_ALL = statement("core/commands/policies", "all")


async def read(connection: Connection) -> list[DictRow]:
    """Every policy in order of its action."""
    cursor = await connection.execute(_ALL)
    return await cursor.fetchall()

"""Reading commands and their logs."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import DictRow

from hub.database.engine import Connection, reading
from hub.database.hot import HotStatement
from hub.database.statements import statement

_FIND = HotStatement("core/commands/commands", "find")
_LOGS = statement("core/commands/commands", "logs")
_PAGE = statement("core/commands/commands", "page")
_UNFINISHED = statement("core/commands/commands", "unfinished")
_ENDED = statement("core/commands/commands", "ended")


async def find(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, DictRow]:
    """The commands with these ids that exist."""
    cursor = await _FIND.execute(connection, ids=list(ids))
    return {row["id"]: row for row in await cursor.fetchall()}


async def logs(connection: Connection, command_id: UUID) -> list[DictRow]:
    """Every change of a command, oldest first."""
    cursor = await connection.execute(_LOGS, {"id": command_id})
    return await cursor.fetchall()


async def page(
    connection: Connection,
    *,
    before: UUID | None = None,
    client_id: str | None = None,
    statuses: list[str] | None = None,
    action: str | None = None,
    reference: str | None = None,
    tag: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    limit: int,
) -> list[DictRow]:
    """Commands, newest first; a filter that is None lets everything through."""
    cursor = reading(connection)
    await cursor.execute(
        _PAGE,
        {
            "before": before,
            "client_id": client_id,
            "statuses": statuses,
            "action": action,
            "reference": reference,
            "tag": tag,
            "created_after": created_after,
            "created_before": created_before,
            "limit": limit,
        },
    )
    return await cursor.fetchall()


async def unfinished(connection: Connection) -> dict[str, int]:
    """How many commands have not ended, by status, without scheduled ones."""
    cursor = reading(connection)
    await cursor.execute(_UNFINISHED)
    return {row["status"]: row["number"] for row in await cursor.fetchall()}


async def ended(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these commands have ended."""
    cursor = await connection.execute(_ENDED, {"ids": list(ids)})
    return {row["id"] for row in await cursor.fetchall()}

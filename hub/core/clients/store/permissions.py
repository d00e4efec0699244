"""What clients may be asked to do, how often, and how much of it is left."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.database.engine import Connection
from hub.database.statements import statement

_FIND = statement("core/clients/permissions", "find")
_CHANGE = statement("core/clients/permissions", "change")


async def find(connection: Connection, client_id: str) -> DictRow | None:
    """A client's permissions with what was used of them; None when there is no such client."""
    cursor = await connection.execute(_FIND, {"client_id": client_id})
    return await cursor.fetchone()


async def change(
    connection: Connection,
    client_ids: Sequence[str],
    changes: Mapping[str, Any],
    *,
    principal_id: UUID,
    address: str | None,
) -> set[str]:
    """Change permissions of clients that are not retired, with a row each in the audit log; whose were changed.

    `changes` may hold allowed_actions (None: all), rate_limit, max_commands_per_day.
    """
    cursor = await connection.execute(
        _CHANGE,
        {
            "client_ids": list(client_ids),
            "set_allowed_actions": "allowed_actions" in changes,
            "allowed_actions": changes.get("allowed_actions"),
            "rate_limit": changes.get("rate_limit"),
            "max_commands_per_day": changes.get("max_commands_per_day"),
            "principal_id": principal_id,
            "address": address,
            "detail": Jsonb(dict(changes)),
        },
    )
    return {row["client_id"] for row in await cursor.fetchall()}

"""The trace of who did what: rows written in the transaction of what they tell of."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from psycopg.types.json import Jsonb

from hub.database.engine import Connection
from hub.database.statements import statement

_RECORD = statement("core/audit", "record")
_RECORD_MANY = statement("core/audit", "record_many")


class Actor(Protocol):
    """Who did it, and from which address (None: the hub itself, by a schedule for example)."""

    @property
    def principal_id(self) -> UUID:
        """Whose key or session it was."""

    @property
    def address(self) -> str | None:
        """Where the request came from."""


async def record(
    connection: Connection,
    actor: Actor,
    action: str,
    resource: str,
    resource_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Leave a row about one thing. The caller owns the transaction."""
    await connection.execute(
        _RECORD,
        {
            "principal_id": actor.principal_id,
            "action": action,
            "resource": resource,
            "resource_id": resource_id,
            "address": actor.address,
            "detail": Jsonb(detail) if detail is not None else None,
        },
    )


async def record_commands(
    connection: Connection, actor: Actor, action: str, details: Mapping[UUID, Mapping[str, Any] | None]
) -> None:
    """The same for several commands at once: a row for each, with its detail."""
    if details:
        rows = [{"id": command_id, "detail": detail} for command_id, detail in details.items()]
        await connection.execute(
            _RECORD_MANY,
            {"principal_id": actor.principal_id, "action": action, "address": actor.address, "rows": Jsonb(rows)},
        )

"""The trace of who did what: rows written in the transaction of what they tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

from psycopg.types.json import Jsonb

from hub.database.engine import Connection, mark
from hub.database.statements import Statement

_RECORD = Statement("core/audit/recording", "record")
_RECORD_EACH = Statement("core/audit/recording", "record_each")
_RECORD_DETAILS = Statement("core/audit/recording", "record_details")
_RECORD_MANY = Statement("core/audit/recording", "record_many")
_RECORD_SECURITY = Statement("core/audit/recording", "record_security")
Severity = Literal["info", "warning", "critical"]
WROTE = "audit"
"""Marks a connection that has written rows, for the sealer to be woken at its commit."""
MOST_OF_ADDRESS = 10
"""Security events of one kind and address in a minute; the others are counted in one row."""
MOST_OF_KIND = 100
"""The same from all addresses together."""


class Actor(Protocol):
    """Who did it, and from which address (None: the hub itself, by a schedule for example)."""

    @property
    def principal_id(self) -> UUID | None:
        """Whose key or session it was; None: nobody's that is known, or of somebody at the hub's host."""

    @property
    def address(self) -> str | None:
        """Where the request came from."""


@dataclass(frozen=True, slots=True)
class AtHost:
    """Somebody who works at the hub's host, past the API."""

    principal_id: UUID | None = None
    address: str | None = None


async def record(
    connection: Connection,
    actor: Actor,
    action: str,
    resource: str,
    resource_id: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Leave a row about one thing. The caller owns the transaction."""
    mark(connection, WROTE)
    await _RECORD.execute(
        connection,
        **_who_did(actor, action),
        resource=resource,
        resource_id=resource_id,
        detail=Jsonb(detail) if detail is not None else None,
    )


async def record_each(
    connection: Connection,
    actor: Actor,
    action: str,
    resource: str,
    resource_ids: Sequence[str],
    detail: Mapping[str, Any],
) -> None:
    """The same for several things at once: a row for each, all with this detail."""
    mark(connection, WROTE)
    await _RECORD_EACH.execute(
        connection,
        **_who_did(actor, action),
        resource=resource,
        resource_ids=list(resource_ids),
        detail=Jsonb(detail),
    )


async def record_details(
    connection: Connection, actor: Actor, action: str, resource: str, details: Mapping[str, Mapping[str, Any]]
) -> None:
    """The same with a detail of its own for each, by the ids of the things."""
    if details:
        mark(connection, WROTE)
        rows = [{"id": resource_id, "detail": detail} for resource_id, detail in details.items()]
        await _RECORD_DETAILS.execute(connection, **_who_did(actor, action), resource=resource, rows=Jsonb(rows))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The detail of a change: the fields that are not what they were, before and after."""
    names = sorted(name for name in {**before, **after} if before.get(name) != after.get(name))
    return {
        "before": {name: before.get(name) for name in names},
        "after": {name: after.get(name) for name in names},
    }


async def record_commands(
    connection: Connection, actor: Actor, action: str, details: Mapping[UUID, Mapping[str, Any] | None]
) -> None:
    """The same for several commands at once: a row for each, with its detail."""
    if details:
        mark(connection, WROTE)
        rows = [{"id": command_id, "detail": detail} for command_id, detail in details.items()]
        await _RECORD_MANY.execute(connection, **_who_did(actor, action), rows=Jsonb(rows))


async def record_security(
    connection: Connection,
    kind: str,
    severity: Severity,
    *,
    principal_id: UUID | None = None,
    client_id: str | None = None,
    address: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Leave a row about what looks like an attack, or counts one that is there already when too many come.

    The caller owns the transaction, and does this last in it: until its end others of the same kind may wait for it.
    """
    await _RECORD_SECURITY.execute(
        connection,
        kind=kind,
        severity=severity,
        principal_id=principal_id,
        client_id=client_id,
        address=address,
        detail=Jsonb(detail) if detail is not None else None,
        most_of_address=MOST_OF_ADDRESS,
        most_of_kind=MOST_OF_KIND,
    )


def _who_did(actor: Actor, action: str) -> dict[str, Any]:
    return {"principal_id": actor.principal_id, "address": actor.address, "action": action}

"""Who asks: users and integrations, their keys, and the trace that they leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from hub.database.engine import Connection
from hub.database.statements import statement

_INSERT = statement("core/access", "insert_principal")
_INSERT_KEY = statement("core/access", "insert_key")
_REVOKE = statement("core/access", "revoke_keys")
_BY_KEY = statement("core/access", "by_key")
_TOUCH = statement("core/access", "touch_keys")
_AUDIT = statement("core/access", "audit")
_AUDIT_MANY = statement("core/access", "audit_many")


@dataclass(frozen=True, slots=True)
class Principal:
    """A user (person) or an integration (order system, WMS)."""

    id: UUID
    kind: str
    name: str
    role: str


async def ensure(connection: Connection, principal: Principal) -> UUID:
    """The id of the principal of this name, made if it was not there."""
    cursor = await connection.execute(
        _INSERT, {"id": principal.id, "kind": principal.kind, "name": principal.name, "role": principal.role}
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the upsert always answers with a row
    found: UUID = row["id"]
    return found


async def add_key(connection: Connection, *, key_id: UUID, principal_id: UUID, prefix: str, sha256: bytes) -> None:
    """Store a key's hash."""
    await connection.execute(
        _INSERT_KEY, {"id": key_id, "principal_id": principal_id, "prefix": prefix, "sha256": sha256}
    )


async def revoke_keys(connection: Connection, principal_id: UUID) -> None:
    """Make every key of a principal useless."""
    await connection.execute(_REVOKE, {"principal_id": principal_id})


async def by_key(connection: Connection, sha256: bytes) -> Principal | None:
    """The principal that a valid key stands for."""
    cursor = await connection.execute(_BY_KEY, {"sha256": sha256})
    row = await cursor.fetchone()
    return None if row is None else Principal(row["id"], row["kind"], row["name"], row["role"])


async def touch_keys(connection: Connection, hashes: Sequence[bytes]) -> None:
    """Record that keys were used just now."""
    await connection.execute(_TOUCH, {"hashes": list(hashes)})


async def audit(
    connection: Connection,
    *,
    principal_id: UUID | None,
    action: str,
    resource: str,
    resource_id: str | None,
    address: str | None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Leave a row in the audit log, in the transaction of what it tells of."""
    await connection.execute(
        _AUDIT,
        {
            "principal_id": principal_id,
            "action": action,
            "resource": resource,
            "resource_id": resource_id,
            "address": address,
            "detail": Jsonb(detail) if detail is not None else None,
        },
    )


async def audit_commands(
    connection: Connection,
    *,
    principal_id: UUID,
    action: str,
    address: str | None,
    details: Mapping[UUID, Mapping[str, Any] | None],
) -> None:
    """The same for several commands at once: a row for each, with its detail."""
    if details:
        rows = [{"id": command_id, "detail": detail} for command_id, detail in details.items()]
        await connection.execute(
            _AUDIT_MANY, {"principal_id": principal_id, "action": action, "address": address, "rows": Jsonb(rows)}
        )

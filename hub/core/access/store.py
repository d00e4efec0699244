"""Users, integrations and their keys."""

from collections.abc import Sequence
from uuid import UUID

from hub.core.access.rules import Principal
from hub.database.engine import Connection
from hub.database.statements import statement

_INSERT = statement("core/access", "insert_principal")
_INSERT_KEY = statement("core/access", "insert_key")
_REVOKE = statement("core/access", "revoke_keys")
_BY_KEY = statement("core/access", "by_key")
_TOUCH = statement("core/access", "touch_keys")
_FIND_IDEMPOTENT = statement("core/access", "find_idempotent")


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


async def find_idempotent(
    connection: Connection, principal_id: UUID, route: str, key: str
) -> tuple[UUID, bytes] | None:
    """What an idempotency key stands for (a command or a batch), and the SHA-256 of the request that made it."""
    cursor = await connection.execute(_FIND_IDEMPOTENT, {"principal_id": principal_id, "route": route, "key": key})
    row = await cursor.fetchone()
    return None if row is None else (row["command_id"], bytes(row["request_sha256"]))

"""Users and integrations with their keys."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.access.rules import Principal
from hub.core.access.tables import ApiKey
from hub.core.access.tables import Principal as Principals
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class KeyHolder(msgspec.Struct, frozen=True):
    """A valid key, and the principal that it stands for."""

    id: UUID
    kind: str
    name: str
    role: str
    reach: str
    key_id: UUID
    permissions: list[str] | None
    actions: list[str] | None
    narrowed: bool
    addresses: list[str] | None
    expires_at: datetime | None


_VALID_BY_SECRET = Statement("core/access/keys", "valid_by_secret", KeyHolder)
_VALID_BY_ID = Statement("core/access/keys", "valid_by_id", KeyHolder)


async def ensure(connection: Connection, principal: Principal) -> UUID:
    """The id of the principal of this name, made if it was not there."""
    new = insert(Principals).values(
        id=principal.id, kind=principal.kind, name=principal.name, role=principal.role, created_at=NOW
    )
    known = new.on_conflict_do_update(index_elements=["name"], set_={"name": new.excluded.name})
    found = await model.fetch_one(connection, known.returning(col(Principals.id)), UUID)
    assert found is not None  # noqa: S101 - the upsert always answers with a row
    return found


async def add_key(connection: Connection, *, key_id: UUID, principal_id: UUID, prefix: str, sha256: bytes) -> None:
    """Store a key's hash."""
    new = insert(ApiKey).values(id=key_id, principal_id=principal_id, prefix=prefix, sha256=sha256, created_at=NOW)
    await model.execute(connection, new)


async def has_key(connection: Connection, principal_id: UUID) -> bool:
    """Whether a principal has a key, or had one."""
    any_of_his = select(col(ApiKey.id)).where(col(ApiKey.principal_id) == principal_id).limit(1)
    return await model.fetch_one(connection, any_of_his, UUID) is not None


async def revoke_keys(connection: Connection, principal_id: UUID) -> None:
    """Make every key of a principal useless."""
    valid = (col(ApiKey.principal_id) == principal_id, col(ApiKey.revoked_at).is_(None))
    await model.execute(connection, update(ApiKey).where(*valid).values(revoked_at=NOW))


async def by_key(connection: Connection, sha256: bytes) -> KeyHolder | None:
    """A valid key, and the principal that it stands for."""
    return await _VALID_BY_SECRET.fetch_one(connection, sha256=sha256)


async def by_id(connection: Connection, key_id: UUID) -> KeyHolder | None:
    """The same by the key's id."""
    return await _VALID_BY_ID.fetch_one(connection, id=key_id)

"""Principals as administrators change them, and integrations with what belongs to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.access.tables import ApiKey, Grant
from hub.core.access.tables import Principal as Principals
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class Integration(msgspec.Struct, frozen=True, kw_only=True):
    """An integration; `keys` counts its valid ones."""

    id: UUID
    name: str
    role: str
    reach: str
    status: str
    keys: int
    grants: int
    last_used_at: datetime | None
    created_at: datetime
    disabled_at: datetime | None


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A principal that nobody else changes until the transaction ends."""

    id: UUID
    kind: str
    name: str
    role: str
    reach: str
    disabled_at: datetime | None


_GET = Statement("core/access/integrations", "get", Integration)
_PAGE = Statement("core/access/integrations", "page", Integration, fresh_plan=True)
_LOCK = select(*model.columns(Locked, Principals)).where(col(Principals.removed_at).is_(None)).with_for_update()


async def get(connection: Connection, integration_id: UUID) -> Integration | None:
    """One integration; None for one that was removed, and for users."""
    return await _GET.fetch_one(connection, id=integration_id)


async def page(
    connection: Connection, *, name: str | None, status: str | None, after: UUID | None, limit: int
) -> list[Integration]:
    """Integrations in the order in which they were made."""
    return await _PAGE.fetch_all(connection, name=name, status=status, after=after, limit=limit)


async def lock(connection: Connection, principal_id: UUID) -> Locked | None:
    """A principal of any kind, locked; None for one that was removed. Needs a transaction."""
    return await model.fetch_one(connection, _LOCK.where(col(Principals.id) == principal_id), Locked)


async def kind_of(connection: Connection, principal_id: UUID) -> str | None:
    """Whether a principal is a user or an integration; None for one that was removed."""
    there = select(col(Principals.kind)).where(col(Principals.id) == principal_id, col(Principals.removed_at).is_(None))
    return await model.fetch_one(connection, there, str)


async def insert_integration(connection: Connection, *, integration_id: UUID, name: str, role: str, reach: str) -> bool:
    """A new one; False when a principal has the name."""
    new = insert(Principals).values(
        id=integration_id, kind="integration", name=name, role=role, reach=reach, created_at=NOW
    )
    return await model.execute(connection, new.on_conflict_do_nothing()) > 0


async def change(connection: Connection, principal_id: UUID, changes: dict[str, Any]) -> None:
    """Set columns of one that is locked."""
    await model.execute(connection, update(Principals).where(col(Principals.id) == principal_id).values(**changes))


async def remove(connection: Connection, principal_id: UUID, new_name: str) -> None:
    """Take everything from one that is locked, for good, and give its name back."""
    await model.execute(connection, delete(Grant).where(col(Grant.principal_id) == principal_id))
    valid = (col(ApiKey.principal_id) == principal_id, col(ApiKey.revoked_at).is_(None))
    await model.execute(connection, update(ApiKey).where(*valid).values(revoked_at=NOW))
    gone = {"name": new_name, "disabled_at": NOW, "removed_at": NOW}
    await model.execute(connection, update(Principals).where(col(Principals.id) == principal_id).values(**gone))

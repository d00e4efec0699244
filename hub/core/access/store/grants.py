"""Grants: which clients a principal may see or command."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.tables import Grant as Grants
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A grant; `target` as the API says it, such as `{"zone": "a"}`."""

    id: UUID
    principal_id: UUID
    principal: str
    principal_kind: str
    target: dict[str, Any]
    actions: list[str] | None
    access: str
    created_at: datetime
    created_by: UUID | None


_GET = Statement("core/access/grants", "get", Grant)
_PAGE = Statement("core/access/grants", "page", Grant, fresh_plan=True)
_FIND_SAME = Statement("core/access/grants", "find_same", Grant)
_OF_GROUP = Statement("core/access/grants", "of_group", Grant)
_END_OF_GROUP = Statement("core/access/grants", "end_of_group")
_LEAVE_GROUP_OUT = Statement("core/access/grants", "leave_group_out")
_PRESENT = {
    "client": Statement("core/access/grants", "present_clients", str),
    "group": Statement("core/access/grants", "present_groups", str),
}


async def get(connection: Connection, grant_id: UUID) -> Grant | None:
    """One grant."""
    return await _GET.fetch_one(connection, id=grant_id)


async def page(
    connection: Connection,
    *,
    principal_id: UUID | None,
    client: str | None,
    within_key: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[Grant]:
    """Grants in the order in which they were made; of a principal, or those that mean a client. `within_key`: those for
    clients of this key, which is for some clients only."""
    return await _PAGE.fetch_all(
        connection, principal_id=principal_id, client=client, within_key=within_key, after=after, limit=limit
    )


async def count(connection: Connection, principal_id: UUID) -> int:
    """How many grants a principal has."""
    counted = select(func.count()).select_from(Grants).where(col(Grants.principal_id) == principal_id)
    return await model.fetch_one(connection, counted, int) or 0


async def find_same(
    connection: Connection,
    principal_id: UUID,
    target: ClientsNamed,
    actions: tuple[str, ...] | None,
    access: str,
) -> Grant | None:
    """The grant that says the same."""
    return await _FIND_SAME.fetch_one(
        connection,
        principal_id=principal_id,
        target_kind=target.kind,
        target=target.name,
        tags=None if target.tags is None else list(target.tags),
        actions=None if actions is None else list(actions),
        access=access,
    )


async def insert_grant(
    connection: Connection,
    *,
    grant_id: UUID,
    principal_id: UUID,
    target: ClientsNamed,
    actions: tuple[str, ...] | None,
    access: str,
    created_by: UUID,
) -> None:
    """A new grant."""
    new = insert(Grants).values(
        id=grant_id,
        principal_id=principal_id,
        target_kind=target.kind,
        target=target.name,
        tags=None if target.tags is None else list(target.tags),
        actions=None if actions is None else list(actions),
        access=access,
        created_at=NOW,
        created_by=created_by,
    )
    await model.execute(connection, new)


async def delete_grant(connection: Connection, grant_id: UUID) -> None:
    """Take a grant back."""
    await model.execute(connection, delete(Grants).where(col(Grants.id) == grant_id))


async def present(connection: Connection, kind: str, names: Sequence[str]) -> set[str]:
    """Which of these clients or groups there are; zones and tags need not be there yet."""
    found = await _PRESENT[kind].fetch_all(connection, names=list(names)) if kind in _PRESENT else names
    return set(found)


async def end_of_group(connection: Connection, group_id: str) -> list[Grant]:
    """Take everything back that names a group, which is no more; the grants as they were. Needs a transaction."""
    ended = await _OF_GROUP.fetch_all(connection, group_id=group_id)
    await _END_OF_GROUP.execute(connection, ids=[grant.id for grant in ended])
    await _LEAVE_GROUP_OUT.execute(connection, group_id=group_id)
    return ended

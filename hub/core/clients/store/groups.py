"""Groups of clients, and which clients a target means."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Update, bindparam, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped
from sqlmodel import col

from hub.core.access.rules import Scope
from hub.core.access.store.reach import principal_of, reached
from hub.core.clients.rules import Target
from hub.core.clients.tables import Client, ClientGroup, ClientGroupMember, ClientSession
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement

_MATCHING = Statement("core/clients/groups", "matching", str, fresh_plan=True)


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A group; `members` counts its clients, without retired ones."""

    id: str
    name: str
    members: int
    created_at: datetime
    updated_at: datetime


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A client of a group."""

    client_id: str
    name: str
    status: str
    presence: str


_LIVING = col(Client.status) != "retired"
_GROUPS = select(
    *model.columns(Group, ClientGroup),
    select(func.count())
    .join_from(ClientGroupMember, Client, col(Client.id) == col(ClientGroupMember.client_id))
    .where(col(ClientGroupMember.group_id) == col(ClientGroup.id), _LIVING)
    .correlate(ClientGroup)
    .scalar_subquery()
    .label("members"),
)
_GROUP = _GROUPS.where(col(ClientGroup.id) == bindparam("group_id"))
_MEMBERS = (
    select(*model.columns(Member, ClientGroupMember, Client, ClientSession))
    .join_from(ClientGroupMember, Client, col(Client.id) == col(ClientGroupMember.client_id))
    .join(ClientSession, col(ClientSession.client_id) == col(ClientGroupMember.client_id))
)


async def insert_group(connection: Connection, group_id: str, name: str) -> bool:
    """A new group; False when the id is taken."""
    new = insert(ClientGroup).values(id=group_id, name=name, created_at=NOW, updated_at=NOW)
    return await model.execute(connection, new.on_conflict_do_nothing()) > 0


async def rename(connection: Connection, group_id: str, name: str) -> bool:
    """Give a group another name; False when there is none."""
    return await model.execute(connection, _of(group_id).values(name=name, updated_at=NOW)) > 0


async def touch(connection: Connection, group_id: str) -> bool:
    """Lock a group whose members are to be changed; False when there is none. Needs a transaction. One change at a
    time: two that add and remove the same clients could deadlock."""
    return await model.execute(connection, _of(group_id).values(updated_at=NOW)) > 0


async def delete_group(connection: Connection, group_id: str) -> bool:
    """Remove a group and its memberships; False when there was none."""
    return await model.execute(connection, delete(ClientGroup).where(col(ClientGroup.id) == group_id)) > 0


def _of(group_id: str) -> Update:
    return update(ClientGroup).where(col(ClientGroup.id) == group_id)


def seen(group_id: Mapped[str], scope: Scope) -> list[ColumnElement[bool]]:
    """The conditions by which a statement keeps to groups that a caller may see: all of whose clients he may read."""
    if not scope.limited:
        return []
    return [group_id.in_(select(func.floorhub_groups(*principal_of(scope)).column_valued("id")))]


async def get(connection: Connection, group_id: str) -> Group | None:
    """One group."""
    return await model.fetch_one(connection, _GROUP, Group, group_id=group_id)


async def get_for(connection: Connection, scope: Scope, group_id: str) -> Group | None:
    """The same, if a caller may see it."""
    asked = _GROUP.where(*seen(col(ClientGroup.id), scope))
    return await model.fetch_one(connection, asked, Group, group_id=group_id)


async def page(connection: Connection, scope: Scope, *, after: str | None, limit: int) -> list[Group]:
    """Groups that a caller may see, in order of their ids, after one of them."""
    asked = _GROUPS.where(*seen(col(ClientGroup.id), scope))
    asked = asked if after is None else asked.where(col(ClientGroup.id) > after)
    asked = asked.order_by(col(ClientGroup.id)).limit(limit)
    return await model.fetch_all(connection, asked, Group, fresh_plan=True)


async def members(connection: Connection, group_id: str, *, after: str | None, limit: int) -> list[Member]:
    """Clients of a group in order of their ids, after one of them, without retired ones."""
    client_id = col(ClientGroupMember.client_id)
    asked = _MEMBERS.where(col(ClientGroupMember.group_id) == group_id, _LIVING)
    if after is not None:
        asked = asked.where(client_id > after)
    return await model.fetch_all(connection, asked.order_by(client_id).limit(limit), Member, fresh_plan=True)


async def join(connection: Connection, group_id: str, client_ids: Sequence[str]) -> None:
    """Add clients that there are to a group that is locked; who is in it already stays."""
    who = func.unnest(model.array(col(Client.id), client_ids)).column_valued("client_id")
    new = insert(ClientGroupMember).from_select(["group_id", "client_id"], select(literal(group_id), who))
    await model.execute(connection, new.on_conflict_do_nothing())


async def leave(connection: Connection, group_id: str, client_ids: Sequence[str]) -> None:
    """Remove clients from a group that is locked."""
    these = model.among(col(ClientGroupMember.client_id), client_ids)
    old = delete(ClientGroupMember).where(col(ClientGroupMember.group_id) == group_id, these)
    await model.execute(connection, old)


async def present(
    connection: Connection, scope: Scope, client_ids: Sequence[str], *, want: str, with_retired: bool
) -> set[str]:
    """Which of these clients there are for a caller who may `read` them, or do something else with them."""
    asked = select(col(Client.id)).where(model.among(col(Client.id), client_ids), *reached(col(Client.id), scope, want))
    return set(await model.fetch_all(connection, asked if with_retired else asked.where(_LIVING), str))


async def matching(
    connection: Connection, scope: Scope, target: Target, most: int, *, want: str, action: str | None
) -> list[str]:
    """The clients that fit a target's conditions, in order of their ids, at most `most` of them; for a limited caller
    those with which he may do what he wants, such as `command` this action."""
    return await _MATCHING.fetch_all(
        connection,
        group=target.group,
        zone=target.zone,
        tags_all=list(target.tags_all) or None,
        tags_any=list(target.tags_any) or None,
        most=most,
        want=want,
        action=action,
        **scope.parameters,
    )

"""Clients, their permissions, and the outbox of changes that the broker has yet to learn."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import psycopg.errors
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlmodel import col

from hub.core.access.rules import Scope
from hub.core.access.store.reach import principal_of, reached
from hub.core.clients.store.groups import seen
from hub.core.clients.tables import Client as Clients
from hub.core.clients.tables import ClientDispatch, ClientGroupMember, ClientPermissions, ClientSession, ClientUsage
from hub.core.commands.tables import Command
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class _Client(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    kind: str
    zone: str | None
    tags: list[str]
    metadata: dict[str, Any]
    allowed_actions: list[str] | None
    rate_limit: int
    max_commands_per_day: int


class NewClient(_Client, frozen=True, kw_only=True):
    """A client to be registered; the secret is here only as hashes."""

    secret_sha256: bytes
    mqtt_password: str
    mqtt_salt: str
    mqtt_iterations: int


class Secret(msgspec.Struct, frozen=True):
    """The SHA-256 of a client's secret, and whether the client is active or disabled."""

    secret_sha256: bytes
    status: str


class Holder(msgspec.Struct, frozen=True):
    """A client that a secret is of, and whether it is active or disabled."""

    id: str
    status: str


class Client(_Client, frozen=True, kw_only=True):
    """A client as it stands, with its permissions and its session."""

    status: str
    groups: list[str]
    presence: str
    presence_reason: str
    presence_since: datetime | None
    heard_at: datetime | None
    level: str
    agent_name: str | None
    agent_version: str | None
    clock_skew_s: float | None
    fenced: str | None
    state: dict[str, Any] | None
    state_at: datetime | None
    handed_out: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which clients; what is None lets everything through."""

    zone: str | None = None
    group: str | None = None
    tag: str | None = None
    presence: str | None = None
    status: str | None = None


class BrokerState(msgspec.Struct, frozen=True):
    """Whether the broker has learned a change, and the error if it refused."""

    done: bool
    error: str | None


class _OfPresence(msgspec.Struct, frozen=True):
    presence: str
    number: int


_OUTBOX_ADD = Statement("core/clients/clients", "outbox_add", int)
_OUTBOX_STATE = Statement("core/clients/clients", "outbox_state", BrokerState)
_OF_PERMISSIONS = ("allowed_actions", "rate_limit", "max_commands_per_day")


class ClientExistsError(Exception):
    """The id is taken, perhaps by a retired client."""


async def insert_client(connection: Connection, new: NewClient) -> None:
    """Write a client and all rows that hang on it. Needs a transaction. Raises ClientExistsError."""
    fields = msgspec.structs.asdict(new)
    permissions = {name: fields.pop(name) for name in _OF_PERMISSIONS}
    client = insert(Clients).values(**_columns(fields), status="active", created_at=NOW, updated_at=NOW)
    try:
        await model.execute(connection, client)
    except psycopg.errors.UniqueViolation as problem:
        raise ClientExistsError from problem
    today, this_minute = cast(func.timezone("UTC", NOW), Date), func.date_trunc("minute", NOW)
    for row in (
        insert(ClientPermissions).values(client_id=new.id, updated_at=NOW, **permissions),
        insert(ClientUsage).values(client_id=new.id, day=today, day_used=0, minute=this_minute, minute_used=0),
        insert(ClientSession).values(
            client_id=new.id,
            presence="offline",
            presence_reason="never_seen",
            level="full",
            connection=0,
            epoch_issued=0,
            epoch_confirmed=0,
        ),
        insert(ClientDispatch).values(client_id=new.id),
    ):
        await model.execute(connection, row)


async def get(connection: Connection, client_id: str) -> Client | None:
    """A client, also a retired one."""
    return await model.fetch_one(connection, _CLIENT, Client, client_id=client_id)


async def get_for(connection: Connection, scope: Scope, client_id: str) -> Client | None:
    """The same, as far as a caller may read it."""
    if not scope.limited:
        return await get(connection, client_id)
    asked = _clients(scope).where(col(Clients.id) == client_id)
    return await model.fetch_one(connection, asked, Client)


async def is_there(connection: Connection, scope: Scope, client_id: str) -> bool:
    """Whether there is such a client, also a retired one, for this caller."""
    asked = select(col(Clients.id)).where(col(Clients.id) == client_id, *reached(col(Clients.id), scope))
    return await model.fetch_one(connection, asked, str) is not None


async def reads_all(connection: Connection, scope: Scope) -> bool:
    """Whether a caller may read everything of every client that is not retired."""
    if not scope.limited:
        return True
    reach = func.floorhub_reach(*principal_of(scope), literal("read", Text)).table_valued("client_id", "actions")
    whole = select(reach.c.client_id).where(reach.c.actions.is_(None))
    hidden = select(col(Clients.id)).where(col(Clients.status) != "retired", col(Clients.id).not_in(whole)).limit(1)
    return await model.fetch_one(connection, hidden, str) is None


async def page(connection: Connection, scope: Scope, wanted: Filter, *, after: str | None, limit: int) -> list[Client]:
    """Clients that a caller may read, in order of their ids, after one of them."""
    conditions: list[ColumnElement[bool]] = []
    if after is not None:
        conditions.append(col(Clients.id) > after)
    if wanted.zone is not None:
        conditions.append(col(Clients.zone) == wanted.zone)
    if wanted.group is not None:
        member = (col(ClientGroupMember.group_id) == wanted.group, *seen(col(ClientGroupMember.group_id), scope))
        conditions.append(exists().where(*member, col(ClientGroupMember.client_id) == col(Clients.id)))
    if wanted.tag is not None:
        conditions.append(col(Clients.tags).contains([wanted.tag]))
    if wanted.presence is not None:
        conditions.append(col(ClientSession.presence) == wanted.presence)
    if wanted.status is not None:
        conditions.append(col(Clients.status) == wanted.status)
    asked = _clients(scope).where(*conditions).order_by(col(Clients.id)).limit(limit)
    return await model.fetch_all(connection, asked, Client, fresh_plan=True)


_HANDED_OUT = (
    select(func.count())
    .where(col(Command.client_id) == col(Clients.id))
    # Words of the statement, not values: what its partial index is for must be known when it is planned.
    .where(col(Command.status).in_([literal_column("'queued'"), literal_column("'running'")]))
    .correlate(Clients)
)


def _built(scope: Scope | None) -> Select[Any]:
    groups = (
        select(col(ClientGroupMember.group_id))
        .where(col(ClientGroupMember.client_id) == col(Clients.id))
        .where(*([] if scope is None else seen(col(ClientGroupMember.group_id), scope)))
        .order_by(col(ClientGroupMember.group_id))
        .correlate(Clients)
    )
    return (
        select(
            *model.columns(Client, Clients, ClientPermissions, ClientSession),
            col(ClientSession.keep_away).label("fenced"),
            _HANDED_OUT.scalar_subquery().label("handed_out"),
            func.array(groups.scalar_subquery()).label("groups"),
        )
        .join(ClientPermissions, col(ClientPermissions.client_id) == col(Clients.id))
        .join(ClientSession, col(ClientSession.client_id) == col(Clients.id))
        .where(*([] if scope is None else reached(col(Clients.id), scope)))
    )


_CLIENTS = _built(None)
_CLIENT = _CLIENTS.where(col(Clients.id) == bindparam("client_id"))


def _clients(scope: Scope) -> Select[Any]:
    """Those that a caller may read, each with its groups that he may see."""
    return _built(scope) if scope.limited else _CLIENTS


async def held(connection: Connection, client_id: str) -> Client | None:
    """A client that is not retired, which nobody else changes until the transaction ends."""
    this = select(col(Clients.id)).where(col(Clients.id) == client_id, col(Clients.status) != "retired")
    if await model.fetch_one(connection, this.with_for_update(key_share=True), str) is None:
        return None
    return await get(connection, client_id)


async def change(connection: Connection, client_id: str, changes: Mapping[str, Any]) -> bool:
    """Change fields of a client that is not retired; False when there is none. Needs a transaction.

    `changes` may hold name, kind, zone, tags, metadata, allowed_actions, rate_limit, max_commands_per_day.
    """
    permissions = {name: value for name, value in changes.items() if name in _OF_PERMISSIONS}
    fields = {name: value for name, value in changes.items() if name not in _OF_PERMISSIONS}
    if not await _write(connection, client_id, _columns(fields)):
        return False
    of_client = col(ClientPermissions.client_id) == client_id
    await model.execute(connection, update(ClientPermissions).where(of_client).values(**permissions, updated_at=NOW))
    return True


async def retire(connection: Connection, client_id: str) -> bool:
    """active or disabled -> retired, for good; False when it was not there or is retired already."""
    return await _write(connection, client_id, {"status": "retired", "retired_at": NOW})


async def set_status(connection: Connection, client_id: str, status: str) -> bool:
    """active <-> disabled; False when there is no such client or it is retired. A disabled client cannot connect and is
    sent nothing; its commands wait or expire."""
    return await _write(connection, client_id, {"status": status})


async def set_secret(
    connection: Connection, client_id: str, *, secret_sha256: bytes, password: str, salt: str, iterations: int
) -> bool:
    """Replace a client's secret; False when there is no such client or it is retired. The old one is worthless from the
    commit on for HTTP, and for the broker as soon as it has learned of it."""
    stored = {"mqtt_password": password, "mqtt_salt": salt, "mqtt_iterations": iterations}
    return await _write(connection, client_id, {"secret_sha256": secret_sha256, **stored})


async def _write(connection: Connection, client_id: str, values: Mapping[str, Any]) -> bool:
    living = (col(Clients.id) == client_id, col(Clients.status) != "retired")
    return await model.execute(connection, update(Clients).where(*living).values(**values, updated_at=NOW)) > 0


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by the names that the class has for its columns."""
    return {"metadata_" if name == "metadata" else name: value for name, value in fields.items()}


# Built once: every request of a client over HTTP asks for it.
_SECRET = select(col(Clients.secret_sha256), col(Clients.status)).where(
    col(Clients.id) == bindparam("client_id"), col(Clients.status) != "retired"
)


async def secret(connection: Connection, client_id: str) -> Secret | None:
    """What opens the own things of a client that is not retired."""
    return await model.fetch_one(connection, _SECRET, Secret, client_id=client_id)


_HOLDER = select(col(Clients.id), col(Clients.status)).where(
    col(Clients.secret_sha256) == bindparam("secret_sha256"), col(Clients.status) != "retired"
)


async def holder(connection: Connection, secret_sha256: bytes) -> Holder | None:
    """The client whose secret has this SHA-256, unless it is retired."""
    return await model.fetch_one(connection, _HOLDER, Holder, secret_sha256=secret_sha256)


async def add_broker_change(
    connection: Connection, client_id: str, change: str, sealed_secret: bytes | None = None
) -> int:
    """Queue a change for the broker, in the transaction that causes it; its id."""
    made = await _OUTBOX_ADD.fetch_one(connection, client_id=client_id, change=change, sealed_secret=sealed_secret)
    assert made is not None  # noqa: S101 - INSERT ... RETURNING answers with its row
    return made


async def broker_change_state(connection: Connection, change_id: int) -> BrokerState | None:
    """How far the broker is with a change."""
    return await _OUTBOX_STATE.fetch_one(connection, id=change_id)


async def active_by_presence(connection: Connection) -> dict[str, int]:
    """How many clients that may connect are online, offline and unknown."""
    counted = (
        select(col(ClientSession.presence), func.count().label("number"))
        .join(Clients, col(Clients.id) == col(ClientSession.client_id))
        .where(col(Clients.status) == "active")
        .group_by(col(ClientSession.presence))
    )
    return {row.presence: row.number for row in await model.fetch_all(connection, counted, _OfPresence)}

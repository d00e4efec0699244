"""Clients, their permissions, and the outbox of changes that the broker has yet to learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg.errors
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.database.engine import Connection, reading
from hub.database.statements import statement, statements

_FIND = statement("core/clients/clients", "find")
_UPDATE = statement("core/clients/clients", "update")
_UPDATE_PERMISSIONS = statement("core/clients/clients", "update_permissions")
_RETIRE = statement("core/clients/clients", "retire")
_SET_STATUS = statement("core/clients/clients", "set_status")
_SET_SECRET = statement("core/clients/clients", "set_secret")
_SECRET_HASH = statement("core/clients/clients", "secret_hash")
_BROKER_CLIENTS = statement("core/clients/clients", "broker_clients")
_OUTBOX_ADD = statement("core/clients/clients", "outbox_add")
_ACTIVE_BY_PRESENCE = statement("core/clients/clients", "active_by_presence")
_OUTBOX_ALL_DONE = statement("core/clients/clients", "outbox_all_done")
_OUTBOX_STATE = statement("core/clients/clients", "outbox_state")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A client to be registered; the secret is here only as hashes."""

    id: str
    name: str
    kind: str
    zone: str | None
    tags: list[str]
    metadata: dict[str, Any]
    allowed_actions: list[str] | None
    rate_limit: int
    max_commands_per_day: int
    secret_sha256: bytes
    mqtt_password: str
    mqtt_salt: str
    mqtt_iterations: int


class ClientExistsError(Exception):
    """The id is taken, perhaps by a retired client."""


async def insert(connection: Connection, client: NewClient) -> None:
    """Write a client and all rows that hang on it. Needs a transaction. Raises ClientExistsError."""
    parameters = {
        "id": client.id,
        "name": client.name,
        "kind": client.kind,
        "zone": client.zone,
        "tags": client.tags,
        "metadata": Jsonb(client.metadata),
        "allowed_actions": client.allowed_actions,
        "rate_limit": client.rate_limit,
        "max_commands_per_day": client.max_commands_per_day,
        "secret_sha256": client.secret_sha256,
        "mqtt_password": client.mqtt_password,
        "mqtt_salt": client.mqtt_salt,
        "mqtt_iterations": client.mqtt_iterations,
    }
    texts = statements("core/clients/clients")
    try:
        await connection.execute(texts["insert"].encode(), parameters)
    except psycopg.errors.UniqueViolation as problem:
        raise ClientExistsError from problem
    for name in ("insert_permissions", "insert_usage", "insert_session", "insert_dispatch"):
        await connection.execute(texts[name].encode(), parameters)


async def find(
    connection: Connection,
    *,
    id: str | None = None,  # noqa: A002 - the column's name
    after: str | None = None,
    zone: str | None = None,
    group: str | None = None,
    tag: str | None = None,
    presence: str | None = None,
    status: str | None = None,
    limit: int = 1,
) -> list[DictRow]:
    """Clients in order of their ids, with permissions and session."""
    cursor = reading(connection)
    await cursor.execute(
        _FIND,
        {
            "id": id,
            "after": after,
            "zone": zone,
            "group": group,
            "tag": tag,
            "presence": presence,
            "status": status,
            "limit": limit,
        },
    )
    return await cursor.fetchall()


async def update(connection: Connection, client_id: str, changes: Mapping[str, Any]) -> bool:
    """Change fields of a client that is not retired; False when there is none. Needs a transaction.

    `changes` may hold name, kind, zone, tags, metadata, allowed_actions, rate_limit, max_commands_per_day.
    """
    fields = ("name", "kind", "zone", "tags", "metadata")
    parameters: dict[str, Any] = {"id": client_id}
    for name in fields:
        value = changes.get(name)
        parameters[name] = Jsonb(value) if name == "metadata" else value
        parameters[f"set_{name}"] = name in changes
    cursor = await connection.execute(_UPDATE, parameters)
    if await cursor.fetchone() is None:
        return False
    await connection.execute(
        _UPDATE_PERMISSIONS,
        {
            "id": client_id,
            "set_allowed_actions": "allowed_actions" in changes,
            "allowed_actions": changes.get("allowed_actions"),
            "rate_limit": changes.get("rate_limit"),
            "max_commands_per_day": changes.get("max_commands_per_day"),
        },
    )
    return True


async def retire(connection: Connection, client_id: str) -> bool:
    """active or disabled -> retired; False when it was not there or is retired already."""
    cursor = await connection.execute(_RETIRE, {"id": client_id})
    return await cursor.fetchone() is not None


async def set_status(connection: Connection, client_id: str, status: str) -> bool:
    """active <-> disabled; False when there is no such client or it is retired."""
    cursor = await connection.execute(_SET_STATUS, {"id": client_id, "status": status})
    return await cursor.fetchone() is not None


async def set_secret(
    connection: Connection, client_id: str, *, secret_sha256: bytes, password: str, salt: str, iterations: int
) -> bool:
    """Replace a client's secret; False when there is no such client or it is retired."""
    cursor = await connection.execute(
        _SET_SECRET,
        {
            "id": client_id,
            "secret_sha256": secret_sha256,
            "mqtt_password": password,
            "mqtt_salt": salt,
            "mqtt_iterations": iterations,
        },
    )
    return await cursor.fetchone() is not None


async def secret_hash(connection: Connection, client_id: str) -> bytes | None:
    """The SHA-256 of an active client's secret."""
    cursor = await connection.execute(_SECRET_HASH, {"id": client_id})
    row = await cursor.fetchone()
    return None if row is None else bytes(row["secret_sha256"])


@dataclass(frozen=True, slots=True)
class BrokerClient:
    """How the broker recognises a client."""

    id: str
    password: str
    salt: str
    iterations: int
    disabled: bool


async def broker_clients(connection: Connection, client_id: str | None = None) -> list[BrokerClient]:
    """Every client that the broker shall know, or only this one."""
    cursor = await connection.execute(_BROKER_CLIENTS, {"id": client_id})
    return [
        BrokerClient(row["id"], row["mqtt_password"], row["mqtt_salt"], row["mqtt_iterations"], row["disabled"])
        for row in await cursor.fetchall()
    ]


async def add_broker_change(
    connection: Connection, client_id: str, change: str, sealed_secret: bytes | None = None
) -> int:
    """Queue a change for the broker, in the transaction that causes it; its id."""
    cursor = await connection.execute(
        _OUTBOX_ADD, {"client_id": client_id, "change": change, "sealed_secret": sealed_secret}
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - INSERT ... RETURNING answers with its row
    return int(row["id"])


async def finish_all_broker_changes(connection: Connection) -> None:
    """Mark all changes as learned: the broker's file was rendered from the tables."""
    await connection.execute(_OUTBOX_ALL_DONE)


async def broker_change_state(connection: Connection, change_id: int) -> tuple[bool, str | None]:
    """Whether the broker has learned a change, and the error if it refused."""
    cursor = await connection.execute(_OUTBOX_STATE, {"id": change_id})
    row = await cursor.fetchone()
    return (False, None) if row is None else (row["done_at"] is not None, row["error"])


async def active_by_presence(connection: Connection) -> dict[str, int]:
    """How many clients that may connect are online, offline and unknown."""
    cursor = await connection.execute(_ACTIVE_BY_PRESENCE)
    return {row["presence"]: row["number"] for row in await cursor.fetchall()}

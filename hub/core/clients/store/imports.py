"""Many clients at once."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import psycopg.errors
from psycopg.types.json import Jsonb

from hub.core.clients.store.clients import ClientExistsError, NewClient
from hub.database.engine import Connection
from hub.database.statements import Statement

_PLACE = "core/clients/imports"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A client that there is under an id that a list has; it may be retired."""

    id: str
    name: str
    kind: str
    zone: str | None
    tags: list[str]
    metadata: dict[str, Any]
    status: str
    secret_sha256: bytes
    allowed_actions: list[str] | None
    rate_limit: int
    max_commands_per_day: int
    groups: list[str]


class _Holder(msgspec.Struct, frozen=True):
    id: str
    secret_sha256: bytes


_LOCK_KNOWN = Statement(_PLACE, "lock_known", str)
_KNOWN = Statement(_PLACE, "known", Known)
_HOLDERS = Statement(_PLACE, "holders", _Holder)
_INSERT = Statement(_PLACE, "insert_clients")
_OUTBOX_ADD = Statement(_PLACE, "outbox_add_many")
_REFUSED = Statement(_PLACE, "refused", str)


async def lock_known(connection: Connection, ids: Sequence[str]) -> None:
    """Hold the clients that there are of these until the transaction ends."""
    await _LOCK_KNOWN.fetch_all(connection, ids=list(ids))


async def known(connection: Connection, ids: Sequence[str]) -> dict[str, Known]:
    """What there is under these ids, by id."""
    return {row.id: row for row in await _KNOWN.fetch_all(connection, ids=list(ids))}


async def holders(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, str]:
    """Whose secrets there are of these hashes."""
    return {row.secret_sha256: row.id for row in await _HOLDERS.fetch_all(connection, hashes=list(hashes))}


async def insert_clients(connection: Connection, new: Sequence[NewClient]) -> None:
    """Write clients and all rows that hang on them. Needs a transaction. Raises ClientExistsError, after which that is
    over."""
    rows = [{**msgspec.structs.asdict(one), "secret_sha256": one.secret_sha256.hex()} for one in new]
    try:
        await _INSERT.execute(connection, rows=Jsonb(rows))
    except psycopg.errors.UniqueViolation as problem:
        raise ClientExistsError from problem


async def add_broker_changes(connection: Connection, sealed: Mapping[str, bytes]) -> None:
    """Queue clients with their sealed secrets for the broker, behind whatever somebody waits for."""
    rows = [{"id": client_id, "sealed": secret.hex()} for client_id, secret in sealed.items()]
    await _OUTBOX_ADD.execute(connection, rows=Jsonb(rows))


async def refused(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of these clients that the broker does not know, since it refused what it was told last."""
    return set(await _REFUSED.fetch_all(connection, ids=list(ids)))

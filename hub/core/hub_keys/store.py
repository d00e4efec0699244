"""The public halves of the hub's keys."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.hub_keys.tables import DataKey, HubKey
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class Known(msgspec.Struct, frozen=True):
    """A key of the hub."""

    purpose: str
    public_key: str


_LOCK = Statement("core/hub_keys", "lock")
_IN_USE = Statement("core/hub_keys", "in_use", bool)
_KNOWN = select(*model.columns(Known, HubKey))


class KnownData(msgspec.Struct, frozen=True):
    """A key that seals."""

    kid: str
    fingerprint: str


_KNOWN_DATA = select(*model.columns(KnownData, DataKey)).order_by(col(DataKey.number).desc())


async def known_data(connection: Connection) -> dict[str, str]:
    """The fingerprints of the keys that seal, by their ids, the newest first."""
    return {row.kid: row.fingerprint for row in await model.fetch_all(connection, _KNOWN_DATA, KnownData)}


async def record_data(connection: Connection, keys: Sequence[KnownData]) -> None:
    """Let these keys seal, too, the last of them from now on. Needs a transaction with the lock."""
    for key in keys:
        new = insert(DataKey).values(kid=key.kid, fingerprint=key.fingerprint, since=NOW)
        await model.execute(connection, new.on_conflict_do_nothing(index_elements=["kid"]))


async def forget_data(connection: Connection, kids: Sequence[str]) -> None:
    """Miss these keys no longer. Needs a transaction with the lock."""
    await model.execute(connection, delete(DataKey).where(model.among(col(DataKey.kid), kids)))


async def lock(connection: Connection) -> None:
    """Keep other processes from deciding about keys until the transaction ends."""
    await _LOCK.execute(connection)


async def known(connection: Connection) -> dict[str, str]:
    """The public keys by purpose; none in a database that no hub of this version has used."""
    return {row.purpose: row.public_key for row in await model.fetch_all(connection, _KNOWN, Known)}


async def in_use(connection: Connection) -> bool:
    """Whether clients or users are there, who rely on keys of before."""
    return bool(await _IN_USE.fetch_one(connection))


async def record(connection: Connection, public_keys: Mapping[str, str]) -> None:
    """Make these the hub's keys. Needs a transaction with the lock."""
    for purpose, public_key in public_keys.items():
        new = insert(HubKey).values(purpose=purpose, public_key=public_key, since=NOW)
        changed = {"public_key": new.excluded.public_key, "since": new.excluded.since}
        await model.execute(connection, new.on_conflict_do_update(index_elements=["purpose"], set_=changed))

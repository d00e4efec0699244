"""The public halves of the hub's keys."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from hub.core.hub_keys.tables import HubKey
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

"""Saying in the audit trail that the database was restored: a seal that only who has the audit key can make."""

from pathlib import Path
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg.rows import DictRow

from hub.core.audit.rules.chain import Noted, Seal, sealed
from hub.core.audit.service.anchor import Anchor
from hub.core.audit.service.keys import FILE
from hub.database.statements import statement
from hub.errors import SetupError
from hub.keys import read_seed
from hub.programs.backup import server
from schemas.signing import Signer

_PLACE = "core/audit/seals"


def seal_restore(restored: str, before: str | None, keys: Path, folder: Path) -> None:
    """Add the seal to the chain of a restored database (a URL), whose keys lie in the folder `keys`. Which seals are
    lost says the database of `before`, or else what the data folder notes. A backup of a version that had no seals gets
    none. Raises SetupError and psycopg.Error."""
    seed = read_seed(keys / FILE)
    with server.connected(restored) as connection:
        if seed is None or not server.rows(connection, "has_seals")[0]["has"]:
            return
        last = _last(connection)
        noted = [one for one in (_noted(folder), _end_of(before)) if one is not None]
        lost = max(noted, default=last.noted if last is not None else None, key=lambda one: one.number)
        content: dict[str, Any] = {"number": 0, "hash": "", "recorded": True}
        if lost is not None:
            content |= {"number": lost.number, "hash": lost.hash.hex()}
        now = server.rows(connection, "now")[0]["now"]
        seal = sealed(Signer(seed), last, now, kind="restore", content=content)
        connection.execute(statement(_PLACE, "append"), msgspec.structs.asdict(seal))


def _last(connection: Connection[DictRow]) -> Seal | None:
    found = connection.execute(statement(_PLACE, "last")).fetchone()
    return None if found is None else msgspec.convert(found, Seal)


def _end_of(database: str | None) -> Noted | None:
    """The last seal of a database; None: it has none, or cannot be asked."""
    if database is None:
        return None
    try:
        with server.connected(database) as connection:
            found = _last(connection)
    except (psycopg.Error, SetupError):
        return None
    return None if found is None else found.noted


def _noted(folder: Path) -> Noted | None:
    """What a data folder notes; what is damaged says nothing."""
    try:
        return Anchor(folder).read()
    except SetupError:
        return None

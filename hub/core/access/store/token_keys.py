"""What access tokens are signed with."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.access.tables import TokenKey
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW


class Sealed(msgspec.Struct, frozen=True):
    """A key, sealed."""

    kid: str
    sealed: bytes
    created_at: datetime


_ALL = select(*model.columns(Sealed, TokenKey)).order_by(col(TokenKey.created_at).desc(), col(TokenKey.kid)).limit(8)


async def newest(connection: Connection) -> list[Sealed]:
    """The newest keys, the newest first; older ones have signed nothing that is still valid."""
    return await model.fetch_all(connection, _ALL, Sealed)


async def add(connection: Connection, kid: str, sealed: bytes) -> None:
    """Store a key, which is the newest from now on."""
    await model.execute(connection, insert(TokenKey).values(kid=kid, sealed=sealed, created_at=NOW))

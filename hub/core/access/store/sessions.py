"""Sessions and their refresh tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement

_PLACE = "core/access/sessions"


class SessionHolder(msgspec.Struct, frozen=True):
    """A living session, and the person that it stands for. `now` is the hub's clock at the look-up."""

    id: UUID
    kind: str
    name: str
    role: str
    reach: str
    login: str
    session_id: UUID
    session_kind: str
    expires_at: datetime
    confirmed_at: datetime
    confirmed: bool
    stale: bool
    """Whether it was not written for a while that it is used."""
    now: datetime


class Entry(msgspec.Struct, frozen=True):
    """A living session in the list of its person."""

    id: UUID
    kind: str
    address: str | None
    user_agent: str | None
    screen_id: str | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class OfToken(msgspec.Struct, frozen=True):
    """The session that a refresh token belongs to."""

    session_id: UUID
    principal_id: UUID
    now: datetime


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session to be stored."""

    id: UUID
    principal_id: UUID
    kind: str
    cookie_sha256: bytes | None = None
    screen_id: str | None = None
    address: str | None = None
    user_agent: str | None = None
    lasts: timedelta


_BY_ID = Statement(_PLACE, "by_id", SessionHolder)
_BY_COOKIE = Statement(_PLACE, "by_cookie", SessionHolder)
_INSERT = Statement(_PLACE, "insert_session", datetime)
_TOUCH = Statement(_PLACE, "touch")
_CONFIRM = Statement(_PLACE, "confirm")
_END = Statement(_PLACE, "end_session")
_END_ALL = Statement(_PLACE, "end_sessions")
_END_OLDEST = Statement(_PLACE, "end_oldest")
_LIST = Statement(_PLACE, "list_sessions", Entry)
_INSERT_TOKEN = Statement(_PLACE, "insert_refresh_token")
_ROTATE = Statement(_PLACE, "rotate", OfToken)
_REUSED = Statement(_PLACE, "reused", OfToken)
_OF_TOKEN = Statement(_PLACE, "of_refresh_token", OfToken)


async def by_id(connection: Connection, session_id: UUID) -> SessionHolder | None:
    """A session that lives."""
    return await _BY_ID.fetch_one(connection, id=session_id)


async def by_cookie(connection: Connection, sha256: bytes) -> SessionHolder | None:
    """The living session of a page, by the hash of its cookie."""
    return await _BY_COOKIE.fetch_one(connection, sha256=sha256)


async def insert(connection: Connection, new: NewSession) -> datetime:
    """Store a session; when it ends at the latest."""
    expires_at = await _INSERT.fetch_one(connection, **msgspec.structs.asdict(new))
    assert expires_at is not None  # noqa: S101 - an insert always answers with its row
    return expires_at


async def touch(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """Record that sessions were used just now."""
    await _TOUCH.execute(connection, ids=list(session_ids))


async def confirm(connection: Connection, session_id: UUID) -> None:
    """Record that the password was given again."""
    await _CONFIRM.execute(connection, id=session_id)


async def end(connection: Connection, session_id: UUID, principal_id: UUID, by: str) -> bool:
    """End one session of somebody; False when there is none that lives."""
    return await _END.execute(connection, id=session_id, principal_id=principal_id, by=by) > 0


async def end_all(connection: Connection, principal_id: UUID, by: str, *, but: UUID | None = None) -> int:
    """End all sessions of somebody, but for one; how many."""
    return await _END_ALL.execute(connection, principal_id=principal_id, by=by, but=but)


async def end_oldest(connection: Connection, principal_id: UUID, most: int) -> None:
    """End those beyond the newest so many of somebody."""
    await _END_OLDEST.execute(connection, principal_id=principal_id, most=most)


async def living(connection: Connection, principal_id: UUID, most: int) -> list[Entry]:
    """The sessions of somebody that live, the one used last first."""
    return await _LIST.fetch_all(connection, principal_id=principal_id, most=most)


async def insert_token(connection: Connection, sha256: bytes, session_id: UUID, lasts: timedelta) -> None:
    """Store the first refresh token of a session."""
    await _INSERT_TOKEN.execute(connection, sha256=sha256, session_id=session_id, lasts=lasts)


async def rotate(
    connection: Connection, old: bytes, new: bytes, screen_id: str | None, lasts: timedelta
) -> OfToken | None:
    """Use a refresh token and store its successor, in one statement; None when it may not be used."""
    return await _ROTATE.fetch_one(connection, old=old, new=new, screen_id=screen_id, lasts=lasts)


async def reused(connection: Connection, sha256: bytes) -> OfToken | None:
    """The living session of a token that was used before, longer ago than an answer travels."""
    return await _REUSED.fetch_one(connection, sha256=sha256)


async def of_token(connection: Connection, sha256: bytes) -> OfToken | None:
    """The session, which has not ended, of a refresh token, used or not."""
    return await _OF_TOKEN.fetch_one(connection, sha256=sha256)

"""The audit trail and security events, page by page."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows of the trail are wanted; None: all. `text` stands anywhere in a row, in any case."""

    principal_id: UUID | None = None
    action: str | None = None
    resource: str | None = None
    resource_id: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class SecurityFilter:
    """Which security events are wanted; None: all."""

    severity: str | None = None
    kind: str | None = None
    client_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Entry(msgspec.Struct, frozen=True):
    """A row of the trail, with the name of who did it, and of the user or integration that it is about."""

    id: int
    at: datetime
    principal_id: UUID | None
    principal: str | None
    action: str
    resource: str
    resource_id: str | None
    resource_name: str | None
    address: str | None
    detail: Mapping[str, Any] | None
    erased: bool


class SecurityEntry(msgspec.Struct, frozen=True):
    """A security event, or how many of one kind."""

    id: int
    at: datetime
    kind: str
    severity: str
    principal_id: UUID | None
    principal: str | None
    client_id: str | None
    address: str | None
    detail: Mapping[str, Any] | None
    number: int


class Named(msgspec.Struct, frozen=True):
    """A principal whose data is to be erased."""

    id: UUID
    name: str
    login: str | None
    disabled: bool


_PLACE = "features/audit_trail"
_PAGE = Statement(_PLACE, "page", Entry, fresh_plan=True)
_FOLLOWING = Statement(_PLACE, "following", Entry, fresh_plan=True)
_NEWEST = Statement(_PLACE, "newest", int)
_ONE = Statement(_PLACE, "one", Entry)
_SECURITY_PAGE = Statement(_PLACE, "security_page", SecurityEntry, fresh_plan=True)
_PRINCIPAL = Statement(_PLACE, "principal", Named)
_FORGET_NAME = Statement(_PLACE, "forget_name")


async def page(connection: Connection, wanted: Filter, before: int | None, most: int) -> list[Entry]:
    """Rows below a number, newest first."""
    return await _PAGE.fetch_all(connection, before=before, most=most, **asdict(wanted))


async def following(connection: Connection, wanted: Filter, after: int, last: int, most: int) -> list[Entry]:
    """Rows above a number and up to another, oldest first."""
    return await _FOLLOWING.fetch_all(connection, after=after, last=last, most=most, **asdict(wanted))


async def newest(connection: Connection) -> int:
    """The highest number of a row; 0: there is none."""
    return await _NEWEST.fetch_one(connection) or 0


async def one(connection: Connection, number: int) -> Entry | None:
    """The row of a number."""
    return await _ONE.fetch_one(connection, id=number)


async def security_page(
    connection: Connection, wanted: SecurityFilter, before: int | None, most: int
) -> list[SecurityEntry]:
    """Security events below a number, newest first."""
    return await _SECURITY_PAGE.fetch_all(connection, before=before, most=most, **asdict(wanted))


async def principal(connection: Connection, name: str) -> Named | None:
    """A principal by its id, its name, or what it signs in with."""
    return await _PRINCIPAL.fetch_one(connection, name=name)


async def forget_name(connection: Connection, principal_id: UUID) -> None:
    """Give a principal that is disabled a name that says nothing."""
    await _FORGET_NAME.execute(connection, id=principal_id)

"""People, their passwords' hashes, and secrets that are good once."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement

_PLACE = "core/access/people"
FIRST = UUID(int=0)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person as administrators see him."""

    id: UUID
    name: str
    login: str
    role: str
    reach: str
    disabled: bool
    has_password: bool
    created_at: datetime
    updated_at: datetime
    password_changed_at: datetime | None
    seen_at: datetime | None


class Known(msgspec.Struct, frozen=True):
    """A person who may want to sign in."""

    id: UUID
    login: str
    password_hash: str | None
    password_changed_at: datetime | None
    disabled: bool


class Link(msgspec.Struct, frozen=True):
    """A secret that is good once; `principal_id` says whose password it sets."""

    sha256: bytes
    principal_id: UUID | None


_GET = Statement(_PLACE, "get_person", Person)
_LIST = Statement(_PLACE, "list_people", Person, fresh_plan=True)
_FIND = Statement(_PLACE, "find_person", Known)
_FIND_BY_ID = Statement(_PLACE, "find_person_by_id", Known)
_INSERT_PRINCIPAL = Statement(_PLACE, "insert_principal")
_INSERT_USER = Statement(_PLACE, "insert_user")
_NAME_TAKEN = Statement(_PLACE, "name_taken", bool)
_LOGIN_TAKEN = Statement(_PLACE, "login_taken", bool)
_LOCK = Statement(_PLACE, "lock_people")
_OTHERS = Statement(_PLACE, "other_administrators", int)
_CHANGE_PRINCIPAL = Statement(_PLACE, "change_principal")
_CHANGE_USER = Statement(_PLACE, "change_user")
_SET_PASSWORD = Statement(_PLACE, "set_password")
_REPLACE_PASSWORD = Statement(_PLACE, "replace_password")
_HOLD_PASSWORD = Statement(_PLACE, "hold_password", UUID)
_REHASH = Statement(_PLACE, "rehash")
_INSERT_LINK = Statement(_PLACE, "insert_link", datetime)
_SPEND_LINK = Statement(_PLACE, "spend_link", Link)
_FIND_LINK = Statement(_PLACE, "find_link", Link)
_DROP_LINKS = Statement(_PLACE, "drop_links")


async def get(connection: Connection, person_id: UUID) -> Person | None:
    """One person."""
    return await _GET.fetch_one(connection, id=person_id)


async def page(connection: Connection, *, login: str | None, after: UUID | None, limit: int) -> list[Person]:
    """People in order of their ids; with `login` the one of this login."""
    return await _LIST.fetch_all(connection, login=login, after=after or FIRST, limit=limit)


async def by_login(connection: Connection, login: str) -> Known | None:
    """Who has a login, also one who may not sign in."""
    return await _FIND.fetch_one(connection, login=login)


async def by_id(connection: Connection, person_id: UUID) -> Known | None:
    """The same by the id."""
    return await _FIND_BY_ID.fetch_one(connection, id=person_id)


async def insert(
    connection: Connection, *, person_id: UUID, name: str, login: str, role: str, reach: str, password_hash: str | None
) -> None:
    """Store a person whose name and login are free. Needs `lock`."""
    await _INSERT_PRINCIPAL.execute(connection, id=person_id, name=name, role=role, reach=reach)
    await _INSERT_USER.execute(connection, id=person_id, login=login, password_hash=password_hash)


async def name_taken(connection: Connection, name: str, person_id: UUID) -> bool:
    """Whether another principal has a name."""
    return bool(await _NAME_TAKEN.fetch_one(connection, name=name, id=person_id))


async def login_taken(connection: Connection, login: str, person_id: UUID) -> bool:
    """Whether another person has a login."""
    return bool(await _LOGIN_TAKEN.fetch_one(connection, login=login, id=person_id))


async def lock(connection: Connection) -> None:
    """Be the only one who changes people, until the transaction ends."""
    await _LOCK.execute(connection)


async def administrators(connection: Connection, *, but: UUID | None = None) -> int:
    """How many administrators can sign in, without one of them."""
    return int(await _OTHERS.fetch_one(connection, id=but) or 0)


async def change(connection: Connection, person: Person) -> None:
    """Store name, login, role, reach and whether he is disabled. Needs `lock`."""
    await _CHANGE_PRINCIPAL.execute(
        connection, id=person.id, name=person.name, role=person.role, reach=person.reach, disabled=person.disabled
    )
    await _CHANGE_USER.execute(connection, id=person.id, login=person.login)


async def set_password(connection: Connection, person_id: UUID, password_hash: str) -> None:
    """Another password."""
    await _SET_PASSWORD.execute(connection, id=person_id, password_hash=password_hash)


async def replace_password(connection: Connection, person: Known, password_hash: str) -> bool:
    """Another password of a person as he was read; False when it was changed since then."""
    changed_at = person.password_changed_at
    return (
        await _REPLACE_PASSWORD.execute(connection, id=person.id, password_hash=password_hash, changed_at=changed_at)
        > 0
    )


async def hold_password(connection: Connection, person: Known) -> bool:
    """Whether a person as he was read may still sign in with that password; until the transaction ends nobody changes
    it, and whoever disables him waits. Needs a transaction."""
    if await _HOLD_PASSWORD.fetch_one(connection, id=person.id, changed_at=person.password_changed_at) is None:
        return False
    now = await by_id(connection, person.id)
    return now is not None and not now.disabled


async def rehash(connection: Connection, person_id: UUID, old: str, new: str) -> None:
    """The same password under other parameters."""
    await _REHASH.execute(connection, id=person_id, old=old, new=new)


async def insert_link(
    connection: Connection, sha256: bytes, purpose: str, principal_id: UUID | None, lasts: timedelta
) -> datetime:
    """Store a secret that is good once; until when."""
    found = await _INSERT_LINK.fetch_one(
        connection, sha256=sha256, purpose=purpose, principal_id=principal_id, lasts=lasts
    )
    assert found is not None  # noqa: S101 - an insert always answers with its row
    return found


async def find_link(connection: Connection, sha256: bytes, purpose: str) -> Link | None:
    """A secret that is still good."""
    return await _FIND_LINK.fetch_one(connection, sha256=sha256, purpose=purpose)


async def spend_link(connection: Connection, sha256: bytes, purpose: str) -> Link | None:
    """Use a secret up: of those who use it at the same time, one gets it."""
    return await _SPEND_LINK.fetch_one(connection, sha256=sha256, purpose=purpose)


async def drop_links(connection: Connection, purpose: str, principal_id: UUID | None) -> None:
    """Make all secrets of a purpose, and of somebody, useless."""
    await _DROP_LINKS.execute(connection, purpose=purpose, principal_id=principal_id)

"""People: who may sign in, as which role, and the first of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from hub import tokens
from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller, is_login, login_of
from hub.core.access.service.granting import Standing, require_may_sign_in, require_may_widen
from hub.core.access.service.passwords import Passwords, require_good
from hub.core.access.service.sessions import MOST_SESSIONS, Actor, PageSession, Sessions, Visitor, end_all
from hub.core.access.store import people as store
from hub.core.access.store import sessions
from hub.core.access.store.people import Link, Person
from hub.core.access.store.sessions import Entry
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError
from hub.keys import hash_secret

LINK_LASTS = timedelta(hours=24)
FIRST, PASSWORD = "first_administrator", "password"
"""Purposes of links."""
_AUDITED = ("name", "login", "role", "reach", "disabled")


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody who shall be able to sign in."""

    login: str
    name: str | None
    role: str
    reach: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class NewLink:
    """A secret that is shown once, and until when it is good."""

    token: str
    expires_at: datetime


class People:
    """The service."""

    def __init__(
        self, database: Database, sessions: Sessions, passwords: Passwords, *, new_id: Callable[[], UUID] = uuid7
    ) -> None:
        self._database = database
        self._sessions = sessions
        self._passwords = passwords
        self._new_id = new_id

    # --- the first administrator -------------------------------------------------------------------------

    async def has_administrator(self) -> bool:
        """Whether an administrator can sign in."""
        async with self._database.connection() as connection:
            return await store.administrators(connection) > 0

    async def first_link(self) -> NewLink | None:
        """A secret for whoever becomes the first administrator; None when there is one."""
        async with self._database.transaction() as connection:
            await store.lock(connection)
            if await store.administrators(connection):
                await store.drop_links(connection, FIRST, None)
                return None
            return await _new_link(connection, FIRST, None)

    async def become_first(self, token: str, new: NewPerson, visitor: Visitor, *, plain: bool) -> PageSession:
        """Make the first administrator of whoever has the link, and sign him in as a page. Raises ConflictError when
        there is one, RejectedError."""
        hashed = _hashed_link(token)
        async with self._database.connection() as connection:
            if await store.administrators(connection):
                raise ConflictError("first_administrator_exists")
            if hashed is None or await store.find_link(connection, hashed, FIRST) is None:
                raise RejectedError("link_not_valid", variant=FIRST)
        login, password_hash = await self._checked(new)
        async with self._database.transaction() as connection:
            await store.lock(connection)
            if await store.administrators(connection):
                raise ConflictError("first_administrator_exists")
            if hashed is None or await store.spend_link(connection, hashed, FIRST) is None:
                raise RejectedError("link_not_valid", variant=FIRST)
            await store.drop_links(connection, FIRST, None)
            person_id = self._new_id()
            await self._insert(connection, Actor(person_id, visitor.address), person_id, new, login, password_hash)
            return await self._sessions.begin_page(connection, person_id, visitor, plain=plain)

    # --- administration ----------------------------------------------------------------------------------

    async def create(self, caller: Caller, new: NewPerson) -> Person:
        """A new person, with or without a password. Raises ConflictError when name or login is taken,
        RejectedError."""
        login, password_hash = await self._checked(new)
        person_id = self._new_id()
        async with self._database.transaction() as connection:
            await store.lock(connection)
            await require_may_sign_in(connection, caller, new.role, granted_nothing=new.reach == "granted")
            await self._insert(connection, caller, person_id, new, login, password_hash)
            return await _required(connection, person_id)

    async def get(self, person_id: UUID) -> Person:
        """One person. Raises NotFoundError."""
        async with self._database.connection() as connection:
            return await _required(connection, person_id)

    async def page(self, *, login: str | None = None, after: UUID | None, limit: int) -> Page[Person, UUID]:
        """Up to `limit` people in order of their ids; with `login` the one of this login."""
        wanted = None if login is None else login_of(login)
        async with self._database.connection() as connection:
            rows = await store.page(connection, login=wanted, after=after, limit=limit + 1)
        return Page.of(rows, limit, lambda person: person.id)

    async def change(self, caller: Caller, person_id: UUID, changes: Mapping[str, Any]) -> Person:
        """Change name, login, role, reach or `disabled`. Who is disabled is signed out. Raises NotFoundError,
        ConflictError, and RejectedError for what would leave no administrator."""
        require_storable(**changes)
        async with self._database.transaction() as connection:
            await store.lock(connection)
            before = await _required(connection, person_id)
            after = msgspec.structs.replace(before, **changes)
            if after.role == "admin" and after.reach != "all":
                if changes.get("reach") == "granted":
                    raise RejectedError("validation_error", fields=(FieldProblem("reach", "administrator_reach"),))
                after = msgspec.structs.replace(after, reach="all")
            after = msgspec.structs.replace(after, login=_login(after.login))
            await require_may_widen(connection, caller, _standing(before), _standing(after), enabled_by="disabled")
            await self._require_free(connection, after.name, after.login, person_id)
            steps_down = _administers(before) and not _administers(after)
            if steps_down and not await store.administrators(connection, but=person_id):
                raise ConflictError("last_administrator", login=before.login)
            changed = {name for name in _AUDITED if getattr(before, name) != getattr(after, name)}
            if changed:
                await store.change(connection, after)
                detail = {"before": _some(before, changed), "after": _some(after, changed)}
                await audit.record(connection, caller, "user.update", "user", str(person_id), detail)
            if after.disabled and not before.disabled:
                await store.drop_links(connection, PASSWORD, person_id)
                await end_all(connection, caller, person_id, "user_disabled")
            return await _required(connection, person_id)

    async def set_password(self, caller: Caller, person_id: UUID, password: str) -> None:
        """Another password of somebody, who is signed out with it. Raises NotFoundError, RejectedError."""
        person = await self.get(person_id)
        require_good(password, person.login, "password")
        hashed = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            await store.lock(connection)
            person = await _required(connection, person_id)
            await require_may_sign_in(connection, caller, person.role, granted_nothing=False)
            await self._set(connection, caller, person_id, hashed, "administrator")

    async def recover(self, actor: audit.Actor, person_id: UUID, password: str) -> Person:
        """Another password of somebody, who is enabled, by whoever has the hub's machine. Raises NotFoundError,
        RejectedError."""
        person = await self.get(person_id)
        require_good(password, person.login, "password")
        hashed = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            await store.lock(connection)
            before = await _required(connection, person_id)
            if before.disabled:
                await store.change(connection, msgspec.structs.replace(before, disabled=False))
                detail = {"before": {"disabled": True}, "after": {"disabled": False}}
                await audit.record(connection, actor, "user.update", "user", str(person_id), detail)
            await self._set(connection, actor, person_id, hashed, "host")
            return await _required(connection, person_id)

    async def by_login(self, login: str) -> Person:
        """Who has a login. Raises NotFoundError."""
        async with self._database.connection() as connection:
            found = await store.by_login(connection, login_of(login))
            if found is None:
                raise NotFoundError("user_not_found", user_id=login_of(login))
            return await _required(connection, found.id)

    async def sessions_of(self, person_id: UUID) -> list[Entry]:
        """The living sessions of somebody. Raises NotFoundError."""
        async with self._database.connection() as connection:
            await _required(connection, person_id)
            return await sessions.living(connection, person_id, MOST_SESSIONS)

    async def end_sessions(self, actor: audit.Actor, person_id: UUID) -> None:
        """Sign somebody out everywhere. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            await _required(connection, person_id)
            await end_all(connection, actor, person_id, "administrator")

    async def password_link(self, caller: Caller, person_id: UUID) -> NewLink:
        """A secret with which somebody sets his password, once; one of before is no good any more. Raises
        NotFoundError, ConflictError."""
        async with self._database.transaction() as connection:
            await store.lock(connection)
            person = await _required(connection, person_id)
            await require_may_sign_in(connection, caller, person.role, granted_nothing=False)
            if person.disabled:
                raise ConflictError("user_disabled", login=person.login)
            await store.drop_links(connection, PASSWORD, person_id)
            await audit.record(connection, caller, "user.password_link", "user", str(person_id))
            return await _new_link(connection, PASSWORD, person_id)

    async def redeem(self, token: str, password: str, visitor: Visitor) -> None:
        """Set the password that a link is for. Raises RejectedError."""
        hashed = _hashed_link(token)
        async with self._database.connection() as connection:
            link = None if hashed is None else await store.find_link(connection, hashed, PASSWORD)
            person = (
                None if link is None or link.principal_id is None else await store.get(connection, link.principal_id)
            )
        if hashed is None or person is None or person.disabled:
            raise RejectedError("link_not_valid", variant=PASSWORD)
        require_good(password, person.login, "password")
        password_hash = await self._passwords.hash(password)
        async with self._database.transaction() as connection:
            spent: Link | None = await store.spend_link(connection, hashed, PASSWORD)
            if spent is None:
                raise RejectedError("link_not_valid", variant=PASSWORD)
            await self._set(connection, Actor(person.id, visitor.address), person.id, password_hash, "link")

    # --- parts -------------------------------------------------------------------------------------------

    async def _set(
        self, connection: Connection, actor: audit.Actor, person_id: UUID, password_hash: str, by: str
    ) -> None:
        await store.set_password(connection, person_id, password_hash)
        await store.drop_links(connection, PASSWORD, person_id)
        await audit.record(connection, actor, "user.password", "user", str(person_id), {"by": by})
        await end_all(connection, actor, person_id, "password_changed")

    async def _checked(self, new: NewPerson) -> tuple[str, str | None]:
        """The login as it is kept, and the password's hash."""
        require_storable(name=new.name)
        login = _login(new.login)
        if new.role == "admin" and new.reach != "all":
            raise RejectedError("validation_error", fields=(FieldProblem("reach", "administrator_reach"),))
        if new.password is None:
            return login, None
        require_good(new.password, login, "password")
        return login, await self._passwords.hash(new.password)

    async def _insert(
        self,
        connection: Connection,
        actor: audit.Actor,
        person_id: UUID,
        new: NewPerson,
        login: str,
        password_hash: str | None,
    ) -> None:
        name = new.name or await self._free_name(connection, login, person_id)
        await self._require_free(connection, name, login, person_id)
        await store.insert(
            connection,
            person_id=person_id,
            name=name,
            login=login,
            role=new.role,
            reach=new.reach,
            password_hash=password_hash,
        )
        detail = {"after": {"name": name, "login": login, "role": new.role, "reach": new.reach}}
        await audit.record(connection, actor, "user.create", "user", str(person_id), detail)

    @staticmethod
    async def _free_name(connection: Connection, login: str, person_id: UUID) -> str:
        """The login, unless something else is called so, such as the principal of the first key."""
        name, number = login, 1
        while await store.name_taken(connection, name, person_id):
            number += 1
            name = f"{login} ({number})"
        return name

    @staticmethod
    async def _require_free(connection: Connection, name: str, login: str, person_id: UUID) -> None:
        if await store.login_taken(connection, login, person_id):
            raise ConflictError("login_taken", login=login)
        if await store.name_taken(connection, name, person_id):
            raise ConflictError("name_taken", name=name)


async def _required(connection: Connection, person_id: UUID) -> Person:
    person = await store.get(connection, person_id)
    if person is None:
        raise NotFoundError("user_not_found", user_id=person_id)
    return person


async def _new_link(connection: Connection, purpose: str, person_id: UUID | None) -> NewLink:
    token = tokens.new_token(tokens.LINK)
    expires_at = await store.insert_link(connection, hash_secret(token), purpose, person_id, LINK_LASTS)
    return NewLink(token, expires_at)


def _hashed_link(token: str) -> bytes | None:
    return hash_secret(token) if tokens.is_token(token, tokens.LINK) else None


def _login(text: str) -> str:
    login = login_of(text)
    if not is_login(login):
        raise RejectedError("validation_error", fields=(FieldProblem("login", "login"),))
    return login


def _standing(person: Person) -> Standing:
    return Standing(person.role, person.reach, person.disabled)


def _administers(person: Person) -> bool:
    return person.role == "admin" and not person.disabled and person.has_password


def _some(person: Person, names: set[str]) -> dict[str, Any]:
    return {name: getattr(person, name) for name in _AUDITED if name in names}

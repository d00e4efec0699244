"""Signing in and out: sessions of pages and of programs, and their refresh tokens."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from hub import tokens
from hub.api.text import clean_text, normal
from hub.core.access.rules import Caller, login_of
from hub.core.access.service.passwords import Passwords, require_good
from hub.core.access.service.throttle import Throttle
from hub.core.access.service.tokens import AccessTokens
from hub.core.access.store import people
from hub.core.access.store import sessions as store
from hub.core.access.store.people import Known
from hub.core.access.store.sessions import Entry, NewSession, OfToken
from hub.core.access.telemetry import Event
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import FieldProblem, NotFoundError, RejectedError
from hub.keys import hash_secret
from hub.telemetry.log import Log

PAGE_LASTS = timedelta(hours=12)
PLAIN_PAGE_LASTS = timedelta(hours=1)
"""Of a page that this machine shows without TLS: other programs here may read its cookie."""
PROGRAM_LASTS = timedelta(days=30)
REFRESH_LASTS = timedelta(hours=24)
MOST_SESSIONS = 50
"""Of one person; with more, the one that was used least lately ends."""
_LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Visitor:
    """From where somebody signs in."""

    address: str | None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who signed in, or tried to (None: somebody unknown); what audit rows name."""

    principal_id: UUID | None
    address: str | None


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a program gets."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class PageSession:
    """What a page gets: the cookie's value is shown to the browser only."""

    cookie: str
    expires_at: datetime
    session_id: UUID
    principal_id: UUID


class Sessions:
    """The service."""

    def __init__(
        self,
        database: Database,
        access_tokens: AccessTokens,
        passwords: Passwords,
        log: Log,
        *,
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self._database = database
        self._tokens = access_tokens
        self._passwords = passwords
        self._throttle = Throttle(database)
        self._log = log
        self._new_id = new_id

    # --- signing in --------------------------------------------------------------------------------------

    async def sign_in(self, login: str, password: str, visitor: Visitor, screen_id: str | None = None) -> TokenPair:
        """Tokens for a program. Raises RejectedError `login_failed`, which tells nothing about why, and
        `too_many_attempts`."""
        person = await self._person(login, password, visitor)
        refresh = tokens.new_token(tokens.REFRESH)
        async with self._database.transaction() as connection:
            await _hold(connection, person)
            session_id = await self._begin(connection, person.id, visitor, kind="token", screen_id=screen_id)
            await store.insert_token(connection, hash_secret(refresh), session_id, REFRESH_LASTS)
            now = await self._database.now(connection)
        return TokenPair(self._tokens.issue(person.id, session_id, now), refresh)

    async def sign_in_page(
        self, login: str, password: str, visitor: Visitor, *, plain: bool, before: str | None = None
    ) -> PageSession:
        """A session for a page; the one whose cookie it showed `before` ends. `plain`: without TLS. Raises as
        `sign_in` does."""
        person = await self._person(login, password, visitor)
        async with self._database.transaction() as connection:
            await _hold(connection, person)
            return await self.begin_page(connection, person.id, visitor, plain=plain, before=before)

    async def begin_page(
        self, connection: Connection, person_id: UUID, visitor: Visitor, *, plain: bool, before: str | None = None
    ) -> PageSession:
        """A session for a page of somebody who has just shown who he is. Needs a transaction."""
        cookie = secrets.token_urlsafe(32)
        if before is not None and (old := await store.by_cookie(connection, hash_cookie(before))) is not None:
            await store.end(connection, old.session_id, old.id, "replaced")
        lasts = PLAIN_PAGE_LASTS if plain else PAGE_LASTS
        session_id = self._new_id()
        new = NewSession(
            id=session_id,
            principal_id=person_id,
            kind="page",
            cookie_sha256=hash_cookie(cookie),
            address=visitor.address,
            user_agent=_shortened(visitor.user_agent),
            lasts=lasts,
        )
        expires_at = await self._store(connection, new, visitor)
        return PageSession(cookie, expires_at, session_id, person_id)

    async def _begin(
        self, connection: Connection, person_id: UUID, visitor: Visitor, *, kind: str, screen_id: str | None
    ) -> UUID:
        session_id = self._new_id()
        new = NewSession(
            id=session_id,
            principal_id=person_id,
            kind=kind,
            screen_id=screen_id,
            address=visitor.address,
            user_agent=_shortened(visitor.user_agent),
            lasts=PROGRAM_LASTS,
        )
        await self._store(connection, new, visitor)
        return session_id

    async def _store(self, connection: Connection, new: NewSession, visitor: Visitor) -> datetime:
        expires_at = await store.insert(connection, new)
        await store.end_oldest(connection, new.principal_id, MOST_SESSIONS)
        actor = Actor(new.principal_id, visitor.address)
        await audit.record(connection, actor, "session.start", "session", str(new.id), {"kind": new.kind})
        self._log.info(Event.SESSION_STARTED, session_id=str(new.id), principal_id=str(new.principal_id), kind=new.kind)
        return expires_at

    async def _person(self, login: str, password: str, visitor: Visitor) -> Known:
        """Whose login and password these are. Whatever is wrong takes the same time, and leaves the same traces."""
        login = login_of(login)
        counted = await self._count(login, visitor.address)
        async with self._database.connection() as connection:
            person = await people.by_login(connection, login)
        hashed = None if person is None or person.disabled else person.password_hash
        if not await self._passwords.verify(hashed, password) or person is None or hashed is None:
            await self._failed(person, visitor, "session.start")
            raise RejectedError("login_failed")
        await self._throttle.forgive(counted)
        if self._passwords.is_outdated(hashed):
            new = await self._passwords.hash(password)
            async with self._database.connection() as connection:
                await people.rehash(connection, person.id, hashed, new)
        return person

    async def _count(self, login: str, address: str | None) -> Sequence[bytes]:
        """Count a try before the password is looked at; where, for whoever forgives it. Who has tried too often is
        somebody who guesses, which is a security event. Raises RejectedError `too_many_attempts`."""
        try:
            return await self._throttle.count(login, address)
        except RejectedError:
            async with self._database.connection() as connection:
                person = await people.by_login(connection, login)
                await audit.record_security(
                    connection,
                    "sign_in_guessed",
                    "warning",
                    principal_id=None if person is None else person.id,
                    address=address,
                )
            raise

    async def _failed(self, person: Known | None, visitor: Visitor, what: str) -> None:
        """Leave a trace of a wrong password. The login is not in it: people type their passwords there."""
        known = None if person is None else person.id
        async with self._database.connection() as connection:
            await audit.record(
                connection,
                Actor(known, visitor.address),
                f"{what}_failed",
                "user",
                "unknown" if known is None else str(known),
            )
        self._log.seldom(visitor.address).warning(
            Event.SIGN_IN_FAILED, address=visitor.address, principal_id=None if known is None else str(known)
        )

    # --- refresh tokens ----------------------------------------------------------------------------------

    async def refresh(self, token: str, visitor: Visitor, screen_id: str | None = None) -> TokenPair:
        """The next tokens for a refresh token, which is good once. Raises RejectedError `invalid_refresh_token`; a
        token that its holder has replaced long ago ends the session: one of two holders has stolen it."""
        if not tokens.is_token(token, tokens.REFRESH):
            raise RejectedError("invalid_refresh_token")
        successor = tokens.new_token(tokens.REFRESH)
        async with self._database.connection() as connection:
            used = await store.rotate(connection, hash_secret(token), hash_secret(successor), screen_id, REFRESH_LASTS)
            reused = await store.reused(connection, hash_secret(token)) if used is None else None
        if reused is not None:
            await self._revoke_family(reused, visitor)
        if used is None:
            raise RejectedError("invalid_refresh_token")
        return TokenPair(self._tokens.issue(used.principal_id, used.session_id, used.now), successor)

    async def _revoke_family(self, reused: OfToken, visitor: Visitor) -> None:
        actor = Actor(reused.principal_id, visitor.address)
        session = str(reused.session_id)
        async with self._database.transaction() as connection:
            if not await store.end(connection, reused.session_id, reused.principal_id, "refresh_reused"):
                return
            await audit.record(connection, actor, "session.end", "session", session, {"by": "refresh_reused"})
            await audit.record_security(
                connection,
                "refresh_reused",
                "warning",
                principal_id=reused.principal_id,
                address=visitor.address,
                detail={"session_id": session},
            )
        self._log.warning(Event.REFRESH_REUSED, session_id=session, principal_id=str(reused.principal_id))

    # --- signing out -------------------------------------------------------------------------------------

    async def end_by_token(self, token: str, visitor: Visitor) -> bool:
        """End the session that a refresh token belongs to; False when there is none."""
        if not tokens.is_token(token, tokens.REFRESH):
            return False
        async with self._database.transaction() as connection:
            found = await store.of_token(connection, hash_secret(token))
            if found is None:
                return False
            actor = Actor(found.principal_id, visitor.address)
            return await self._end(connection, actor, found.session_id, found.principal_id, "sign_out")

    async def end_current(self, caller: Caller) -> None:
        """Sign out."""
        if caller.session_id is not None:
            async with self._database.transaction() as connection:
                await self._end(connection, caller, caller.session_id, caller.principal_id, "sign_out")

    async def end(self, caller: Caller, session_id: UUID) -> None:
        """Sign out somewhere else. Raises NotFoundError for a session that is not his own, or has ended."""
        async with self._database.transaction() as connection:
            if not await self._end(connection, caller, session_id, caller.principal_id, "signed_out_there"):
                raise NotFoundError("session_not_found", session_id=session_id)

    async def end_others(self, caller: Caller) -> None:
        """Sign out everywhere else."""
        async with self._database.transaction() as connection:
            await end_all(connection, caller, caller.principal_id, "signed_out_there", but=caller.session_id)

    async def _end(self, connection: Connection, actor: audit.Actor, session_id: UUID, of: UUID, by: str) -> bool:
        ended = await store.end(connection, session_id, of, by)
        if ended:
            await audit.record(connection, actor, "session.end", "session", str(session_id), {"by": by})
        return ended

    async def living(self, caller: Caller) -> list[Entry]:
        """His sessions."""
        async with self._database.connection() as connection:
            return await store.living(connection, caller.principal_id, MOST_SESSIONS)

    async def current(self, caller: Caller) -> store.SessionHolder | None:
        """The session that he asks with."""
        if caller.session_id is None:
            return None
        async with self._database.connection() as connection:
            return await store.by_id(connection, caller.session_id)

    # --- the password ------------------------------------------------------------------------------------

    async def confirm(self, caller: Caller, session_id: UUID, password: str) -> None:
        """Take the password again, for dangerous acts of the next minutes. Raises RejectedError as `sign_in` does."""
        await self._own_password(caller, password)
        async with self._database.transaction() as connection:
            await store.confirm(connection, session_id)
            await audit.record(connection, caller, "session.confirm", "session", str(session_id))

    async def change_password(self, caller: Caller, current: str, new: str, *, field: str) -> None:
        """Another password; his other sessions end. Raises RejectedError; `field` is what the request calls the new
        one."""
        person = await self._own_password(caller, current)
        require_good(new, person.login, field)
        # Nobody compares where somebody else sets a password: it would tell whether a guess is right.
        if normal(new) == normal(current):
            raise RejectedError("validation_error", fields=(FieldProblem(field, "password_unchanged"),))
        hashed = await self._passwords.hash(new)
        async with self._database.transaction() as connection:
            if not await people.replace_password(connection, person, hashed):
                raise RejectedError("wrong_password")
            await people.drop_links(connection, "password", person.id)
            await audit.record(connection, caller, "user.password", "user", str(person.id), {"by": "self"})
            await end_all(connection, caller, person.id, "password_changed", but=caller.session_id)

    async def _own_password(self, caller: Caller, password: str) -> Known:
        async with self._database.connection() as connection:
            person = await people.by_id(connection, caller.principal_id)
        if person is None:
            raise RejectedError("people_only")
        counted = await self._count(person.login, caller.address)
        if not await self._passwords.verify(person.password_hash, password):
            await self._failed(person, Visitor(caller.address), "session.confirm")
            raise RejectedError("wrong_password")
        await self._throttle.forgive(counted)
        return person


async def _hold(connection: Connection, person: Known) -> None:
    """Keep the password that somebody has just given until the transaction ends. Raises RejectedError `login_failed`
    when it was changed, or he was disabled, meanwhile: sessions of before ended then, and this would outlive that."""
    if not await people.hold_password(connection, person):
        raise RejectedError("login_failed")


async def end_all(
    connection: Connection, actor: audit.Actor, principal_id: UUID, by: str, *, but: UUID | None = None
) -> None:
    """End all sessions of somebody, but for one. Needs a transaction."""
    ended = await store.end_all(connection, principal_id, by, but=but)
    if ended:
        detail = {"by": by, "sessions": ended}
        await audit.record(connection, actor, "session.end_all", "user", str(principal_id), detail)


def hash_cookie(cookie: str) -> bytes:
    """What is stored of a cookie's value."""
    return hash_secret(cookie)


def csrf_token(cookie: str) -> str:
    """What a page shows besides its cookie, which other pages can neither read nor guess."""
    return hashlib.sha256(b"floorhub/csrf/v1\0" + cookie.encode()).hexdigest()


def _shortened(agent: str | None) -> str | None:
    return None if agent is None else clean_text(agent[:_LONGEST_AGENT])

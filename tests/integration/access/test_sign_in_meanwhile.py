"""A sign-in takes a while: what others do meanwhile counts, however it falls together, and keeps nobody out."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from hub.core.access.rules import Caller, Principal
from hub.core.access.service.passwords import Passwords
from hub.core.access.service.people import NewPerson, People
from hub.core.access.service.sessions import Sessions, Visitor
from hub.core.access.service.throttle import OF_BOTH, OF_LOGIN, Throttle
from hub.core.access.service.tokens import AccessTokens
from hub.core.access.store import sessions as store
from hub.database.engine import Database
from hub.errors import RejectedError
from hub.keys import load_signing_keys
from hub.telemetry.log import Log
from tests.support.waiting import eventually

OLD, NEW, THIRD = "correct horse battery", "another good sentence", "a third good sentence"
VISITOR = Visitor("192.0.2.1")
ADMINISTRATOR = Caller(Principal(UUID(int=1), "user", "administrator", "admin"), "192.0.2.1")
Meanwhile = Callable[[], Awaitable[object]]


class SlowPasswords(Passwords):
    """Lets something happen when a password was judged, before anybody acts upon it; once."""

    meanwhile: Meanwhile | None = None

    async def verify(self, known: str | None, password: str) -> bool:
        right = await super().verify(known, password)
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens()
        return right


class Door:
    """The services of signing in, and somebody who may."""

    def __init__(self, database: Database, sessions: Sessions, people: People, passwords: SlowPasswords) -> None:
        self.database, self.sessions, self.people, self.passwords = database, sessions, people, passwords
        self.person_id = UUID(int=0)

    async def sign_in(self, kind: str, password: str = OLD) -> object:
        """Sign in as a program or as a page."""
        if kind == "token":
            return await self.sessions.sign_in("mina", password, VISITOR)
        return await self.sessions.sign_in_page("mina", password, VISITOR, plain=False)

    async def set_password(self) -> None:
        """Another password, by an administrator."""
        await self.people.set_password(ADMINISTRATOR, self.person_id, NEW)

    async def disable(self) -> None:
        """Not to sign in any more."""
        await self.people.change(ADMINISTRATOR, self.person_id, {"disabled": True})

    async def living(self) -> int:
        """His sessions that have not ended."""
        async with self.database.connection() as connection:
            return len(await store.living(connection, self.person_id, 50))


@pytest.fixture
async def door(database: Database, tmp_path: Path) -> Door:
    tokens = AccessTokens(database, load_signing_keys(tmp_path / "keys"), Log())
    await tokens.establish()
    passwords = SlowPasswords()
    sessions = Sessions(database, tokens, passwords, Log())
    door = Door(database, sessions, People(database, sessions, passwords), passwords)
    door.person_id = (await door.people.create(ADMINISTRATOR, NewPerson("mina", None, "operator", "all", OLD))).id
    return door


@pytest.mark.parametrize("kind", ["token", "page"])
@pytest.mark.parametrize("change", ["set_password", "disable"])
async def test_a_sign_in_with_what_was_right_a_moment_ago_is_refused(door: Door, kind: str, change: str) -> None:
    door.passwords.meanwhile = getattr(door, change)

    with pytest.raises(RejectedError) as refused:
        await door.sign_in(kind)
    assert refused.value.code == "login_failed"
    assert await door.living() == 0


async def test_no_session_of_a_sign_in_under_way_is_left_behind(door: Door) -> None:
    """The session is about to be stored when all of them end."""
    async with await psycopg.AsyncConnection.connect(door.database.url) as holding:
        # A session refers to its principal, so that storing one waits here.
        await holding.execute("SELECT FROM principals WHERE id = %s FOR UPDATE", (door.person_id,))
        signing_in = asyncio.create_task(door.sign_in("token"))

        async def waiting() -> int:
            row = await (await holding.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")).fetchone()
            assert row is not None
            return int(row[0])

        async def sign_in_waits() -> bool:
            return await waiting() > 0

        await eventually(sign_in_waits)
        changing = asyncio.create_task(door.set_password())

        async def change_waits_or_is_done() -> bool:
            return changing.done() or await waiting() > 1

        await eventually(change_waits_or_is_done)
        await holding.rollback()
        await asyncio.gather(signing_in, changing, return_exceptions=True)
    assert changing.exception() is None
    assert await door.living() == 0


async def test_ones_own_change_of_a_password_does_not_undo_that_of_an_administrator(door: Door) -> None:
    await door.sign_in("token")
    [session] = await door.people.sessions_of(door.person_id)
    mina = Caller(Principal(door.person_id, "user", "mina", "operator"), "192.0.2.1", session_id=session.id)
    door.passwords.meanwhile = door.set_password

    with pytest.raises(RejectedError) as refused:
        await door.sessions.change_password(mina, OLD, THIRD, field="newPassword")
    assert refused.value.code == "wrong_password"
    await door.sign_in("token", NEW)
    with pytest.raises(RejectedError):
        await door.sign_in("token", THIRD)


async def test_strangers_keep_nobody_out_of_where_he_has_signed_in(door: Door) -> None:
    """Their tries fill what a login may fail in all; his own place counts for itself."""
    home, elsewhere = Visitor("192.0.2.1"), Visitor("192.0.2.2")
    await door.sessions.sign_in("mina", OLD, home)
    [session] = await door.people.sessions_of(door.person_id)
    throttle = Throttle(door.database)
    for number in range(OF_LOGIN):
        await throttle.count("mina", f"198.51.100.{number}")
    mina = Caller(Principal(door.person_id, "user", "mina", "operator"), home.address, session_id=session.id)

    await door.sessions.sign_in("mina", OLD, home)
    await door.sessions.confirm(mina, session.id, OLD)
    with pytest.raises(RejectedError) as refused:
        await door.sessions.sign_in("mina", OLD, elsewhere)
    assert refused.value.code == "too_many_attempts"
    # Whoever shares his address still has few tries there.
    for _ in range(OF_BOTH):
        await throttle.count("mina", home.address)
    with pytest.raises(RejectedError) as refused:
        await door.sessions.sign_in("mina", OLD, home)
    assert refused.value.code == "too_many_attempts"

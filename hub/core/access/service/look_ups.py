"""Who asks, looked up for every request: remembered for a moment, so that a withdrawal is felt at once on every hub,
and bounded, so that wrong secrets take neither the memory nor the connections from those who have a right one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from hub.core.access.rules import Credential, KeyScope, Principal
from hub.core.access.service.strangers import Strangers, make_room
from hub.core.access.store import keys as store
from hub.core.access.store import sessions
from hub.core.access.store.keys import KeyHolder
from hub.core.access.store.sessions import SessionHolder
from hub.database.engine import Connection, Database

CACHE_S = 0.3
"""How long an answer is believed, counted from before it was asked for. A change is told to the other hubs; when that
is lost, this alone bounds how long they take to feel it."""
ASK_AGAIN_S = CACHE_S / 2
"""An answer this old is asked for again, while it still counts: else all requests of a busy key would wait whenever it
grows too old."""
MOST_REMEMBERED = 5_000
MOST_UNKNOWN = 1_000

Asked = TypeVar("Asked", bound=Hashable)
Found = TypeVar("Found")
Find = Callable[[Connection, Asked], Awaitable[Found | None]]


class _Answer(NamedTuple, Generic[Found]):
    asked_at: float
    found: Found


class LookUps(Generic[Asked, Found]):
    """Looks things of one kind up. `forget` when something about them has changed."""

    def __init__(
        self,
        database: Database,
        find: Find[Asked, Found],
        *,
        by_secret: bool,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`by_secret`: anybody may make up what is asked for. `clock`: seconds that only grow; default: the
        machine's."""
        self._database = database
        self._find = find
        self._now = time.monotonic if clock is None else clock
        self._answers: dict[Asked, _Answer[Found]] = {}
        self._unknown: dict[Asked, float] = {}
        self._asking: dict[Asked, asyncio.Task[Found | None]] = {}
        self._strangers = Strangers() if by_secret else None
        self._changes = 0

    def remembered(self, asked: Asked) -> Found | None:
        """What is remembered; None when it has to be looked up."""
        answer = self._answers.get(asked)
        if answer is None:
            return None
        age = self._now() - answer.asked_at
        if age >= CACHE_S:
            return None
        if age >= ASK_AGAIN_S and asked not in self._asking:
            self._ask(asked)
        return answer.found

    async def find(self, asked: Asked) -> Found | None:
        """What there is; None when there is nothing that is valid. Raises UnavailableError, also when too many things
        that nobody knows are asked for at a time."""
        found = self.remembered(asked)
        if found is not None:
            return found
        if self._now() - self._unknown.get(asked, -CACHE_S) < CACHE_S:
            return None
        # Requests that ask at the same time share one look. Shielded: a caller that hangs up must not take the answer
        # from the others.
        return await asyncio.shield(self._asking.get(asked) or self._ask(asked))

    def forget(self) -> None:
        """Believe no answer any more, also none that is on its way."""
        self._changes += 1
        self._answers.clear()
        self._unknown.clear()
        self._asking.clear()

    def _ask(self, asked: Asked) -> "asyncio.Task[Found | None]":
        asking = self._asking[asked] = asyncio.create_task(self._look(asked), name="access-look-up")
        asking.add_done_callback(lambda done: self._looked(asked, done))
        return asking

    def _looked(self, asked: Asked, done: "asyncio.Task[Found | None]") -> None:
        if self._asking.get(asked) is done:
            del self._asking[asked]
        if not done.cancelled():
            done.exception()  # whoever asked may have hung up, or be served by what is remembered

    async def _look(self, asked: Asked) -> Found | None:
        if self._strangers is None:
            return await self._query(asked)
        async with self._strangers.turn(asked):
            return await self._query(asked)

    async def _query(self, asked: Asked) -> Found | None:
        async with self._database.connection() as connection:
            changes, at = self._changes, self._now()
            found = await self._find(connection, asked)
        if changes == self._changes:
            self._remember(asked, at, found)
        return found

    def _remember(self, asked: Asked, asked_at: float, found: Found | None) -> None:
        self._answers.pop(asked, None)
        if self._strangers is not None:
            self._strangers.judged(asked, valid=found is not None)
        if found is None:
            make_room(self._unknown, MOST_UNKNOWN)
            self._unknown[asked] = asked_at
            return
        make_room(self._answers, MOST_REMEMBERED)
        self._answers[asked] = _Answer(asked_at, found)


async def key(connection: Connection, sha256: bytes) -> Credential | None:
    """What a key stands for, by the SHA-256 of what a request shows."""
    found = await store.by_key(connection, sha256)
    return None if found is None else _credential(found)


async def key_of(connection: Connection, key_id: UUID) -> Credential | None:
    """The same for somebody who was let in with it before."""
    found = await store.by_id(connection, key_id)
    return None if found is None else _credential(found)


async def session(connection: Connection, session_id: UUID) -> SessionHolder | None:
    """The living session that an access token names."""
    return await sessions.by_id(connection, session_id)


async def page_session(connection: Connection, sha256: bytes) -> SessionHolder | None:
    """The living session of a page, by the SHA-256 of its cookie."""
    return await sessions.by_cookie(connection, sha256)


def _credential(found: KeyHolder) -> Credential:
    def listed(names: list[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(names)

    return Credential(
        Principal(found.id, found.kind, found.name, found.role, found.reach),
        found.key_id,
        scope=KeyScope(listed(found.permissions), listed(found.actions), found.narrowed),
        addresses=None if found.addresses is None else tuple(found.addresses),
    )

"""What keys stand for, looked up for every request: remembered for a moment, so that a withdrawal is felt at once on
every hub, and bounded, so that wrong keys take neither the memory nor the connections from those who have a right one.
"""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import NamedTuple, TypeVar
from uuid import UUID

from hub.core.access.rules import Credential, KeyScope, Principal
from hub.core.access.store import api_keys
from hub.core.access.store import keys as store
from hub.core.access.store.keys import KeyHolder
from hub.database.engine import Database
from hub.errors import UnavailableError

CACHE_S = 0.3
"""How long an answer is believed, counted from before it was asked for. A change is told to the other hubs; when that
is lost, this alone bounds how long they take to feel it."""
MOST_REMEMBERED = 5_000
MOST_UNKNOWN = 1_000
STRANGERS = 2
"""Connections that keys may take, all together, which were not valid lately."""
MOST_WAITING = 200
PATIENCE_S = 2.0
"""How long such a key waits for one of them."""

Value = TypeVar("Value")
Asked = bytes | UUID
"""The SHA-256 of a key, as a request shows it; or a key's id, by who was let in before."""


class _Answer(NamedTuple):
    asked_at: float
    credential: Credential | None


class KeyLookUps:
    """Looks keys up. `forget` when something about keys or principals has changed."""

    def __init__(self, database: Database, *, clock: Callable[[], float] | None = None) -> None:
        """`clock`: seconds that only grow; default: the event loop's."""
        self._database = database
        self._clock = clock
        self._answers: dict[Asked, _Answer] = {}
        self._unknown: dict[Asked, float] = {}
        self._lately: dict[Asked, None] = {}
        """What was valid when it was last asked for, the oldest first."""
        self._asking: dict[Asked, asyncio.Task[Credential | None]] = {}
        self._strangers = asyncio.Semaphore(STRANGERS)
        self._waiting = 0
        self._changes = 0

    async def find(self, asked: Asked) -> Credential | None:
        """What a key stands for; None when it is not valid. Raises UnavailableError, also when too many keys that
        nobody knows are asked for at a time."""
        now = self._now()
        answer = self._answers.get(asked)
        if answer is not None and now - answer.asked_at < CACHE_S:
            return answer.credential
        if now - self._unknown.get(asked, -CACHE_S) < CACHE_S:
            return None
        asking = self._asking.get(asked)
        if asking is None:
            asking = self._asking[asked] = asyncio.create_task(self._ask(asked), name="key-look-up")
            asking.add_done_callback(lambda done: self._asked(asked, done))
        # Requests that ask at the same time share one look: all do whenever an answer grows old. Shielded: a caller
        # that hangs up must not take the answer from the others.
        return await asyncio.shield(asking)

    def forget(self) -> None:
        """Believe no answer any more, also none that is on its way."""
        self._changes += 1
        self._answers.clear()
        self._unknown.clear()
        self._asking.clear()

    def _asked(self, asked: Asked, done: "asyncio.Task[Credential | None]") -> None:
        if self._asking.get(asked) is done:
            del self._asking[asked]

    def _now(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    async def _ask(self, asked: Asked) -> Credential | None:
        if isinstance(asked, UUID) or asked in self._lately:
            return await self._query(asked)
        if self._waiting >= MOST_WAITING:
            raise UnavailableError("too_many_unknown_keys")
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._strangers.acquire()
        except TimeoutError:
            raise UnavailableError("too_many_unknown_keys") from None
        finally:
            self._waiting -= 1
        try:
            return await self._query(asked)
        finally:
            self._strangers.release()

    async def _query(self, asked: Asked) -> Credential | None:
        async with self._database.connection() as connection:
            changes, at = self._changes, self._now()
            find = api_keys.valid_by_id if isinstance(asked, UUID) else store.by_key
            found = await find(connection, asked)  # type: ignore[arg-type]
        credential = None if found is None else _credential(found)
        if changes == self._changes:
            self._remember(asked, _Answer(at, credential))
        return credential

    def _remember(self, asked: Asked, answer: _Answer) -> None:
        self._answers.pop(asked, None)
        self._lately.pop(asked, None)
        if answer.credential is None:
            _make_room(self._unknown, MOST_UNKNOWN)
            self._unknown[asked] = answer.asked_at
            return
        _make_room(self._answers, MOST_REMEMBERED)
        self._answers[asked] = answer
        _make_room(self._lately, MOST_REMEMBERED)
        self._lately[asked] = None


def _make_room(known: MutableMapping[Asked, Value], most: int) -> None:
    """Let the oldest go."""
    while len(known) >= most:
        del known[next(iter(known))]


def _credential(found: KeyHolder) -> Credential:
    def listed(names: list[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(names)

    return Credential(
        Principal(found.id, found.kind, found.name, found.role, found.reach),
        found.key_id,
        scope=KeyScope(listed(found.permissions), listed(found.actions), found.narrowed),
        addresses=None if found.addresses is None else tuple(found.addresses),
    )

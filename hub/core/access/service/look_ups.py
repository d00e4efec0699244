"""What keys stand for, looked up for every request: remembered for a moment, so that a withdrawal is felt at once on
every hub, and bounded, so that wrong keys take neither the memory nor the connections from those who have a right one.
"""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from hub.core.access.rules import Credential, KeyScope, Principal
from hub.core.access.service.strangers import Strangers, make_room
from hub.core.access.store import api_keys
from hub.core.access.store import keys as store
from hub.core.access.store.keys import KeyHolder
from hub.database.engine import Database

CACHE_S = 0.3
"""How long an answer is believed, counted from before it was asked for. A change is told to the other hubs; when that
is lost, this alone bounds how long they take to feel it."""
MOST_REMEMBERED = 5_000
MOST_UNKNOWN = 1_000

Asked = bytes | UUID
"""The SHA-256 of a key, as a request shows it; or a key's id, by who was let in before."""


class _Answer(NamedTuple):
    asked_at: float
    credential: Credential | None


class KeyLookUps:
    """Looks keys up. `forget` when something about keys or principals has changed."""

    def __init__(self, database: Database, *, clock: Callable[[], float] | None = None) -> None:
        """`clock`: seconds that only grow; default: the machine's."""
        self._database = database
        self._now = time.monotonic if clock is None else clock
        self._answers: dict[Asked, _Answer] = {}
        self._unknown: dict[Asked, float] = {}
        self._asking: dict[Asked, asyncio.Task[Credential | None]] = {}
        self._strangers = Strangers()
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
        if not done.cancelled():
            done.exception()  # whoever asked may have hung up

    async def _ask(self, asked: Asked) -> Credential | None:
        if isinstance(asked, UUID):
            return await self._query(asked)
        async with self._strangers.turn(asked):
            return await self._query(asked)

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
        self._strangers.judged(asked, valid=answer.credential is not None)
        if answer.credential is None:
            make_room(self._unknown, MOST_UNKNOWN)
            self._unknown[asked] = answer.asked_at
            return
        make_room(self._answers, MOST_REMEMBERED)
        self._answers[asked] = answer


def _credential(found: KeyHolder) -> Credential:
    def listed(names: list[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(names)

    return Credential(
        Principal(found.id, found.kind, found.name, found.role, found.reach),
        found.key_id,
        scope=KeyScope(listed(found.permissions), listed(found.actions), found.narrowed),
        addresses=None if found.addresses is None else tuple(found.addresses),
    )

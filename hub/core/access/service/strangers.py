"""Turns for secrets that nobody may know: all of them together get a few connections and a short queue, so that a flood
of wrong ones leaves the database to those that were valid lately.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable, MutableMapping
from contextlib import asynccontextmanager
from typing import TypeVar

from hub.errors import UnavailableError

Asked = TypeVar("Asked", bound=Hashable)
Value = TypeVar("Value")

AT_ONCE = 2
"""Connections that they may take, all together."""
MOST_WAITING = 200
PATIENCE_S = 2.0
"""How long one waits for its turn."""
MOST_KNOWN = 5_000


class Strangers:
    """Of one kind of secrets. Whoever asks says afterwards whether it was valid."""

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self._most_waiting = most_waiting
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._lately: dict[Hashable, None] = {}
        """What was valid when it was last asked for, the oldest first."""

    @asynccontextmanager
    async def turn(self, asked: Hashable) -> AsyncIterator[None]:
        """For as long as the database is asked about something. Raises UnavailableError when too many wait."""
        if asked in self._lately:
            yield
            return
        if self._waiting >= self._most_waiting:
            raise UnavailableError("too_many_unknown_keys")
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._turns.acquire()
        except TimeoutError:
            raise UnavailableError("too_many_unknown_keys") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._turns.release()

    def judged(self, asked: Hashable, *, valid: bool) -> None:
        """Remember whether it was valid."""
        self._lately.pop(asked, None)
        if valid:
            make_room(self._lately, MOST_KNOWN)
            self._lately[asked] = None


def make_room(known: MutableMapping[Asked, Value], most: int) -> None:
    """Let the oldest go, so that there is room for one more."""
    while len(known) >= most:
        del known[next(iter(known))]

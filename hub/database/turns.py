"""Who gets the next connection: the pool serves whoever came first, this has each principal take its turn."""

import asyncio
from collections.abc import Hashable
from types import TracebackType

from hub.fairness import FairQueue

MOST = 2_000
MOST_EACH = 500


class NoTurnError(Exception):
    """Too many wait, or the turn did not come in time."""


class Turns:
    """Lends `size` places."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._queue: FairQueue[asyncio.Future[None]] = FairQueue(MOST, MOST_EACH)

    def taken(self, who: Hashable, patience_s: float) -> "_Place":
        """A place for as long as the block lasts. Entering raises NoTurnError when none comes free in time."""
        return _Place(self, who, patience_s)

    async def take(self, who: Hashable, patience_s: float) -> None:
        """Take a place; to be given back. Raises NoTurnError."""
        if self._free:  # then nobody waits
            self._free -= 1
            return
        if self._queue.full or self._queue.full_for(who):
            raise NoTurnError
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put(who, turn)
        try:
            async with asyncio.timeout(patience_s):
                await turn
        except BaseException as problem:
            if turn.done() and not turn.cancelled():
                self.give_back()  # it came just when we stopped waiting
            if isinstance(problem, TimeoutError):
                raise NoTurnError from problem
            raise

    def give_back(self) -> None:
        """Hand the place on."""
        while self._queue:
            turn = self._queue.pop()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class _Place:
    """As a context; a generator would cost more, and every statement comes by here."""

    __slots__ = ("_patience_s", "_turns", "_who")

    def __init__(self, turns: Turns, who: Hashable, patience_s: float) -> None:
        self._turns = turns
        self._who = who
        self._patience_s = patience_s

    async def __aenter__(self) -> None:
        await self._turns.take(self._who, self._patience_s)

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.give_back()

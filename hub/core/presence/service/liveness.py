"""Signs of life that reports bear: kept in mind, and written down together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from hub.core.presence.store import Life
from hub.errors import UnavailableError
from hub.telemetry.log import Event, Log

FLUSH_S = 1.0
MOST = 20_000


class SignsOfLife:
    """Reports prove life, and bear epoch and mark: too many to write each one down when it comes. What a worker that
    dies has not written costs nothing: agents show it again."""

    def __init__(self, hear: Callable[[Sequence[Life]], Awaitable[None]], log: Log) -> None:
        """`hear` writes them down; raises UnavailableError when it cannot."""
        self._hear = hear
        self._log = log
        self._noted: dict[tuple[str, str], Life] = {}

    def note(self, life: Life) -> None:
        """Keep one in mind."""
        key = (life.client_id, life.session)
        known = self._noted.get(key)
        if known is not None:
            self._noted[key] = known.joined(life)
        elif len(self._noted) < MOST:
            self._noted[key] = life

    async def write(self) -> None:
        """Write down what was noted so far. Raises UnavailableError, and then keeps it."""
        noted, self._noted = self._noted, {}
        try:
            await self._hear(list(noted.values()))
        except UnavailableError:
            for life in noted.values():
                self.note(life)
            raise

    async def keep_writing(self) -> None:
        """Write down what was noted, once a second, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.write()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="signs of life", code=problem.code)

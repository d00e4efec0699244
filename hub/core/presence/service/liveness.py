"""Observations that reports bear: kept in mind, and written down together."""

from collections.abc import Awaitable, Callable, Sequence

from hub.core.presence.rules.liveness import Life
from hub.errors import UnavailableError

FLUSH_S = 1.0
"""How often `write` is to be called."""
MOST = 20_000


class Liveness:
    """Reports prove life, and bear epoch and mark: too many to write each one down when it comes. What a worker that
    dies has not written costs nothing: agents show it again."""

    def __init__(self, observe: Callable[[Sequence[Life]], Awaitable[None]]) -> None:
        """`hear` writes them down; raises UnavailableError when it cannot."""
        self._observe = observe
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
            await self._observe(list(noted.values()))
        except UnavailableError:
            for life in noted.values():
                self.note(life)
            raise

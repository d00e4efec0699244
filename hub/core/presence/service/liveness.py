"""Observations that reports bear: kept in mind, and written down together."""

from collections.abc import Awaitable, Callable, Sequence

from hub.core.presence.rules.liveness import Life
from hub.errors import UnavailableError

FLUSH_S = 1.0
"""How often `write` is to be called."""
MOST = 20_000


class Liveness:
    """Reports and heartbeats prove life, and bear epoch and mark: too many to write each one down when it comes. What a
    worker that dies has not written costs nothing: agents show it again."""

    def __init__(self, observe: Callable[[Sequence[Life]], Awaitable[None]]) -> None:
        """`observe` writes them down; raises UnavailableError when it cannot."""
        self._observe = observe
        self._noted: dict[tuple[str, str], Life] = {}
        self._last: dict[str, tuple[str, int | None, int | None]] = {}
        self._writing = 0

    @property
    def is_writing(self) -> bool:
        """Whether something that was noted is on its way to the database."""
        return self._writing > 0

    def is_routine(self, heartbeat: Life) -> bool:
        """Whether a heartbeat says what the last one of its client said here: enough to note. Another one may be news,
        such as an epoch that somebody waits for, and is to be observed at once."""
        said = (heartbeat.session, heartbeat.connection, heartbeat.epoch)
        if self._last.get(heartbeat.client_id) == said:
            return True
        if heartbeat.client_id in self._last or len(self._last) < MOST:
            self._last[heartbeat.client_id] = said
        return False

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
        self._writing += 1
        try:
            await self._observe(list(noted.values()))
        except UnavailableError:
            for life in noted.values():
                self.note(life)
            raise
        finally:
            self._writing -= 1

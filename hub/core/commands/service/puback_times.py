"""When the broker acknowledged what was sent: a time for people, and for no decision."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from hub.errors import UnavailableError

PATIENCE_S = 0.5
"""How long a time waits for the agent's word, which takes it along into the database at no cost."""
MAX_WAITING = 50_000


class PubackTimes:
    """Collects PUBACKs; `run` writes the times of those about which no report came soon."""

    def __init__(
        self, write: Callable[[dict[UUID, float]], Awaitable[None]], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`write` takes how many seconds ago each run was acknowledged."""
        self._write = write
        self._monotonic = monotonic
        self._times: dict[UUID, float] = {}
        self._some = asyncio.Event()

    def add(self, command_id: UUID) -> None:
        """Note that the broker has this run now."""
        if len(self._times) < MAX_WAITING:
            self._times.setdefault(command_id, self._monotonic())
            self._some.set()

    def take(self, command_id: UUID) -> float | None:
        """How many seconds ago a run was acknowledged, for somebody who writes it; None when it is not known here."""
        at = self._times.pop(command_id, None)
        return None if at is None else self._monotonic() - at

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._some.wait()
            await asyncio.sleep(PATIENCE_S / 2)
            now = self._monotonic()
            # In the order in which they came.
            late = {}
            for command_id, at in self._times.items():
                if now - at < PATIENCE_S:
                    break
                late[command_id] = now - at
            for command_id in late:
                del self._times[command_id]
            if not self._times:
                self._some.clear()
            if late:
                try:
                    await self._write(late)
                except UnavailableError:
                    continue  # A time that nobody will miss.

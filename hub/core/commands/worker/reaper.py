"""What time alone brings about: scheduled commands become due, deadlines pass, silent clients become unknown."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from hub.core.commands.service.commands import Commands
from hub.core.commands.store import dispatch as store
from hub.core.presence.service.presence import PresenceService
from hub.database.engine import Database
from hub.errors import UnavailableError
from hub.signals.ports import Signals
from hub.telemetry.log import Event, Log

LONGEST_SLEEP_S = 0.5
"""So late, and no later, is a deadline noticed that was set after the last look."""
SHORTEST_SLEEP_S = 0.01


class Reaper:
    """The loop; any number of workers may run it."""

    def __init__(
        self,
        database: Database,
        commands: Commands,
        presence: PresenceService,
        signals: Signals,
        roll_called_at: Callable[[], datetime | None],
        log: Log,
    ) -> None:
        self._database = database
        self._commands = commands
        self._presence = presence
        self._signals = signals
        self._roll_called_at = roll_called_at
        self._log = log

    async def run(self) -> None:
        """Look after time until cancelled."""
        while True:
            try:
                pause = await self._round()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="reaper", code=problem.code)
                pause = LONGEST_SLEEP_S
            await asyncio.sleep(pause)

    async def _round(self) -> float:
        async with self._database.connection() as connection:
            woken = await store.wake_scheduled(connection)
        self._signals.work_for(woken)
        while await self._commands.close_overdue() == 500:
            pass
        await self._presence.age(self._roll_called_at())
        async with self._database.connection() as connection:
            seconds = await store.seconds_to_next_due(connection)
        return LONGEST_SLEEP_S if seconds is None else min(max(seconds, SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

"""What time alone brings about: scheduled commands become due, and deadlines pass. Any number of workers may run it."""

from hub.core.commands.service.commands import Commands
from hub.core.commands.store import dispatch
from hub.core.commands.store.ports import Dispatch
from hub.database.engine import Database
from hub.loops import Loop, periodic
from hub.signals.ports import Signals
from hub.telemetry.log import Log

LONGEST_SLEEP_S = 0.5
"""So late, and no later, is a deadline noticed that was set after the last look."""
SHORTEST_SLEEP_S = 0.01
MOST = 500


class Reaper:
    """`look` until `loop` does."""

    def __init__(
        self, database: Database, commands: Commands, signals: Signals, *, dispatch: Dispatch = dispatch
    ) -> None:
        self._database = database
        self._commands = commands
        self._signals = signals
        self._dispatch = dispatch

    async def look(self) -> float:
        """Do what is due now; how many seconds until the next look. Raises UnavailableError."""
        async with self._database.connection() as connection:
            woken = await self._dispatch.wake_scheduled(connection)
        self._signals.work_for(woken)
        while await self._commands.close_overdue(MOST) == MOST:
            pass
        async with self._database.connection() as connection:
            seconds = await self._dispatch.seconds_to_next_due(connection)
        return LONGEST_SLEEP_S if seconds is None else min(max(seconds, SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

    def loop(self, log: Log) -> Loop:
        """The loop."""
        return periodic("reaper", self.look, log, pause_s=LONGEST_SLEEP_S, first_s=0.0)

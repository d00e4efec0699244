"""What time alone brings about: scheduled commands become due, and deadlines pass. Any number of workers may run it."""

from hub.core.commands.service.commands import Commands
from hub.core.commands.store import dispatch as store
from hub.database.engine import Database
from hub.loops import Loop, periodic
from hub.signals.ports import Signals
from hub.telemetry.log import Log

LONGEST_SLEEP_S = 0.5
"""So late, and no later, is a deadline noticed that was set after the last look."""
SHORTEST_SLEEP_S = 0.01
MOST = 500


def reaper(database: Database, commands: Commands, signals: Signals, log: Log) -> Loop:
    """The loop."""

    async def look() -> float:
        async with database.connection() as connection:
            woken = await store.wake_scheduled(connection)
        signals.work_for(woken)
        while await commands.close_overdue(MOST) == MOST:
            pass
        async with database.connection() as connection:
            seconds = await store.seconds_to_next_due(connection)
        return LONGEST_SLEEP_S if seconds is None else min(max(seconds, SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

    return periodic("reaper", look, log, pause_s=LONGEST_SLEEP_S, first_s=0.0)

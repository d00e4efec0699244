"""Clean-up every few minutes. Any number of workers may run it: only one at a time does the work."""

import asyncio

from hub.errors import UnavailableError
from hub.features.retention.service.archive import ArchiveError
from hub.features.retention.service.retention import Retention
from hub.telemetry.log import Event, Log


class Cleaner:
    """The loop."""

    def __init__(self, retention: Retention, log: Log, *, every_s: float) -> None:
        self._retention = retention
        self._log = log
        self._every_s = every_s

    async def run(self) -> None:
        """Clean up until cancelled. A portion that is cut off is taken back whole."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self._retention.run()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="cleaner", code=problem.code)
            except ArchiveError:
                pass  # Told by the service; tried again with the next round.

"""Looking for schedules that are due. Any number of workers may run it: each time is fired by one of them."""

import asyncio

from hub.errors import UnavailableError
from hub.features.schedules.service.runner import Firing
from hub.telemetry.log import Event, Log

LOOK_S = 0.5
"""So late, and no later while the database answers, does a schedule fire."""


class ScheduleWatch:
    """The loop."""

    def __init__(self, firing: Firing, log: Log) -> None:
        self._firing = firing
        self._log = log

    async def run(self) -> None:
        """Look until cancelled. A firing that is cut off is taken back whole."""
        while True:
            try:
                await self._firing.look()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="schedules", code=problem.code)
            await asyncio.sleep(LOOK_S)

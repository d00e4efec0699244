"""Once a minute the log names what stands still although its client is there, and why."""

import asyncio

from hub.errors import UnavailableError
from hub.features.explain.service import Explaining
from hub.telemetry.log import Event, Log

LOOK_S = 60.0


class StandingWatch:
    """The loop; each worker runs it and tells for itself."""

    def __init__(self, explaining: Explaining, log: Log, *, look_s: float = LOOK_S) -> None:
        self._explaining = explaining
        self._log = log
        self._look_s = look_s

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(self._look_s)
            try:
                await self._explaining.tell_standing()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="standing", code=problem.code)

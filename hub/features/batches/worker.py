"""Looking after batches: stops one in which too many failed, and notices when one has ended.

A look instead of a counter that every report would have to raise: the hottest statements know nothing of batches.
"""

import asyncio

from hub.errors import UnavailableError
from hub.features.batches.service.batches import Batches
from hub.telemetry.log import Event, Log

LOOK_S = 0.5
LOOK_SOON_S = 0.1
"""While a limit of failures is at stake: so long may more be handed out after one failure too many."""


class BatchWatch:
    """The loop; any number of workers may run it."""

    def __init__(self, batches: Batches, log: Log) -> None:
        self._batches = batches
        self._log = log

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            at_stake = False
            try:
                at_stake = await self._batches.look()
            except UnavailableError as problem:
                self._log.warning(Event.TASK_RETRY, task="batches", code=problem.code)
            await asyncio.sleep(LOOK_SOON_S if at_stake else LOOK_S)

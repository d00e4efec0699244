"""Looking after batches: stops one in which too many failed, and notices when one has ended.

A look instead of a counter that every report would have to raise: the hottest statements know nothing of batches.
"""

from hub.features.batches.service.batches import Batches
from hub.loops import Loop, periodic
from hub.telemetry.log import Log

POLL_S = 0.5
POLL_SOON_S = 0.1
"""While a limit of failures is at stake: so long may more be handed out after one failure too many."""


def watch(batches: Batches, log: Log) -> Loop:
    """The loop; any number of workers may run it."""

    async def look() -> float:
        return POLL_SOON_S if await batches.look() else POLL_S

    return periodic("batches", look, log, pause_s=POLL_S, first_s=0.0)

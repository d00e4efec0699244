"""Clean-up every few minutes. Any number of workers may run it: only one at a time does the work."""

import contextlib

from hub.features.retention.service.archive import ArchiveError
from hub.features.retention.service.retention import Retention
from hub.loops import Loop, periodic
from hub.telemetry.log import Log


def cleaner(retention: Retention, log: Log, *, every_s: float) -> Loop:
    """The loop. A portion that is cut off is taken back whole."""

    async def clean() -> None:
        with contextlib.suppress(ArchiveError):  # logged by the service; tried again with the next round
            await retention.run()

    return periodic("cleaner", clean, log, pause_s=every_s)

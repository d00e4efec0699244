"""Once a minute the log names what is stalled although its client is there, and why. Each worker does so for itself."""

from hub.features.explain.service import Explaining
from hub.loops import Loop, periodic
from hub.telemetry.log import Log

POLL_S = 60.0


def watch(explaining: Explaining, log: Log) -> Loop:
    """The loop."""

    async def look() -> None:
        await explaining.log_stalled()

    return periodic("stalled", look, log, pause_s=POLL_S)

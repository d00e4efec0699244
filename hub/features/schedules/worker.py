"""Looking for schedules that are due. Any number of workers may run it: each time is fired by one of them."""

from hub.features.schedules.service.runner import ScheduleRunner
from hub.loops import Loop, periodic
from hub.telemetry.log import Log

POLL_S = 0.5
"""So late, and no later while the database answers, does a schedule fire."""


def watch(runner: ScheduleRunner, log: Log) -> Loop:
    """The loop. A firing that is cut off is taken back whole."""
    return periodic("schedules", runner.look, log, pause_s=POLL_S, first_s=0.0)

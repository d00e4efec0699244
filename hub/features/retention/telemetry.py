"""What clean-up tells log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    CLEANUP_DONE = "cleanup.done"
    CLEANUP_STOPPED = "cleanup.stopped"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.archived = meters.counter("cleanup_archived", "Rows written to the archive", "kind")
        self.deleted = meters.counter("cleanup_deleted", "Rows deleted by clean-up", "kind")
        self.failing = meters.gauge("cleanup_failing", "1 while the archive cannot be written")
        self.success = meters.gauge("cleanup_last_success_timestamp_seconds", "When a round last went well")

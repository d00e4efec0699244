"""What clean-up tells log and metrics."""

from collections.abc import Iterable

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters, each


class Event(EventName):
    """Log events."""

    CLEANUP_DONE = "cleanup.done"
    CLEANUP_STOPPED = "cleanup.stopped"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters, kinds: Iterable[str] = ()) -> None:
        """`kinds`: the names of what clean-up deletes."""
        known = each(kinds)
        self.archived = meters.counter("floorhub_cleanup_archived", "Rows written to the archive", "kind", known=known)
        self.deleted = meters.counter("floorhub_cleanup_deleted", "Rows deleted by clean-up", "kind", known=known)
        self.failing = meters.gauge("floorhub_cleanup_failing", "1 while the archive cannot be written")
        self.success = meters.gauge("floorhub_cleanup_last_success_timestamp_seconds", "When a round last went well")

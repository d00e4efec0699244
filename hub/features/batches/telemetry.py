"""What batches tell the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    BATCH_CREATED = "batch.created"
    BATCH_CHANGED = "batch.changed"
    BATCH_STOPPED = "batch.stopped"
    BATCH_FINISHED = "batch.finished"

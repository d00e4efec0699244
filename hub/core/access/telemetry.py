"""What access tells the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    KEY_CREATED = "key.created"
    KEY_NOT_HERE = "key.not_here"

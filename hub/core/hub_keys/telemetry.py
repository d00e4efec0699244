"""What the hub's keys tell the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    KEYS_RECORDED = "keys.recorded"
    KEYS_REPLACED = "keys.replaced"

"""What explaining tells the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    COMMAND_STALLED = "command.stalled"

"""What documents tell the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    UPLOAD_STORED = "upload.stored"

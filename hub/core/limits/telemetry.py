"""What limits tell the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    QUOTA_TIME_ZONE = "quota.time_zone"
    REQUEST_REFUSED = "request.refused"

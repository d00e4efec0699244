"""What schedules tell the log."""

from hub.telemetry.log import EventName


class Event(EventName):
    """Log events."""

    SCHEDULE_CHANGED = "schedule.changed"
    SCHEDULE_FIRED = "schedule.fired"
    SCHEDULE_MISSED = "schedule.missed"
    SCHEDULE_REFUSED = "schedule.refused"

"""What dead letters tell log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    DEAD_LETTER_CLOSED = "dead_letter.closed"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.closed = meters.counter("dead_letters_closed", "Dead letters that a person closed", "by")
        self.open = meters.gauge("dead_letters_open", "Commands that wait for a person")

"""What dead letters tell log and metrics."""

from hub.features.dead_letters.rules import DECIDED, DISMISSED, REPLAYED
from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters, each


class Event(EventName):
    """Log events."""

    DEAD_LETTER_CLOSED = "dead_letter.closed"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.closed = meters.counter(
            "floorhub_dead_letters_closed",
            "Dead letters that a person closed",
            "by",
            known=each([REPLAYED, DISMISSED, DECIDED]),
        )
        self.open = meters.gauge("floorhub_dead_letters_open", "Commands that wait for a person")

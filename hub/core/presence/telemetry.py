"""What presence tells log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters, each


class Event(EventName):
    """Log events."""

    MESSAGE_REFUSED = "message.refused"
    CLIENT_PRESENCE = "client.presence"
    CLIENT_DISTRUSTS = "client.distrusts"
    CLIENT_WELCOMED = "client.welcomed"
    CLIENT_JOURNAL_LOST = "client.journal_lost"
    CLIENT_EPOCH_AHEAD = "client.epoch_ahead"
    CLIENT_UNVERIFIED = "client.unverified"
    CLIENT_TWO_MACHINES = "client.two_machines"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.security_events = meters.counter(
            "floorhub_security_events", "What looks like an attack", "kind", known=each(["two_machines"])
        )

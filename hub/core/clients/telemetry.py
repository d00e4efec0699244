"""What clients tell log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    CLIENT_CREATED = "client.created"
    CLIENT_RETIRED = "client.retired"
    CLIENT_CHANGED = "client.changed"
    CLIENTS_IMPORTED = "clients.imported"
    CLIENT_PAIRED = "client.paired"
    PAIRING_REFUSED = "pairing.refused"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.active = meters.gauge("floorhub_active_clients", "Clients that may connect, by presence", "presence")

"""What the edge tells log and metrics."""

from hub.api.telemetry import METHODS
from hub.programs.edge.packets import Why
from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters, each

REFUSALS = ("full", "address_full", "half_open", "origin", "handshake", *(why.value for why in Why))


class Event(EventName):
    """Log events."""

    EDGE_STARTED = "edge.started"
    EDGE_STOPPED = "edge.stopped"
    EDGE_REFUSED = "edge.refused"
    CERTIFICATE_TAKEN = "certificate.taken"
    CERTIFICATE_REFUSED = "certificate.refused"
    UPSTREAM_FAILED = "upstream.failed"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.connections = meters.gauge(
            "floorhub_edge_connections",
            "Connections of others: half_open, idle and busy with HTTP, or MQTT pages",
            "state",
        )
        self.refused = meters.counter(
            "floorhub_edge_refused", "Connections and pages turned away", "reason", known=each(REFUSALS)
        )
        self.requests = meters.counter(
            "floorhub_edge_requests",
            "HTTP requests that went through the edge",
            "method",
            "status",
            known=[(method, "200") for method in METHODS[:1]],
        )
        self.upstream_failures = meters.counter(
            "floorhub_edge_upstream_failures",
            "Requests that the hub did not answer",
            "reason",
            known=each(("away", "no_answer", "cut_off")),
        )
        self.certificate_ends = meters.gauge(
            "floorhub_edge_certificate_not_after_seconds", "When the certificate ends, in seconds since 1970"
        )

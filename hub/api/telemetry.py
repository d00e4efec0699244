"""What the HTTP server tells log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    HTTP_REQUEST = "http.request"
    HTTP_FAILED = "http.failed"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.requests = meters.counter("http_requests", "HTTP requests", "method", "status")
        self.request_duration = meters.histogram("http_request_duration_seconds", "Duration of HTTP requests")

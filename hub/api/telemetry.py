"""What the HTTP server tells log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Those that are told apart."""
_KNOWN = [(method, status) for method in ("GET", "POST", "PUT", "PATCH", "DELETE") for status in ("200", "500", "503")]
"""What rates of success and failure are made of."""


class Event(EventName):
    """Log events."""

    HTTP_REQUEST = "http.request"
    HTTP_FAILED = "http.failed"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.requests = meters.counter("floorhub_http_requests", "HTTP requests", "method", "status", known=_KNOWN)
        self.request_duration = meters.histogram("floorhub_http_request_duration_seconds", "Duration of HTTP requests")

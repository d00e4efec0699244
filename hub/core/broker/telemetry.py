"""What the exchange with the broker tells log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    BROKER_CHANGED = "broker.changed"
    BROKER_CHANGE_FAILED = "broker.change_failed"
    BROKER_RESTART = "broker.restart"
    REPORTS_RETRIED = "reports.retried"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.connected = meters.gauge("floorhub_broker_connected", "1 while this worker is connected to the broker")
        self.reports_waiting = meters.gauge("floorhub_reports_waiting", "Reports received and not applied yet")
        self.changes_open = meters.gauge("floorhub_broker_changes_open", "Changes that the broker has yet to learn")

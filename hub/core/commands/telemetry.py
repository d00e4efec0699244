"""What commands tell log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    COMMAND_CREATED = "command.created"
    COMMAND_REFUSED = "command.refused"
    COMMAND_SENT = "command.sent"
    COMMAND_SENT_AGAIN = "command.sent_again"
    COMMAND_CANCEL_SENT = "command.cancel_sent"
    COMMAND_CHANGED = "command.changed"
    COMMAND_OVERDUE = "command.overdue"
    REPORT_QUARANTINED = "report.quarantined"
    DOCUMENT_FETCHED = "document.fetched"
    DOCUMENT_REFUSED = "document.refused"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.created = meters.counter("commands_created", "Commands stored", "action")
        self.refused = meters.counter("commands_refused", "Commands refused, by problem code", "code")
        self.completed = meters.counter("commands_completed", "Commands that ended, by status", "status")
        self.sent = meters.counter("commands_sent", "Run messages published, first and again", "kind")
        self.reports_quarantined = meters.counter("reports_quarantined", "Reports that could not be used", "reason")
        self.accept_to_started = meters.histogram(
            "command_accept_to_started_seconds", "From the commit of a command to its start at the agent"
        )
        self.duration = meters.histogram("command_duration_seconds", "From the commit of a command to its end")
        self.unfinished = meters.gauge("commands_unfinished", "Commands that have not ended, by status", "status")

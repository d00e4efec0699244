"""What commands tell log and metrics."""

from hub.core.commands.rules.lifecycle import ENDED
from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters, each
from schemas.actions import ACTIONS

OWN = "own"
"""Label of a site's own actions, whose names callers choose."""
REFUSALS = (
    *("action_not_allowed", "already_expired", "client_disabled", "client_not_found", "client_offline"),
    *("client_retired", "document_not_found", "grant_missing", "never_due", "quota_exceeded", "rate_limited"),
)
"""The codes of the statement `submit` with which a command is refused."""
UNUSABLE = ("failed", "foreign_command", "not_handed_out", "unknown_command", "unreadable", "unsupported")
"""Why a report cannot be used."""


class Event(EventName):
    """Log events."""

    COMMAND_CREATED = "command.created"
    COMMAND_REFUSED = "command.refused"
    COMMAND_SENT = "command.sent"
    COMMAND_SENT_AGAIN = "command.sent_again"
    COMMAND_CANCEL_SENT = "command.cancel_sent"
    COMMAND_CHANGED = "command.changed"
    COMMAND_OVERDUE = "command.overdue"
    COMMANDS_WITHHELD = "commands.withheld"
    COMMANDS_RELEASED = "commands.released"
    REPORT_QUARANTINED = "report.quarantined"
    DOCUMENT_FETCHED = "document.fetched"
    DOCUMENT_REFUSED = "document.refused"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.created = meters.counter(
            "floorhub_commands_created", "Commands stored", "action", known=each([*ACTIONS, OWN])
        )
        self.refused = meters.counter(
            "floorhub_commands_refused", "Commands refused, by problem code", "code", known=each(REFUSALS)
        )
        self.completed = meters.counter(
            "floorhub_commands_completed",
            "Commands that ended, by status",
            "status",
            known=each(sorted(status.value for status in ENDED)),
        )
        self.sent = meters.counter(
            "floorhub_commands_sent", "Run messages published, first and again", "kind", known=each(["first", "again"])
        )
        self.reports_quarantined = meters.counter(
            "floorhub_reports_quarantined", "Reports that could not be used", "reason", known=each(UNUSABLE)
        )
        self.accept_to_started = meters.histogram(
            "floorhub_command_accept_to_started_seconds", "From the commit of a command to its start at the agent"
        )
        self.duration = meters.histogram("floorhub_command_duration_seconds", "From the commit of a command to its end")
        self.unfinished = meters.gauge(
            "floorhub_commands_unfinished", "Commands that have not ended, by status", "status"
        )

"""What the audit tells log and metrics."""

from hub.telemetry.log import EventName
from hub.telemetry.metrics import Meters


class Event(EventName):
    """Log events."""

    AUDIT_NOT_SEALED = "audit.not_sealed"
    AUDIT_SEALED_AGAIN = "audit.sealed_again"
    AUDIT_RESTORED = "audit.restored"
    AUDIT_BROKEN = "audit.broken"
    AUDIT_NOT_NOTED = "audit.not_noted"
    AUDIT_DAY_SEALED = "audit.day_sealed"


class Metrics:
    """Figures."""

    def __init__(self, meters: Meters) -> None:
        self.seals = meters.counter("floorhub_audit_seals", "Seals that this process made")
        self.rows = meters.counter("floorhub_audit_sealed_rows", "Audit rows that this process sealed")
        self.delay = meters.gauge(
            "floorhub_audit_seal_delay_seconds", "From the oldest row of this process's last seal to the seal"
        )

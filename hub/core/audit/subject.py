"""Audit: the trace of who did what, and what looked like an attack."""

from hub.config import Settings
from hub.database.statements import statement
from hub.parts import Parts
from hub.subject import Kept, Subject, days


def build(settings: Settings, _parts: Parts) -> Subject:
    """Needs nothing."""
    period = days(settings.keep_audit_days)
    return Subject(
        kept=(
            Kept(
                "security",
                period,
                delete=statement("core/audit", "delete_security_events"),
                count=statement("core/audit", "count_security_events"),
            ),
            Kept(
                "audit",
                period,
                delete=statement("core/audit", "delete_rows"),
                count=statement("core/audit", "count_rows"),
            ),
        )
    )

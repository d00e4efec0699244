"""Audit: the trace of who did what, and what looked like an attack."""

from hub.config import Settings
from hub.parts import Parts
from hub.subject import Kept, Subject, days


def build(settings: Settings, _parts: Parts) -> Subject:
    """Needs nothing."""
    period = days(settings.keep_audit_days)
    return Subject(
        kept=(
            Kept.of("security", period, "core/audit", "security_events"),
            Kept.of("audit", period, "core/audit", "rows"),
        )
    )

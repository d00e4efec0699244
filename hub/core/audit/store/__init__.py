"""The trace of who did what: rows written in the transaction of what they tell of, and the seals over them.

Subjects record with what stands here; the rest is for this subject and for who shows the trail.
"""

from hub.core.audit.store.recording import (
    MOST_OF_ADDRESS,
    MOST_OF_KIND,
    WROTE,
    Actor,
    AtHost,
    Severity,
    changed,
    record,
    record_commands,
    record_details,
    record_each,
    record_security,
)

__all__ = [
    "MOST_OF_ADDRESS",
    "MOST_OF_KIND",
    "WROTE",
    "Actor",
    "AtHost",
    "Severity",
    "changed",
    "record",
    "record_commands",
    "record_details",
    "record_each",
    "record_security",
]

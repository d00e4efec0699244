"""The life of a command: every status, every event, the one function that decides what follows, and a command that
decisions are folded into. All of it is pure.

The store locks commands and applies what was folded into them with one guarded statement ("to X if still in Y and
attempt is N"); dispatch moves pending to queued with a statement of its own, which a test holds against this table.

            ┌── failed, retryable ──┐
            v                       │
    pending ──> queued ──────> running ──> completed | failed | cancelled
       │          │                │
       │          ├──> completed | failed | cancelled | expired
       │          └────────────────┴──> unknown ──> completed | failed | cancelled | expired (a late report)
       └──> cancelled | expired

What a person may do about a command that ended without success is decided in `dead_letters`.
"""

from hub.core.commands.rules.lifecycle.changes import LockedCommand, NewLog
from hub.core.commands.rules.lifecycle.decisions import (
    MAX_REASONS,
    CancelRequested,
    Close,
    DeadlinePassed,
    Decision,
    Event,
    Ignore,
    Ignored,
    JournalLost,
    Move,
    Reported,
    Touch,
    decide,
)
from hub.core.commands.rules.lifecycle.states import (
    ACCEPTED_LEASE,
    BUSY_DELAY,
    ENDED,
    FINAL,
    HANDED_OUT,
    HELD_ALLOWANCE,
    NO_WORD_GRACE,
    RUN_GRACE,
    TRANSITIONS,
    Command,
    Status,
    deadline_of,
)

__all__ = [
    "ACCEPTED_LEASE",
    "BUSY_DELAY",
    "ENDED",
    "FINAL",
    "HANDED_OUT",
    "HELD_ALLOWANCE",
    "MAX_REASONS",
    "NO_WORD_GRACE",
    "RUN_GRACE",
    "TRANSITIONS",
    "CancelRequested",
    "Close",
    "Command",
    "DeadlinePassed",
    "Decision",
    "Event",
    "Ignore",
    "Ignored",
    "JournalLost",
    "LockedCommand",
    "Move",
    "NewLog",
    "Reported",
    "Status",
    "Touch",
    "deadline_of",
    "decide",
]

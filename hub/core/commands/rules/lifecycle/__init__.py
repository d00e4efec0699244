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

Two actions end without a report, since they end who would report: a `shutdown` by its client's good-bye, after which
nobody comes back, and a `reboot` by a birth of the machine's next boot.

What a person may do about a command that ended without success is decided in `dead_letters`.
"""

from hub.core.commands.rules.lifecycle.changes import LockedCommand, NewLog
from hub.core.commands.rules.lifecycle.decisions import (
    MAX_REASONS,
    CameBack,
    CancelRequested,
    Close,
    DeadlinePassed,
    Decision,
    Event,
    Ignore,
    Ignored,
    JournalLost,
    Move,
    Rebooted,
    Reported,
    SaidGoodbye,
    Touch,
    decide,
)
from hub.core.commands.rules.lifecycle.states import (
    ACCEPTED_LEASE,
    BUSY_DELAY,
    ENDED,
    FINAL,
    GOODBYE_QUIET,
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
    "GOODBYE_QUIET",
    "HANDED_OUT",
    "HELD_ALLOWANCE",
    "MAX_REASONS",
    "NO_WORD_GRACE",
    "RUN_GRACE",
    "TRANSITIONS",
    "CameBack",
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
    "Rebooted",
    "Reported",
    "SaidGoodbye",
    "Status",
    "Touch",
    "deadline_of",
    "decide",
]

"""Every status of a command, the transitions between them, and how long a command may stay in one."""

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from hub.core.commands.rules.retry import RetryPolicy
from schemas.states import HELD_ALLOWANCE_S


class Status(enum.StrEnum):
    """Where a command is. Who moves it on and who cleans up is said at each."""

    PENDING = "pending"
    """Stored; not handed out in its current attempt. Dispatch hands it out; the reaper expires it."""
    QUEUED = "queued"
    """Handed out in its current attempt, perhaps received. The agent's report moves it; the reaper, 60 s after
    `expires_at`, makes it unknown."""
    RUNNING = "running"
    """The agent reported started. Its report ends it; the reaper, after `timeout_s` and a grace, makes it unknown."""
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    """A row of a batch that quota or permission refused; nothing was taken."""
    UNKNOWN = "unknown"
    """The effect may or may not have happened; a late report of the same attempt still decides it."""


FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED, Status.REJECTED})
#: Ended, as far as a caller who waits is concerned.
ENDED = FINAL | {Status.UNKNOWN}
#: With the agent: handed out and not ended. These fill a window.
HANDED_OUT = frozenset({Status.QUEUED, Status.RUNNING})

NO_WORD_GRACE = timedelta(seconds=60)
"""How long after `expires_at` a queued command waits for the agent's word."""
RUN_GRACE = timedelta(seconds=30)
"""How long after `timeout_s` a running command waits: the agent's own time-out and its report come first."""
HELD_ALLOWANCE = timedelta(seconds=HELD_ALLOWANCE_S)
"""How long a run may wait for a person (paper, a jam) on top of its `timeout_s`, and until `expires_at` in any case:
until then it may wait for a printer that is off, to which nothing was sent."""
ACCEPTED_LEASE = timedelta(seconds=60)
"""When an attempt that the agent has, and has not begun, is offered again. An agent that starts anew begins nothing of
its journal before it is offered once more, and the offer may have been lost with the hub that made it."""
GOODBYE_QUIET = timedelta(seconds=60)
"""How long a client must stay away after its good-bye until a `shutdown` counts as carried out."""
BUSY_DELAY = timedelta(seconds=5)
"""When an attempt that the agent was too busy to take is sent again."""

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    # Ends without having been handed out: only of a restored hub, which may have handed it out before.
    Status.PENDING: frozenset(
        {Status.QUEUED, Status.CANCELLED, Status.EXPIRED, Status.COMPLETED, Status.FAILED, Status.UNKNOWN}
    ),
    Status.QUEUED: frozenset(
        {
            Status.RUNNING,
            Status.COMPLETED,
            Status.FAILED,
            Status.CANCELLED,
            Status.EXPIRED,
            Status.PENDING,
            Status.UNKNOWN,
        }
    ),
    Status.RUNNING: frozenset(
        {
            Status.COMPLETED,
            Status.FAILED,
            Status.CANCELLED,
            Status.EXPIRED,
            Status.UNKNOWN,
            Status.PENDING,
        }
    ),
    Status.UNKNOWN: frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED, Status.EXPIRED}),
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
    Status.EXPIRED: frozenset(),
    Status.REJECTED: frozenset(),
}
"""Each transition that the code can make, and no other."""


class Command(msgspec.Struct, frozen=True):
    """What the decision depends on; a row of the table `commands`, less what it does not."""

    status: Status
    attempt: int
    expires_at: datetime
    timeout_s: float
    retry: RetryPolicy = RetryPolicy()
    cancel_requested: bool = False
    held: bool = False
    accepted: bool = False
    rerun: bool = False
    unknown_reason: str | None = None
    deadline_at: datetime | None = None
    dead_letter_reason: str | None = None
    dead_letter_closed_by: str | None = None
    goodbye_at: datetime | None = None
    restored: bool = False
    """Whether the hub was restored since, from a backup and without the database of before: the client's journal may
    know more of the command than the hub."""

    @property
    def waits(self) -> bool:
        """Whether it is an open dead letter, which waits for a person."""
        return self.dead_letter_reason is not None and self.dead_letter_closed_by is None


def deadline_of(
    status: Status, expires_at: datetime, timeout_s: float, now: datetime, *, held: bool
) -> datetime | None:
    """Until when a command may stay in `status` before the reaper decides; None for ever."""
    match status:
        case Status.PENDING:
            return expires_at
        case Status.QUEUED:
            return expires_at + NO_WORD_GRACE
        case Status.RUNNING:
            begins = max(now + HELD_ALLOWANCE, expires_at) if held else now
            return begins + timedelta(seconds=timeout_s) + RUN_GRACE
        case Status.COMPLETED | Status.FAILED | Status.CANCELLED | Status.EXPIRED | Status.REJECTED | Status.UNKNOWN:
            return None
    assert_never(status)

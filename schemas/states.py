"""Statuses and other closed sets that travel on the wire.

A newer peer may send a value that this version does not know: it becomes `UNSUPPORTED`, never an exception.
"""

import enum


class ReportStatus(enum.StrEnum):
    """What an agent says about an attempt."""

    ACCEPTED = "accepted"
    """The command is in the agent's journal and waits for its lane."""
    STARTED = "started"
    """The effect begins now, or goes on after `held`."""
    HELD = "held"
    """The effect waits for a person: paper, toner, a jam. `progress.reasons` names it."""
    PROGRESS = "progress"
    """How far it is; neither journalled nor receipted, the latest wins."""
    COMPLETED = "completed"
    FAILED = "failed"
    """It ended without its effect, or with a part of it; `error.retryable` means that nothing took effect."""
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """`expires_at` passed before the effect began; the agent refused to begin."""
    UNKNOWN = "unknown"
    """The effect may or may not have happened; `result.data.evidence` says what is known."""
    BUSY = "busy"
    """The agent can take no more now; send the same attempt again later."""
    UNSUPPORTED = "unsupported"
    """A status of a newer peer that this version does not know."""

    @classmethod
    def _missing_(cls, value: object) -> "ReportStatus":  # noqa: ARG003 - the enum protocol passes it
        return cls.UNSUPPORTED


#: Statuses that end an attempt.
END_STATUSES = frozenset(
    {
        ReportStatus.COMPLETED,
        ReportStatus.FAILED,
        ReportStatus.CANCELLED,
        ReportStatus.EXPIRED,
        ReportStatus.UNKNOWN,
    }
)


class OnInterrupt(enum.StrEnum):
    """What an agent does with an attempt that was cut off between its start and its end."""

    RERUN = "rerun"
    """Run it again as the same attempt: the sender says that twice does no harm."""
    UNKNOWN = "unknown"
    """Ask the driver for evidence; without any, report `unknown`. Never a blind second effect."""


class Level(enum.StrEnum):
    """What a client keeps."""

    BASIC = "basic"
    """No journal: a new session of it makes what was handed out and not ended unknown."""
    FULL = "full"
    """A journal, an epoch, and it verifies signatures."""


HELD_ALLOWANCE_S = 86_400.0
"""How long a run may be held, waiting for a person, on top of its `timeout_s`, which stands still meanwhile."""


class Presence(enum.StrEnum):
    """Whether a client is there, by the evidence the hub has."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"

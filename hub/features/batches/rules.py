"""What may happen to a batch, when it stops by itself, and how a staged rollout spreads it. Pure."""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


class BatchStatus(enum.StrEnum):
    """Where a batch is. Its commands live their own lives; these words say what is still handed out."""

    RUNNING = "running"
    PAUSED = "paused"
    """What was not handed out is held back; what was goes on."""
    CANCELLED = "cancelled"
    """A cancel was asked for each of its commands, by a person or because too many failed."""
    FINISHED = "finished"
    """Every command has ended."""


class Change(enum.StrEnum):
    """What somebody asks of a batch."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


_AFTER: Mapping[Change, tuple[frozenset[BatchStatus], BatchStatus]] = {
    Change.PAUSE: (frozenset({BatchStatus.RUNNING}), BatchStatus.PAUSED),
    Change.RESUME: (frozenset({BatchStatus.PAUSED}), BatchStatus.RUNNING),
    Change.CANCEL: (frozenset({BatchStatus.RUNNING, BatchStatus.PAUSED}), BatchStatus.CANCELLED),
}


def after(status: BatchStatus, change: Change) -> BatchStatus | None:
    """The status that a change leads to, the same one when it is there already; None when it cannot any more."""
    origins, goal = _AFTER[change]
    return goal if status in origins or status is goal else None


def too_many(failed: int, max_failures: int | None) -> bool:
    """Whether so many failures stop a batch: as many as allowed do not, one more does."""
    return max_failures is not None and failed > max_failures


def failures_allowed(max_failures: int | None, percent: float | None, accepted: int) -> int | None:
    """The limit as a number: of the accepted commands, rounded down; the smaller one when both are given."""
    limits = [] if max_failures is None else [max_failures]
    if percent is not None:
        limits.append(math.floor(accepted * percent / 100))
    return min(limits, default=None)


@dataclass(frozen=True, slots=True)
class Rollout:
    """A batch that begins little by little: so many commands a minute, or such a share of all."""

    per_minute: float | None = None
    percent_per_minute: float | None = None

    def pace(self, total: int) -> float:
        """Commands a minute, at least one."""
        if self.per_minute is not None:
            return self.per_minute
        return max(1.0, total * (self.percent_per_minute or 100.0) / 100)


LONGEST_ROLLOUT = timedelta(days=30)


def takes_too_long(total: int, pace: float) -> bool:
    """Whether the last command of a rollout would begin later than anybody can mean."""
    return total * 60 / pace > LONGEST_ROLLOUT.total_seconds()


def begins_after(place: int, pace: float) -> timedelta:
    """How long after the first the command at `place` (from 0) may begin: evenly spread, so that a limit of failures
    stops a rollout between two commands, not between two minutes."""
    return timedelta(seconds=place * 60 / pace)

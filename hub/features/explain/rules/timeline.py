"""The timeline of a command: every step with its time. Pure; API, command line and explanations show this one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

EVENTS = (
    *("created", "rejected", "queued", "sent", "accepted", "started", "held", "resumed", "retry", "cancel_requested"),
    *("goodbye", "returned"),
    *("completed", "failed", "cancelled", "expired", "unknown", "evidence", "decided", "replayed", "dismissed"),
)
"""In which order steps of the same moment are told; an event that is not here comes last."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what happened, when, and how many milliseconds after the step before (0 for the first)."""

    event: str
    at: datetime
    after_ms: float
    attempt: int
    detail: Mapping[str, Any] | None = None


class Timed(Protocol):
    """A command, as far as its own columns tell of steps."""

    @property
    def attempt(self) -> int:
        """The present attempt."""

    @property
    def sent_at(self) -> datetime | None:
        """When the broker acknowledged it."""

    @property
    def accepted_at(self) -> datetime | None:
        """When the agent had journalled it."""


class Logged(Protocol):
    """A row of a command's log."""

    @property
    def at(self) -> datetime:
        """When it happened."""

    @property
    def event(self) -> str:
        """What happened."""

    @property
    def attempt(self) -> int:
        """Of which attempt."""

    @property
    def detail(self) -> Mapping[str, Any] | None:
        """What belongs to it."""


def timeline(command: Timed, logs: Sequence[Logged]) -> list[Step]:
    """The steps of a command in order of time, from its row and those of its log.

    `sent` (at the broker) and `accepted` (in the agent's journal) are known of the present attempt only.
    """
    found = [(entry.at, entry.event, entry.attempt, entry.detail) for entry in logs]
    for at, event in ((command.sent_at, "sent"), (command.accepted_at, "accepted")):
        if at is not None:
            found.append((at, event, command.attempt, None))
    found.sort(key=lambda step: (step[0], EVENTS.index(step[1]) if step[1] in EVENTS else len(EVENTS)))
    steps: list[Step] = []
    for at, event, attempt, detail in found:
        after = (at - steps[-1].at).total_seconds() * 1000 if steps else 0.0
        steps.append(Step(event, at, round(after, 1), attempt, detail))
    return steps

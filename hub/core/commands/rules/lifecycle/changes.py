"""A command with what is decided about it: decisions are folded in one after the other, and their sum is written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from hub.core.commands.rules.lifecycle.decisions import Close, Decision, Ignore, Ignored, Move, Touch
from hub.core.commands.rules.lifecycle.states import ACCEPTED_LEASE, ENDED, HANDED_OUT, Command, Status

_TOLD = ("error", "result", "held_reasons", "unknown_reason", "not_before")
"""Changes that the log tells, too."""


class NewLog(msgspec.Struct, frozen=True):
    """A row to be written to the log of a command; its version follows from its place."""

    event: str
    status: str
    attempt: int
    report_id: UUID | None
    detail: Mapping[str, Any] | None


@dataclass(slots=True)
class LockedCommand:
    """A command locked in the present transaction, or as it was when it was handed out, and what is to become of it.

    Decisions are folded in one after the other; the store writes the sum with one guarded statement: its guard is the
    status, attempt, version and deadline that the command had when it was read.
    """

    id: UUID
    client_id: str
    state: Command
    """As it is with all that was folded in."""
    version: int
    now: datetime
    created_at: datetime
    seen: frozenset[UUID]
    """Reports of the present batch that were applied before."""
    from_status: Status
    from_attempt: int
    from_deadline_at: datetime | None
    held_reasons: list[str] | None = None
    """What the row has, as `finished_at`."""
    finished_at: datetime | None = None
    leased: bool = False
    """Whether the attempt is to be sent again, should no word come."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Columns and their new values."""
    logs: list[NewLog] = field(default_factory=list)
    answered: bool = False
    """Whether the agent's word is among the decisions: then the attempt need not be sent again soon."""

    def fold(self, decision: Decision, report_id: UUID | None = None) -> bool:
        """Take a decision in; False when it changes nothing."""
        match decision:
            case Ignore(reason):
                # An answer that says nothing new is an answer all the same.
                if report_id is not None and reason in (Ignored.REPEATED, Ignored.LATE):
                    self.answered = True
                return False
        self.answered = self.answered or report_id is not None
        match decision:
            case Touch(changes):
                self._take(changes)
            case Close(event, changes, said):
                self._take(changes)
                self._log(event, report_id, said)
            case Move(to, event, changes, said):
                self._take({**self._follows(to, changes), **changes})
                told = {key: changes[key] for key in _TOLD if changes.get(key)}
                self._log(event, report_id, {**told, **said})
        return True

    def repeated(self, attempt: int) -> None:
        """Take in that a report about `attempt`, applied before, came again: the agent has it and need not be asked."""
        if attempt == self.state.attempt:
            self.answered = True

    def sent(self, at: datetime) -> None:
        """Write along when the broker acknowledged the attempt. Only with another change: it is a time for people."""
        self.changes["sent_at"] = at

    def _follows(self, to: Status, decided: Mapping[str, Any]) -> dict[str, Any]:
        """What a status brings with it, beside what was decided."""
        changes: dict[str, Any] = {"status": to}
        if to in ENDED:
            changes |= {"finished_at": self.now, "deadline_at": None, "held_reasons": None}
            if to is not Status.UNKNOWN:
                changes["unknown_reason"] = None
            settled = to in (Status.COMPLETED, Status.CANCELLED) and "dead_letter_reason" not in decided
            if self.state.waits and settled:
                changes |= {"dead_letter_closed_at": self.now, "dead_letter_closed_by": "late_answer"}
        elif to is Status.RUNNING and self.state.status is not Status.RUNNING:
            changes["started_at"] = self.now
        elif to is Status.PENDING:
            changes["held_reasons"] = None
        return changes

    def _take(self, changes: Mapping[str, Any]) -> None:
        self.changes.update(changes)
        state = self.state
        self.state = msgspec.structs.replace(
            state,
            status=changes.get("status", state.status),
            attempt=changes.get("attempt", state.attempt),
            cancel_requested=state.cancel_requested or "cancel_requested_at" in changes,
            held=bool(changes["held_reasons"]) if "held_reasons" in changes else state.held,
            accepted=state.accepted or "accepted_at" in changes,
            unknown_reason=changes.get("unknown_reason", state.unknown_reason),
            deadline_at=changes.get("deadline_at", state.deadline_at),
            dead_letter_reason=changes.get("dead_letter_reason", state.dead_letter_reason),
            dead_letter_closed_by=changes.get("dead_letter_closed_by", state.dead_letter_closed_by),
            goodbye_at=changes.get("goodbye_at", state.goodbye_at),
        )

    def _log(self, event: str, report_id: UUID | None, detail: Mapping[str, Any]) -> None:
        self.logs.append(NewLog(event, self.state.status.value, self.state.attempt, report_id, detail or None))

    @property
    def changed(self) -> bool:
        """Whether a decision changed the command."""
        return bool(self.changes)

    @property
    def to_write(self) -> bool:
        """Whether there is something to write: a change, or that it need not be sent again so soon."""
        return self.changed or (self.answered and self.leased)

    def row(self) -> dict[str, Any]:
        """What the store is to write, and the guard, by the names of columns: the input row of its `apply`."""
        return {
            **self.changes,
            "id": self.id,
            "from_status": self.from_status.value,
            "from_attempt": self.from_attempt,
            "from_version": self.version,
            "from_deadline_at": self.from_deadline_at,
            "status": self.state.status.value,
            "attempt": self.state.attempt,
            "held_reasons": self.changes.get("held_reasons", self.held_reasons),
            "deadline_at": self.state.deadline_at,
            "finished_at": self.changes.get("finished_at", self.finished_at),
            "unknown_reason": self.state.unknown_reason,
            "goodbye_at": self.state.goodbye_at,
            "answered": self.answered,
            "next_lease_until": self.now + ACCEPTED_LEASE if self.state.status is Status.QUEUED else None,
            "logs": self.logs,
        }

    def settle(self, report_ids: Iterable[UUID]) -> None:
        """Become the row as it stands after the store moved it with these reports, ready for further decisions."""
        self.version += len(self.logs)
        self.from_status, self.from_attempt = self.state.status, self.state.attempt
        self.from_deadline_at = self.state.deadline_at
        self.seen |= frozenset(report_ids)
        self.held_reasons = self.changes.get("held_reasons", self.held_reasons)
        self.finished_at = self.changes.get("finished_at", self.finished_at)
        again = self.leased and (not self.answered or self.state.status is Status.QUEUED)
        self.leased = self.state.status in HANDED_OUT and (self.changes.get("lease_until") is not None or again)
        self.changes, self.logs, self.answered = {}, [], False

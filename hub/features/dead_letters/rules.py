"""What a person may do about a command that ended without success and waits for him. Pure.

A dead letter is open from the moment that a command has a `dead_letter_reason` (one that its client cancelled although
nobody asked for that has one, too) until somebody or something closes it:
a person, who has it run once more, dismisses it or says what became of it, or the agent, whose late answer brings
success (see `lifecycle`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import UUID

from hub.core.commands.rules.lifecycle import Close, Command, Ignore, Ignored, Move, Status

REPLAYED, DISMISSED, DECIDED = "replayed", "dismissed", "decided"
"""By what a person closes one: `dead_letter_closed_by`, and the event in the log."""
OUTCOMES = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
"""What a person who looked at the device may say of an unknown command."""


# --- what is asked -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replay:
    """Let it run once more, as the new command `command_id`. `force`: although its effect may have happened."""

    command_id: UUID
    by: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Let it rest; what waits behind its order key goes on."""

    by: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Decide:
    """Somebody has looked at the device: this is what became of it. `outcome` is one of OUTCOMES."""

    outcome: Status
    by: str
    note: str | None = None


Wish = Replay | Dismiss | Decide


def judge(command: Command, wish: Wish, now: datetime) -> Move | Close | Ignore:
    """What `wish` does to `command` at `now` (the database's clock)."""
    match wish:
        case Replay():
            if not command.waits:
                return Ignore(_why_not(command, REPLAYED))
            if command.status is Status.UNKNOWN and not wish.force:
                return Ignore(Ignored.NEEDS_FORCE)
            return Close(REPLAYED, _closed(REPLAYED, now), {"by": wish.by, "command_id": str(wish.command_id)})
        case Dismiss():
            if not command.waits:
                return Ignore(_why_not(command, DISMISSED))
            return Close(DISMISSED, _closed(DISMISSED, now), _said(wish.by, wish.note))
        case Decide():
            return _decide(command, wish, now)
    assert_never(wish)


def _decide(command: Command, wish: Decide, now: datetime) -> Move | Ignore:
    if wish.outcome not in OUTCOMES:
        raise ValueError(f"nobody can decide that a command is {wish.outcome}")
    if command.status is not Status.UNKNOWN:
        return Ignore(Ignored.NOT_UNKNOWN)
    # Also of one that failed: a person has seen it, so it waits for nobody any more.
    changes: dict[str, Any] = _closed(DECIDED, now) if command.waits else {}
    if wish.outcome is Status.FAILED:
        message = wish.note or "a person looked, and it had not been done"
        changes["error"] = {"code": DECIDED, "message": message, "retryable": False}
    return Move(wish.outcome, DECIDED, changes, _said(wish.by, wish.note))


def _why_not(command: Command, wanted: str) -> Ignored:
    if command.dead_letter_reason is None:
        return Ignored.NOT_A_DEAD_LETTER
    return Ignored.REPEATED if command.dead_letter_closed_by == wanted else Ignored.CLOSED


def _closed(by: str, now: datetime) -> dict[str, Any]:
    return {"dead_letter_closed_at": now, "dead_letter_closed_by": by}


def _said(by: str, note: str | None) -> Mapping[str, Any]:
    return {"by": by} if note is None else {"by": by, "note": note}


def time_left(
    created_at: datetime, not_before: datetime | None, expires_at: datetime, attempt: int, asked_s: float | None
) -> float:
    """Seconds that a replay has until it expires: what the caller asks for, or as long as its original had from the
    moment from which it might begin. Later attempts have overwritten that moment; then from its submit."""
    if asked_s is not None:
        return asked_s
    began = max(created_at, not_before) if not_before is not None and attempt == 1 else created_at
    return max((expires_at - began) / timedelta(seconds=1), 1.0)

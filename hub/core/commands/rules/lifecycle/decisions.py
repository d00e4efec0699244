"""What may happen to a command, and the one function that decides what follows."""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, assert_never

import msgspec

from hub.core.commands.rules.lifecycle.states import (
    BUSY_DELAY,
    ENDED,
    FINAL,
    GOODBYE_QUIET,
    HANDED_OUT,
    Command,
    Status,
    deadline_of,
)
from schemas.states import ReportStatus

MAX_REASONS = 20
"""How many reasons for being held are kept."""
NOT_REQUESTED = "cancel_not_requested"
"""Why a command is a dead letter whose client says `cancelled` although nobody asked for that through the hub."""

_ENDS = frozenset(
    {
        ReportStatus.COMPLETED,
        ReportStatus.FAILED,
        ReportStatus.CANCELLED,
        ReportStatus.EXPIRED,
        ReportStatus.UNKNOWN,
    }
)
_RESTORED = "the hub was restored from a backup, and the journal that the client had then is gone"

# --- events --------------------------------------------------------------------------------------------------


class Reported(msgspec.Struct, frozen=True):
    """An agent's report about one attempt."""

    status: ReportStatus
    attempt: int
    retryable: bool = False
    error: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    chance: float = 0.5
    """From [0, 1): spreads the next attempts of commands that failed together."""


class CancelRequested(msgspec.Struct, frozen=True):
    """A person or an integration asks to cancel."""


class DeadlinePassed(msgspec.Struct, frozen=True):
    """The reaper found `deadline_at` in the past."""


class JournalLost(msgspec.Struct, frozen=True):
    """The client's journal is gone, rolled back or copied, or a basic client has a new session: nobody can say
    any more what became of an attempt that was handed out."""

    reason: str = "journal_lost"


class SaidGoodbye(msgspec.Struct, frozen=True):
    """The client of a `shutdown` has gone, by its own good-bye."""


class CameBack(msgspec.Struct, frozen=True):
    """That client is there again."""


class Rebooted(msgspec.Struct, frozen=True):
    """The client of a `reboot` was born on a machine that has booted since the birth before."""

    before: str
    now: str


Event = Reported | CancelRequested | DeadlinePassed | JournalLost | SaidGoodbye | CameBack | Rebooted


# --- decisions -----------------------------------------------------------------------------------------------


class Ignored(enum.StrEnum):
    """Why an event changed nothing."""

    REPEATED = "repeated"
    """The command is already where the event would bring it."""
    LATE = "late"
    """The command has ended, and the event says nothing that overrules the end."""
    OLD_ATTEMPT = "old_attempt"
    NOT_HANDED_OUT = "not_handed_out"
    """A report about an attempt that the hub has not handed out."""
    UNSUPPORTED = "unsupported"
    """A status of a newer agent that this hub does not know."""
    NOT_DUE = "not_due"
    NOT_A_DEAD_LETTER = "not_a_dead_letter"
    CLOSED = "closed"
    """It was a dead letter, which something else has closed."""
    NEEDS_FORCE = "needs_force"
    """Its effect may have happened."""
    NOT_UNKNOWN = "not_unknown"


class Move(msgspec.Struct, frozen=True):
    """To another status, or a change worth a row in the log within the same one.

    `changes` are columns of `commands` and their new values, besides status, version and times that follow from
    the status. `event` names the row in `command_logs`, `detail` is what that says besides them.
    """

    to: Status
    event: str
    changes: Mapping[str, Any] = msgspec.field(default_factory=dict)
    detail: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Touch(msgspec.Struct, frozen=True):
    """The status stays and no log row is due, but these columns change."""

    changes: Mapping[str, Any]


class Close(msgspec.Struct, frozen=True):
    """The command stays where it ended; its dead letter is closed, with a row `event` in the log."""

    event: str
    changes: Mapping[str, Any]
    detail: Mapping[str, Any]


class Ignore(msgspec.Struct, frozen=True):
    """Nothing changes."""

    reason: Ignored


Decision = Move | Touch | Close | Ignore


def decide(command: Command, event: Event, now: datetime) -> Decision:
    """What `event` does to `command` at `now` (the database's clock)."""
    match event:
        case Reported():
            return _report(command, event, now)
        case CancelRequested():
            return _cancel(command, now)
        case DeadlinePassed():
            return _deadline(command, now)
        case JournalLost():
            return _journal_lost(command, event, now)
        case SaidGoodbye():
            return _said_goodbye(command, now)
        case CameBack():
            return _came_back(command, now)
        case Rebooted():
            return _rebooted(command, event)
    assert_never(event)


def _report(command: Command, report: Reported, now: datetime) -> Decision:
    if report.attempt < command.attempt:
        return Ignore(Ignored.OLD_ATTEMPT)
    if report.attempt > command.attempt or command.status is Status.PENDING:
        return _forgotten(command, report, now)
    if command.status in FINAL:
        return Ignore(Ignored.REPEATED if report.status.value == command.status.value else Ignored.LATE)
    match report.status:
        case ReportStatus.ACCEPTED:
            return _accepted(command, now)
        case ReportStatus.STARTED:
            return _started(command, now)
        case ReportStatus.HELD:
            return _held(command, report, now)
        case ReportStatus.PROGRESS:
            if command.status is Status.UNKNOWN:
                return Ignore(Ignored.LATE)
            return Touch({"progress": dict(report.progress or {})})
        case ReportStatus.BUSY:
            return _busy(command, now)
        case ReportStatus.COMPLETED:
            return Move(Status.COMPLETED, "completed", {"result": report.result, "error": None})
        case ReportStatus.FAILED:
            return _failed(command, report, now)
        case ReportStatus.CANCELLED:
            return _cancelled(command, report)
        case ReportStatus.EXPIRED:
            if command.status is Status.RUNNING and not report.retryable:
                # It had begun, then its journal was lost, and the new one refuses to begin: nobody knows the effect.
                # Only an agent that knows that nothing took effect (it waited for its device) says `retryable`.
                return _unknown(command, report)
            if command.unknown_reason == "reported":
                return Ignore(Ignored.LATE)  # Its agent cannot say that it never began, having said that it may have.
            return Move(Status.EXPIRED, "expired", {"error": report.error, "dead_letter_reason": "expired"})
        case ReportStatus.UNKNOWN:
            return _unknown(command, report)
        case ReportStatus.UNSUPPORTED:
            return Ignore(Ignored.UNSUPPORTED)
    assert_never(report.status)


def _forgotten(command: Command, report: Reported, now: datetime) -> Decision:
    """About an attempt of which the hub does not know that it handed it out. If a restore made it forget that, the
    client's journal proves how the attempt ended; what is only under way is offered again, and then answered."""
    if not command.restored or command.status in FINAL or report.status not in _ENDS:
        return Ignore(Ignored.NOT_HANDED_OUT)
    handed_out = msgspec.structs.replace(
        command,
        attempt=report.attempt,
        status=Status.QUEUED if command.status is Status.PENDING else command.status,
    )
    decision = _report(handed_out, report, now)
    if not isinstance(decision, Move):
        return decision
    return msgspec.structs.replace(decision, changes={"attempt": report.attempt, **decision.changes})


def _accepted(command: Command, now: datetime) -> Decision:
    if command.status is not Status.QUEUED:
        return Ignore(Ignored.LATE)
    if command.accepted:
        return Ignore(Ignored.REPEATED)
    return Touch({"accepted_at": now})


def _busy(command: Command, now: datetime) -> Decision:
    if command.status not in HANDED_OUT:
        return Ignore(Ignored.LATE)
    later: dict[str, Any] = {"lease_until": now + BUSY_DELAY}
    if command.status is Status.RUNNING:
        # It had begun, then its journal was lost, and the new one takes nothing in just now.
        later["deadline_at"] = deadline_of(
            Status.RUNNING, command.expires_at, command.timeout_s, now, held=command.held
        )
    return Touch(later)


def _started(command: Command, now: datetime) -> Decision:
    if command.status is Status.UNKNOWN:
        return Ignore(Ignored.LATE)
    if command.status is Status.RUNNING and not command.held:
        return Ignore(Ignored.REPEATED)
    deadline = deadline_of(Status.RUNNING, command.expires_at, command.timeout_s, now, held=False)
    if command.goodbye_at is not None:
        deadline = command.goodbye_at + GOODBYE_QUIET  # its good-bye was heard before this
    event = "resumed" if command.status is Status.RUNNING else "started"
    return Move(Status.RUNNING, event, {"held_reasons": None, "deadline_at": deadline})


def _held(command: Command, report: Reported, now: datetime) -> Decision:
    if command.status is Status.UNKNOWN:
        return Ignore(Ignored.LATE)
    named = (report.progress or {}).get("reasons")
    # Held without a reason is held all the same, and must be seen as such when the run goes on.
    said = [reason for reason in named if isinstance(reason, str)] if isinstance(named, list) else []
    reasons = said[:MAX_REASONS] or ["unspecified"]
    deadline = deadline_of(Status.RUNNING, command.expires_at, command.timeout_s, now, held=True)
    changes: dict[str, Any] = {"held_reasons": reasons, "deadline_at": deadline}
    if command.goodbye_at is not None:
        changes["goodbye_at"] = None  # a good-bye that was heard before this came while nothing had been done yet
    return Move(Status.RUNNING, "held", changes)


def _failed(command: Command, report: Reported, now: datetime) -> Decision:
    error = dict(report.error or {})
    delay = command.retry.delay_after(command.attempt, report.chance) if report.retryable else None
    if command.status is not Status.UNKNOWN and report.retryable:
        if command.cancel_requested:
            # Nothing took effect and nobody wants it any more.
            return Move(Status.CANCELLED, "cancelled", {"error": error, "result": report.result})
        if delay is not None:
            return Move(
                Status.PENDING,
                "retry",
                {
                    "attempt": command.attempt + 1,
                    "not_before": now + delay,
                    "scheduled": True,
                    "error": error,
                    "deadline_at": command.expires_at,
                },
            )
    return Move(
        Status.FAILED,
        "failed",
        {"error": error, "result": report.result, "dead_letter_reason": error.get("code") or "failed"},
    )


def _cancelled(command: Command, report: Reported) -> Decision:
    changes: dict[str, Any] = {"result": report.result, "error": report.error}
    if not command.cancel_requested:
        # Somebody at the device, a fault of the client, or a cancel that a restored database has lost: whoever sent the
        # command does not know that it was not done.
        changes["dead_letter_reason"] = NOT_REQUESTED
    return Move(Status.CANCELLED, "cancelled", changes)


def _unknown(command: Command, report: Reported) -> Decision:
    if command.status is Status.UNKNOWN:
        if command.unknown_reason == "reported":
            return Ignore(Ignored.REPEATED)
        # The agent has spoken now: its evidence replaces our guess.
        return Move(
            Status.UNKNOWN,
            "evidence",
            {"unknown_reason": "reported", "result": report.result, "error": report.error},
        )
    return Move(
        Status.UNKNOWN,
        "unknown",
        {
            "unknown_reason": "reported",
            "result": report.result,
            "error": report.error,
            "dead_letter_reason": "unknown",
        },
    )


def _cancel(command: Command, now: datetime) -> Decision:
    if command.status in ENDED:
        return Ignore(Ignored.LATE)
    if command.status is Status.PENDING:
        return Move(Status.CANCELLED, "cancelled", {"cancel_requested_at": now})
    if command.cancel_requested:
        return Ignore(Ignored.REPEATED)
    # It was handed out: the question goes to the agent, again and again until it answers.
    return Move(command.status, "cancel_requested", {"cancel_requested_at": now, "cancel_lease_until": now})


def _deadline(command: Command, now: datetime) -> Decision:
    if command.status in ENDED:
        return Ignore(Ignored.LATE)
    if command.deadline_at is not None and now < command.deadline_at:
        return Ignore(Ignored.NOT_DUE)
    match command.status:
        case Status.PENDING:
            error = {"code": "expired", "message": "it was not handed out before expires_at", "retryable": False}
            return Move(Status.EXPIRED, "expired", {"error": error, "dead_letter_reason": "expired"})
        case Status.QUEUED:
            return _no_word("no word from the agent by expires_at and 60 s")
        case Status.RUNNING if command.goodbye_at is not None and now - command.goodbye_at >= GOODBYE_QUIET:
            message = f"the client said good-bye and was not back within {GOODBYE_QUIET.total_seconds():.0f} s"
            return _by_evidence({"evidence": "goodbye", "goodbye_at": command.goodbye_at.isoformat()}, message)
        case Status.RUNNING:
            return _no_word("the run's time-out passed without the agent's word about its end")
        case _:
            return Ignore(Ignored.LATE)


def _by_evidence(data: Mapping[str, Any], message: str) -> Move:
    """The end of an action of which nobody was left to report."""
    result = {"data": dict(data), "message": message, "duration_s": None}
    return Move(Status.COMPLETED, "completed", {"result": result, "error": None}, {"by": "evidence"})


def _said_goodbye(command: Command, now: datetime) -> Decision:
    if command.status not in HANDED_OUT:
        return Ignore(Ignored.LATE)
    if command.held:
        return Ignore(Ignored.NOT_DUE)  # its delay runs, and its agent has done nothing: somebody stopped that
    changes: dict[str, Any] = {"goodbye_at": now}
    if command.status is Status.RUNNING:
        changes["deadline_at"] = now + GOODBYE_QUIET
    return Move(command.status, "goodbye", changes)


def _came_back(command: Command, now: datetime) -> Decision:
    if command.status not in HANDED_OUT or command.goodbye_at is None:
        return Ignore(Ignored.LATE)
    changes: dict[str, Any] = {"goodbye_at": None}
    if command.status is Status.RUNNING:
        # Its agent looks for evidence now, and reports.
        changes["deadline_at"] = deadline_of(
            Status.RUNNING, command.expires_at, command.timeout_s, now, held=command.held
        )
    return Move(command.status, "returned", changes)


def _rebooted(command: Command, event: Rebooted) -> Decision:
    if command.status is not Status.RUNNING:
        return Ignore(Ignored.LATE)
    if command.held:
        return Ignore(Ignored.NOT_DUE)  # its delay ran, and its agent had done nothing: somebody else did it
    return _by_evidence({"boot_before": event.before, "boot_now": event.now}, "the machine has booted since")


def _no_word(message: str) -> Move:
    return _cannot_say("no_word", message)


def _cannot_say(code: str, message: str) -> Move:
    error = {"code": code, "message": message, "retryable": False}
    changes = {"unknown_reason": code, "error": error, "dead_letter_reason": "unknown"}
    return Move(Status.UNKNOWN, "unknown", changes)


def _journal_lost(command: Command, event: JournalLost, now: datetime) -> Decision:
    if command.status is Status.PENDING and command.restored and not command.rerun:
        return _cannot_say("restored", _RESTORED)
    if command.status not in HANDED_OUT:
        return Ignore(Ignored.LATE)
    if command.rerun:
        # Twice does no harm here, as the sender said: the same attempt is offered again, and its run begins anew.
        again: dict[str, Any] = {"lease_until": now}
        if command.status is Status.RUNNING:
            again["deadline_at"] = deadline_of(
                Status.RUNNING, command.expires_at, command.timeout_s, now, held=command.held
            )
        return Touch(again)
    return _cannot_say(event.reason, "the client can no longer say what became of this attempt")

"""Locked reads and guarded moves of commands: the one way by which a status changes after submit and claim."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import Close, Command, Ignore, Ignored, Move, Status, Touch
from hub.core.commands.rules.policies import retry_policy
from hub.database.engine import Connection
from hub.database.hot import HotStatement
from hub.database.statements import statement

_LOCK = HotStatement("core/commands/transitions", "lock")
_LOCK_OVERDUE = statement("core/commands/transitions", "lock_overdue")
_LOCK_HANDED_OUT = statement("core/commands/transitions", "lock_handed_out")
_APPLY = HotStatement("core/commands/transitions", "apply")
_QUARANTINE = statement("core/commands/transitions", "quarantine")

_TOLD = ("error", "result", "held_reasons", "unknown_reason", "not_before")
"""Changes that the log tells, too."""


@dataclass(slots=True)
class LockedCommand:
    """A command locked in the present transaction, or as it was when it was handed out, and what is to become of it.

    Decisions are folded in one after the other; `apply` writes the sum with one guarded statement.
    """

    id: UUID
    client_id: str
    state: Command
    version: int
    now: datetime
    created_at: datetime
    seen: frozenset[UUID]
    """Reports of the present batch that were applied before."""
    from_status: Status
    from_attempt: int
    from_deadline_at: datetime | None
    changes: dict[str, Any] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    """Whether the agent's word is among the decisions: then the attempt need not be sent again soon."""

    def fold(self, decision: lifecycle.Decision, report_id: UUID | None = None) -> bool:
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
                self._note(event, report_id, said)
            case Move(to, event, changes, said):
                self._take({**self._follows(to), **changes})
                told = {key: changes[key] for key in _TOLD if changes.get(key)}
                self._note(event, report_id, {**told, **said})
        return True

    def _note(self, event: str, report_id: UUID | None, detail: Mapping[str, Any]) -> None:
        """A row for the log."""
        self.logs.append(
            {
                "event": event,
                "status": self.state.status.value,
                "attempt": self.state.attempt,
                "report_id": report_id,
                "detail": detail or None,
            }
        )

    def heard_again(self, attempt: int) -> None:
        """Take in that a report about `attempt`, applied before, came again: the agent has it and need not be asked."""
        if attempt == self.state.attempt:
            self.answered = True

    def _follows(self, to: Status) -> dict[str, Any]:
        """What a status brings with it."""
        changes: dict[str, Any] = {"status": to}
        if to in lifecycle.ENDED:
            changes |= {"finished_at": self.now, "deadline_at": None, "held_reasons": None}
            if to is not Status.UNKNOWN:
                changes["unknown_reason"] = None
            if self.state.waits and to in (Status.COMPLETED, Status.CANCELLED):
                changes |= {"dead_letter_closed_at": self.now, "dead_letter_closed_by": "late_answer"}
        elif to is Status.RUNNING and self.state.status is not Status.RUNNING:
            changes["started_at"] = self.now
        elif to is Status.PENDING:
            changes["held_reasons"] = None
        return changes

    def _take(self, changes: Mapping[str, Any]) -> None:
        self.changes.update(changes)
        state = self.state
        self.state = replace(
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
        )

    @property
    def changed(self) -> bool:
        """Whether a decision changed the command."""
        return bool(self.changes)

    @property
    def to_write(self) -> bool:
        """Whether there is something to write: a change, or that it need not be sent again so soon."""
        return self.changed or (self.answered and self._leased)

    def row(self) -> dict[str, Any]:
        """The input row of the statement `apply`."""
        held = self.changes.get("held_reasons", self._held_reasons)
        return {
            **self.changes,
            "id": self.id,
            "from_status": self.from_status.value,
            "from_attempt": self.from_attempt,
            "from_version": self.version,
            "from_deadline_at": self.from_deadline_at,
            "status": self.state.status.value,
            "attempt": self.state.attempt,
            "held_reasons": held,
            "deadline_at": self.state.deadline_at,
            "finished_at": self.changes.get("finished_at", self._finished_at),
            "unknown_reason": self.state.unknown_reason,
            "answered": self.answered,
            "next_lease_until": self.now + lifecycle.ACCEPTED_LEASE if self.state.status is Status.QUEUED else None,
            "logs": self.logs,
        }

    def settle(self, report_ids: Iterable[UUID]) -> None:
        """Become the row as it stands after `apply` moved it with these reports, ready for further decisions."""
        self.version += len(self.logs)
        self.from_status, self.from_attempt = self.state.status, self.state.attempt
        self.from_deadline_at = self.state.deadline_at
        self.seen |= frozenset(report_ids)
        self._held_reasons = self.changes.get("held_reasons", self._held_reasons)
        self._leased = self.changes.get("lease_until") is not None or (
            self._leased and (not self.answered or self.state.status is Status.QUEUED)
        )
        self.changes, self.logs, self.answered = {}, [], False

    _held_reasons: list[str] | None = None
    _finished_at: datetime | None = None
    _leased: bool = False


def _locked(row: DictRow) -> LockedCommand:
    status = Status(row["status"])
    return LockedCommand(
        id=row["id"],
        client_id=row["client_id"],
        state=Command(
            status=status,
            attempt=row["attempt"],
            expires_at=row["expires_at"],
            timeout_s=row["timeout_s"],
            retry=retry_policy(row["max_retries"], row["back_off"]),
            cancel_requested=row["cancel_requested_at"] is not None,
            held=bool(row["held_reasons"]),
            accepted=row["accepted_at"] is not None,
            rerun=row["on_interrupt"] == "rerun",
            unknown_reason=row["unknown_reason"],
            deadline_at=row["deadline_at"],
            dead_letter_reason=row["dead_letter_reason"],
            dead_letter_closed_by=row["dead_letter_closed_by"],
        ),
        version=row["version"],
        now=row["now"],
        created_at=row["created_at"],
        seen=frozenset(row["seen"]),
        from_status=status,
        from_attempt=row["attempt"],
        from_deadline_at=row["deadline_at"],
        _held_reasons=row["held_reasons"],
        _finished_at=row["finished_at"],
        _leased=row["lease_until"] is not None and status in lifecycle.HANDED_OUT,
    )


def handed_out(row: DictRow) -> LockedCommand:
    """A command as a claim has just handed it out: as good as locked, until somebody else changes it."""
    return LockedCommand(
        id=row["id"],
        client_id=row["client_id"],
        state=Command(
            status=Status.QUEUED,
            attempt=row["attempt"],
            expires_at=row["expires_at"],
            timeout_s=row["timeout_s"],
            retry=retry_policy(row["max_retries"], row["back_off"]),
            rerun=row["on_interrupt"] == "rerun",
            deadline_at=row["deadline_at"],
        ),
        version=row["version"],
        now=row["issued_at"],
        created_at=row["created_at"],
        seen=frozenset(),
        from_status=Status.QUEUED,
        from_attempt=row["attempt"],
        from_deadline_at=row["deadline_at"],
        _leased=True,
    )


async def lock(
    connection: Connection, ids: Sequence[UUID], report_ids: Sequence[UUID] = ()
) -> dict[UUID, LockedCommand]:
    """Lock commands in id order. Ids that do not exist are missing in the answer. Needs a transaction."""
    cursor = await _LOCK.execute(connection, ids=list(ids), report_ids=list(report_ids))
    return {row["id"]: _locked(row) for row in await cursor.fetchall()}


async def lock_overdue(connection: Connection, most: int) -> list[LockedCommand]:
    """Lock commands whose deadline has passed. Needs a transaction."""
    cursor = await connection.execute(_LOCK_OVERDUE, {"most": most})
    return [_locked(row) for row in await cursor.fetchall()]


async def lock_handed_out(connection: Connection, client_id: str) -> list[LockedCommand]:
    """Lock all that a client holds. Needs a transaction."""
    cursor = await connection.execute(_LOCK_HANDED_OUT, {"client_id": client_id})
    return [_locked(row) for row in await cursor.fetchall()]


async def apply(connection: Connection, commands: Iterable[LockedCommand]) -> set[UUID]:
    """Write what was folded into `commands`; answers with the ids that moved. A command that is missing was changed by
    somebody else since it was read."""
    return set(await apply_timed(connection, commands))


async def apply_timed(connection: Connection, commands: Iterable[LockedCommand]) -> dict[UUID, datetime]:
    """The same; answers with the ids that moved and the database's clock."""
    # In id order, as all who lock several commands.
    rows = [command.row() for command in sorted(commands, key=lambda command: command.id) if command.to_write]
    if not rows:
        return {}
    cursor = await _APPLY.execute(connection, rows=Jsonb(rows))
    return {row["id"]: row["now"] for row in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Unusable:
    """A report that nothing could be done with; `report` is its text, cleaned and capped."""

    client_id: str
    report_id: UUID | None
    command_id: UUID | None
    reason: str
    report: str


async def quarantine(connection: Connection, reports: Sequence[Unusable]) -> None:
    """Keep unusable reports for people."""
    if reports:
        rows = [
            {
                "client_id": report.client_id,
                "report_id": report.report_id,
                "command_id": report.command_id,
                "reason": report.reason,
                "report": report.report,
            }
            for report in reports
        ]
        await connection.execute(_QUARANTINE, {"rows": Jsonb(rows)})

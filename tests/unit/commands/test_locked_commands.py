"""What decisions make of a command: folded in one after the other, written as one change under one guard."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from hub.core.commands.rules.lifecycle import (
    ACCEPTED_LEASE,
    ENDED,
    HANDED_OUT,
    CancelRequested,
    Close,
    Command,
    DeadlinePassed,
    Event,
    JournalLost,
    LockedCommand,
    NewLog,
    Reported,
    Status,
    decide,
)
from schemas.states import ReportStatus

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EXPIRES = NOW + timedelta(hours=1)
REPORT = UUID(int=7)
JAM: dict[str, Any] = {"code": "media_jam", "message": "paper jam"}


def locked(status: Status, *, leased: bool = True, **fields: Any) -> LockedCommand:
    """A command of version 3 in its second attempt, as the store locks it."""
    deadline_at = None if status in ENDED else EXPIRES
    state = Command(
        status=status, expires_at=EXPIRES, timeout_s=60.0, **{"attempt": 2, "deadline_at": deadline_at, **fields}
    )
    return LockedCommand(
        id=UUID(int=1),
        client_id="front-pc",
        state=state,
        version=3,
        now=NOW,
        created_at=NOW - timedelta(minutes=1),
        seen=frozenset(),
        from_status=status,
        from_attempt=state.attempt,
        from_deadline_at=state.deadline_at,
        held_reasons=["media-empty"] if state.held else None,
        finished_at=NOW if status in ENDED else None,
        leased=leased and status in HANDED_OUT,
    )


def happen(command: LockedCommand, *events: Event) -> list[bool]:
    """Decide about each event and fold it in; which changed something."""
    return [
        command.fold(decide(command.state, event, command.now), REPORT if isinstance(event, Reported) else None)
        for event in events
    ]


def reported(status: ReportStatus, attempt: int = 2, **fields: Any) -> Reported:
    return Reported(status, attempt, chance=0.0, **fields)


def test_several_decisions_are_one_change_with_a_log_row_each_and_the_guard_of_what_was_read() -> None:
    command = locked(Status.QUEUED)
    assert (
        happen(
            command,
            reported(ReportStatus.ACCEPTED),
            reported(ReportStatus.STARTED),
            reported(ReportStatus.HELD, progress={"reasons": ["media-empty"]}),
            reported(ReportStatus.PROGRESS, progress={"percent": 40}),
            reported(ReportStatus.COMPLETED, result={"data": {"pages": 1}}),
        )
        == [True] * 5
    )
    row = command.row()
    guard = {name: value for name, value in row.items() if name.startswith("from_")}
    assert guard == {"from_status": "queued", "from_attempt": 2, "from_version": 3, "from_deadline_at": EXPIRES}
    assert (row["status"], row["attempt"], row["deadline_at"], row["finished_at"]) == ("completed", 2, None, NOW)
    assert (row["accepted_at"], row["started_at"], row["held_reasons"]) == (NOW, NOW, None)
    assert (row["progress"], row["result"]) == ({"percent": 40}, {"data": {"pages": 1}})
    assert row["logs"] == [
        NewLog("started", "running", 2, REPORT, None),
        NewLog("held", "running", 2, REPORT, {"held_reasons": ["media-empty"]}),
        NewLog("completed", "completed", 2, REPORT, {"result": {"data": {"pages": 1}}}),
    ]


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_an_end_brings_its_time_and_takes_deadline_and_hold_with_it(status: Status) -> None:
    command = locked(status, held=status is Status.RUNNING)
    happen(command, reported(ReportStatus.FAILED, error=JAM))
    row = command.row()
    assert (row["status"], row["finished_at"], row["deadline_at"], row["held_reasons"]) == ("failed", NOW, None, None)
    assert (row["error"], row["dead_letter_reason"], row["unknown_reason"]) == (JAM, "media_jam", None)


def test_a_next_attempt_is_written_as_pending_and_not_held() -> None:
    command = locked(Status.RUNNING, held=True)
    happen(command, reported(ReportStatus.FAILED, retryable=True, error=JAM))
    row = command.row()
    assert (row["status"], row["attempt"], row["scheduled"], row["held_reasons"]) == ("pending", 3, True, None)
    assert (row["not_before"], row["deadline_at"]) == (NOW + timedelta(seconds=1), EXPIRES)
    assert command.logs[0].detail == {"error": JAM, "not_before": row["not_before"]}
    assert command.logs[0].attempt == 3


def test_a_run_begins_once_and_going_on_after_a_hold_is_no_new_begin() -> None:
    command = locked(Status.RUNNING, held=True)
    happen(command, reported(ReportStatus.STARTED))
    assert "started_at" not in command.row()
    assert (command.logs[0].event, command.row()["held_reasons"]) == ("resumed", None)


@pytest.mark.parametrize(
    ("said", "asked", "closed_by"),
    [
        (ReportStatus.COMPLETED, False, "late_answer"),
        (ReportStatus.CANCELLED, True, "late_answer"),
        (ReportStatus.CANCELLED, False, None),
        (ReportStatus.FAILED, False, None),
    ],
)
def test_a_late_answer_closes_the_dead_letter_unless_it_is_a_failure_or_a_cancel_that_nobody_asked_for(
    said: ReportStatus, closed_by: str | None, *, asked: bool
) -> None:
    command = locked(Status.UNKNOWN, unknown_reason="no_word", dead_letter_reason="unknown", cancel_requested=asked)
    happen(command, reported(said, error=JAM if said is ReportStatus.FAILED else None))
    row = command.row()
    assert (row["status"], row["unknown_reason"]) == (said.value, None)
    assert row.get("dead_letter_closed_by") == closed_by
    assert row.get("dead_letter_closed_at") == (NOW if closed_by else None)
    assert command.state.waits == (closed_by is None)


def test_a_person_s_word_leaves_the_command_where_it_is_and_stands_in_the_log() -> None:
    command = locked(Status.FAILED, dead_letter_reason="media_jam")
    closed = {"dead_letter_closed_at": NOW, "dead_letter_closed_by": "dismissed"}
    assert command.fold(Close("dismissed", closed, {"by": "kim"}))
    row = command.row()
    assert (row["status"], row["finished_at"], row["dead_letter_closed_by"]) == ("failed", NOW, "dismissed")
    assert row["logs"] == [NewLog("dismissed", "failed", 2, None, {"by": "kim"})]


# --- the sending ---------------------------------------------------------------------------------------------


def test_an_answer_without_news_is_written_only_to_put_off_or_end_the_sending() -> None:
    known = locked(Status.QUEUED, accepted=True)
    assert happen(known, reported(ReportStatus.ACCEPTED)) == [False]
    assert (known.changed, known.to_write, known.row()["answered"]) == (False, True, True)
    assert known.row()["next_lease_until"] == NOW + ACCEPTED_LEASE
    begun = locked(Status.RUNNING)
    assert happen(begun, reported(ReportStatus.STARTED)) == [False]
    assert (begun.to_write, begun.row()["next_lease_until"]) == (True, None)
    unleased = locked(Status.RUNNING, leased=False)
    assert happen(unleased, reported(ReportStatus.STARTED)) == [False]
    assert (unleased.answered, unleased.to_write) == (True, False)


@pytest.mark.parametrize(
    "event", [reported(ReportStatus.COMPLETED, 1), reported(ReportStatus.UNSUPPORTED), DeadlinePassed()]
)
def test_what_is_no_answer_about_this_attempt_puts_nothing_off(event: Event) -> None:
    command = locked(Status.QUEUED)
    assert happen(command, event) == [False]
    assert (command.answered, command.to_write, command.logs) == (False, False, [])


def test_a_report_that_comes_again_is_an_answer_about_its_own_attempt_only() -> None:
    command = locked(Status.QUEUED)
    command.repeated(1)
    assert not command.to_write
    command.repeated(2)
    assert command.to_write


def test_a_cancel_is_asked_for_and_is_no_answer() -> None:
    command = locked(Status.RUNNING)
    assert happen(command, CancelRequested(), CancelRequested()) == [True, False]
    row = command.row()
    assert (row["cancel_requested_at"], row["cancel_lease_until"], row["answered"]) == (NOW, NOW, False)


def test_the_time_at_the_broker_goes_along() -> None:
    command = locked(Status.QUEUED)
    happen(command, reported(ReportStatus.STARTED))
    command.sent(NOW - timedelta(seconds=1))
    assert command.row()["sent_at"] == NOW - timedelta(seconds=1)


# --- remembered after it was written -------------------------------------------------------------------------


def anew(command: LockedCommand) -> LockedCommand:
    """The same command, locked again after it was written, by what its row has then."""
    row = command.row()
    answered, lease = row["answered"], row.get("lease_until")
    held = command.state.status in HANDED_OUT
    return replace(
        locked(command.state.status),
        state=command.state,
        version=command.version + len(row["logs"]),
        from_attempt=row["attempt"],
        from_deadline_at=row["deadline_at"],
        held_reasons=row["held_reasons"],
        finished_at=row["finished_at"],
        leased=held
        and (lease is not None or (command.leased and (row["next_lease_until"] is not None or not answered))),
    )


EVENTS: list[Event] = [
    *(
        reported(status, retryable=retryable, error=JAM, progress={"reasons": ["media-empty"]})
        for status in ReportStatus
        for retryable in ((False, True) if status is ReportStatus.FAILED else (False,))
    ),
    CancelRequested(),
    DeadlinePassed(),
    JournalLost(),
]


@pytest.mark.parametrize("rerun", [False, True])
@pytest.mark.parametrize("status", list(Status))
def test_what_was_written_stands_as_if_it_were_locked_anew(status: Status, *, rerun: bool) -> None:
    for first, second in product(EVENTS, EVENTS):
        command = locked(status, rerun=rerun)
        happen(command, first)
        fresh = anew(command)
        command.settle([REPORT])
        assert command.seen == {REPORT}
        assert not command.to_write
        happen(command, second)
        happen(fresh, second)
        assert command.row() == fresh.row(), (first, second)
        assert command.to_write == fresh.to_write, (first, second)

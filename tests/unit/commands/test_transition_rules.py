"""The life of a command, case by case where the table of transitions does not say enough."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from msgspec import structs

from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import Command, Ignore, Ignored, Move, Reported, Status, Touch, decide
from hub.core.commands.rules.retry import RetryPolicy
from schemas.states import ReportStatus

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EXPIRES = NOW + timedelta(hours=1)


def command(status: Status, **fields: Any) -> Command:
    """A command in its second attempt."""
    return Command(status=status, expires_at=EXPIRES, timeout_s=60.0, **{"attempt": 2, **fields})


def every_event(attempt: int = 2) -> list[lifecycle.Event]:
    """Each event there is, reports about `attempt`."""
    reports = [
        Reported(status, attempt, retryable)
        for status in ReportStatus
        for retryable in ((False, True) if status in (ReportStatus.FAILED, ReportStatus.EXPIRED) else (False,))
    ]
    return [*reports, lifecycle.CancelRequested(), lifecycle.DeadlinePassed(), lifecycle.JournalLost()]


def test_the_table_holds_each_transition_that_is_decided_and_no_other() -> None:
    made = {(Status.PENDING, Status.QUEUED)}  # dispatch, in SQL
    flags = product(Status, *[(False, True)] * 4)
    for status, cancel, held, rerun, restored in flags:
        for event in every_event():
            known = command(status, cancel_requested=cancel, held=held, rerun=rerun, restored=restored)
            decision = decide(known, event, NOW)
            if isinstance(decision, Move) and decision.to is not status:
                made.add((status, decision.to))
    assert made == {(old, new) for old, news in lifecycle.TRANSITIONS.items() for new in news}


def test_the_table_names_every_status_and_only_final_ones_lead_nowhere() -> None:
    assert set(lifecycle.TRANSITIONS) == set(Status)
    assert {status for status, following in lifecycle.TRANSITIONS.items() if not following} == lifecycle.FINAL
    assert lifecycle.FINAL | {Status.UNKNOWN} == lifecycle.ENDED


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("report", list(ReportStatus))
def test_a_report_about_another_attempt_changes_nothing(status: Status, report: ReportStatus) -> None:
    older = decide(command(status), Reported(report, 1, retryable=True), NOW)
    newer = decide(command(status), Reported(report, 3, retryable=True), NOW)
    assert (older, newer) == (Ignore(Ignored.OLD_ATTEMPT), Ignore(Ignored.NOT_HANDED_OUT))


def test_a_report_about_an_attempt_that_was_not_handed_out_is_refused() -> None:
    for report in ReportStatus:
        assert decide(command(Status.PENDING), Reported(report, 2), NOW) == Ignore(Ignored.NOT_HANDED_OUT)


@pytest.mark.parametrize("status", [Status.PENDING, Status.QUEUED, Status.RUNNING, Status.UNKNOWN])
@pytest.mark.parametrize("attempt", [2, 3])
def test_of_a_restored_hub_the_end_in_the_client_s_journal_counts(status: Status, attempt: int) -> None:
    restored = command(status, restored=True, unknown_reason="restored" if status is Status.UNKNOWN else None)

    decision = decide(restored, Reported(ReportStatus.COMPLETED, attempt, result={"data": 1}), NOW)

    assert isinstance(decision, Move)
    assert (decision.to, decision.changes["result"]) == (Status.COMPLETED, {"data": 1})
    assert decision.changes.get("attempt", 2) == attempt


@pytest.mark.parametrize("report", [ReportStatus.ACCEPTED, ReportStatus.STARTED, ReportStatus.BUSY])
def test_of_a_restored_hub_what_is_under_way_does_not_count(report: ReportStatus) -> None:
    decision = decide(command(Status.QUEUED, restored=True), Reported(report, 3), NOW)

    assert decision == Ignore(Ignored.NOT_HANDED_OUT)


def test_a_retry_after_a_newer_attempt_of_before_the_restore_counts_on_from_it() -> None:
    retries = command(Status.QUEUED, restored=True, retry=RetryPolicy(max_retries=5))

    decision = decide(retries, Reported(ReportStatus.FAILED, 3, retryable=True, chance=0.0), NOW)

    assert isinstance(decision, Move)
    assert (decision.to, decision.changes["attempt"]) == (Status.PENDING, 4)


def test_of_a_restored_hub_a_pending_command_is_unknown_once_the_journal_is_gone() -> None:
    decision = decide(command(Status.PENDING, restored=True), lifecycle.JournalLost(), NOW)

    assert isinstance(decision, Move)
    assert (decision.to, decision.changes["unknown_reason"]) == (Status.UNKNOWN, "restored")
    for other in ({}, {"restored": True, "rerun": True}):
        assert decide(command(Status.PENDING, **other), lifecycle.JournalLost(), NOW) == Ignore(Ignored.LATE)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_only_a_retryable_failure_makes_a_next_attempt(status: Status) -> None:
    decision = decide(command(status), Reported(ReportStatus.FAILED, 2, retryable=True, chance=0.0), NOW)
    assert isinstance(decision, Move)
    assert (decision.to, decision.event, decision.changes["attempt"]) == (Status.PENDING, "retry", 3)
    assert decision.changes["not_before"] == NOW + timedelta(seconds=1)
    assert decision.changes["deadline_at"] == EXPIRES
    final = decide(command(status), Reported(ReportStatus.FAILED, 2, error={"code": "media_jam"}), NOW)
    assert isinstance(final, Move)
    assert (final.to, final.changes["dead_letter_reason"]) == (Status.FAILED, "media_jam")


def test_the_last_retry_that_fails_is_a_dead_letter() -> None:
    last = command(Status.RUNNING, attempt=4, retry=RetryPolicy(max_retries=3))
    decision = decide(last, Reported(ReportStatus.FAILED, 4, retryable=True), NOW)
    assert isinstance(decision, Move)
    assert (decision.to, decision.changes["dead_letter_reason"]) == (Status.FAILED, "failed")


def test_after_a_cancel_a_retryable_failure_ends_it() -> None:
    decision = decide(
        command(Status.QUEUED, cancel_requested=True), Reported(ReportStatus.FAILED, 2, retryable=True), NOW
    )
    assert isinstance(decision, Move)
    assert decision.to is Status.CANCELLED


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING, Status.UNKNOWN])
@pytest.mark.parametrize("error", [None, {"code": "job_cancelled_at_printer"}])
def test_a_cancel_that_nobody_asked_for_is_a_dead_letter(status: Status, error: dict[str, Any] | None) -> None:
    said = Reported(ReportStatus.CANCELLED, 2, error=error)
    unasked = decide(command(status), said, NOW)
    assert isinstance(unasked, Move)
    assert (unasked.to, unasked.changes["dead_letter_reason"]) == (Status.CANCELLED, "cancel_not_requested")
    assert unasked.changes["error"] == error
    asked = decide(command(status, cancel_requested=True), said, NOW)
    assert isinstance(asked, Move)
    assert (asked.to, "dead_letter_reason" in asked.changes) == (Status.CANCELLED, False)


def test_an_unknown_outcome_never_becomes_a_next_attempt() -> None:
    """It may have taken effect: what the agent says now only decides how it ended."""
    decision = decide(command(Status.UNKNOWN), Reported(ReportStatus.FAILED, 2, retryable=True), NOW)
    assert isinstance(decision, Move)
    assert decision.to is Status.FAILED


def test_what_was_done_already_wins_over_a_cancel() -> None:
    for status in (Status.QUEUED, Status.RUNNING):
        decision = decide(command(status, cancel_requested=True), Reported(ReportStatus.COMPLETED, 2), NOW)
        assert isinstance(decision, Move)
        assert decision.to is Status.COMPLETED


def test_a_cancel_of_what_was_handed_out_is_a_question_to_the_agent() -> None:
    for status in (Status.QUEUED, Status.RUNNING):
        assert decide(command(status), lifecycle.CancelRequested(), NOW) == Move(
            status, "cancel_requested", {"cancel_requested_at": NOW, "cancel_lease_until": NOW}
        )
        again = decide(command(status, cancel_requested=True), lifecycle.CancelRequested(), NOW)
        assert again == Ignore(Ignored.REPEATED)


def test_a_run_that_began_and_is_said_to_have_expired_is_unknown_at_once() -> None:
    """What may run twice is offered again after the loss of a journal; the new one may find it expired."""
    for held in (False, True):
        decision = decide(command(Status.RUNNING, rerun=True, held=held), Reported(ReportStatus.EXPIRED, 2), NOW)
        assert isinstance(decision, Move)
        assert (decision.to, decision.changes["unknown_reason"]) == (Status.UNKNOWN, "reported")


def test_a_run_that_waited_for_its_device_until_it_expired_has_expired() -> None:
    """Its agent says that nothing took effect."""
    decision = decide(command(Status.RUNNING, held=True), Reported(ReportStatus.EXPIRED, 2, retryable=True), NOW)
    assert isinstance(decision, Move)
    assert (decision.to, decision.changes["dead_letter_reason"]) == (Status.EXPIRED, "expired")


def test_a_held_run_may_wait_until_it_expires_however_late_that_is() -> None:
    week = NOW + timedelta(days=7)
    running = structs.replace(command(Status.RUNNING), expires_at=week)
    held = decide(running, Reported(ReportStatus.HELD, 2, progress={"reasons": ["x"]}), NOW)
    assert isinstance(held, Move)
    assert held.changes["deadline_at"] == week + timedelta(seconds=60) + lifecycle.RUN_GRACE


def test_an_agent_that_is_busy_gets_the_attempt_again_also_after_it_began_once() -> None:
    due = NOW + lifecycle.BUSY_DELAY
    assert decide(command(Status.QUEUED), Reported(ReportStatus.BUSY, 2), NOW) == Touch({"lease_until": due})
    again = decide(command(Status.RUNNING, rerun=True), Reported(ReportStatus.BUSY, 2), NOW)
    assert isinstance(again, Touch)
    assert again.changes["lease_until"] == due
    assert again.changes["deadline_at"] == NOW + timedelta(seconds=60) + lifecycle.RUN_GRACE


@pytest.mark.parametrize("status", [Status.PENDING, Status.QUEUED, Status.RUNNING])
def test_before_its_deadline_time_decides_nothing(status: Status) -> None:
    early = command(status, deadline_at=NOW + timedelta(microseconds=1))
    assert decide(early, lifecycle.DeadlinePassed(), NOW) == Ignore(Ignored.NOT_DUE)
    assert isinstance(decide(structs.replace(early, deadline_at=NOW), lifecycle.DeadlinePassed(), NOW), Move)


def test_a_hold_gives_a_person_a_day_and_its_end_takes_that_back() -> None:
    held = decide(command(Status.RUNNING), Reported(ReportStatus.HELD, 2, progress={"reasons": ["jam"]}), NOW)
    assert isinstance(held, Move)
    run_s = timedelta(seconds=60) + lifecycle.RUN_GRACE
    assert held.changes == {"held_reasons": ["jam"], "deadline_at": NOW + run_s + lifecycle.HELD_ALLOWANCE}
    resumed = decide(command(Status.RUNNING, held=True), Reported(ReportStatus.STARTED, 2), NOW)
    assert resumed == Move(Status.RUNNING, "resumed", {"held_reasons": None, "deadline_at": NOW + run_s})


def test_a_lost_journal_makes_unknown_but_what_may_run_twice_is_offered_again() -> None:
    for status in (Status.QUEUED, Status.RUNNING):
        lost = decide(command(status), lifecycle.JournalLost("session_lost"), NOW)
        assert isinstance(lost, Move)
        assert (lost.to, lost.changes["unknown_reason"]) == (Status.UNKNOWN, "session_lost")
        again = decide(command(status, rerun=True), lifecycle.JournalLost(), NOW)
        assert isinstance(again, Touch)
        assert again.changes["lease_until"] == NOW
        # A run that begins anew has its whole time again; one that has not begun keeps what it had.
        assert ("deadline_at" in again.changes) == (status is Status.RUNNING)
    assert decide(command(Status.PENDING), lifecycle.JournalLost(), NOW) == Ignore(Ignored.LATE)


def test_the_agents_evidence_replaces_our_guess_once() -> None:
    guessed = command(Status.UNKNOWN, unknown_reason="no_word")
    evidence = decide(guessed, Reported(ReportStatus.UNKNOWN, 2, result={"data": {"evidence": "none"}}), NOW)
    assert isinstance(evidence, Move)
    assert (evidence.to, evidence.event) == (Status.UNKNOWN, "evidence")
    again = decide(structs.replace(guessed, unknown_reason="reported"), Reported(ReportStatus.UNKNOWN, 2), NOW)
    assert again == Ignore(Ignored.REPEATED)


def test_a_status_of_a_newer_agent_is_told_apart() -> None:
    newer = ReportStatus("teleported")
    assert decide(command(Status.RUNNING), Reported(newer, 2), NOW) == Ignore(Ignored.UNSUPPORTED)


def test_held_without_a_reason_is_held_all_the_same_and_goes_on() -> None:
    held = decide(command(Status.RUNNING), Reported(ReportStatus.HELD, 2, progress={}), NOW)
    assert isinstance(held, Move)
    assert held.changes["held_reasons"] == ["unspecified"]
    resumed = decide(command(Status.RUNNING, held=True), Reported(ReportStatus.STARTED, 2), NOW)
    assert isinstance(resumed, Move)
    assert resumed.event == "resumed"

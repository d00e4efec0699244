"""An effect that waits for its device and has done nothing: what a restart, an expiry and a cancel make of it, and what
the journal remembers for evidence."""

from datetime import timedelta

import pytest

from device_agent.core.events import (
    EffectEnded,
    EffectHeld,
    EffectRemembered,
    EffectResumed,
    ResumeEffect,
    StartEffect,
    StopRequested,
)
from device_agent.core.outcome import Outcome
from schemas.states import HELD_ALLOWANCE_S, ReportStatus
from tests.support.agent_bench import T0, Bench, a_cancel, a_run, command_id, effects_in, moment, reports_in, stops_in

AWAY = EffectHeld(command_id(1), 1, ["printer-unreachable"], untouched=True)
BACK = EffectResumed(command_id(1), 1)
RESUME = ResumeEffect(command_id=command_id(1), attempt=1)
NOTHING_SENT = EffectEnded(command_id(1), 1, Outcome(status="cancelled", message="nothing was sent. it is off"))


def waiting(expires_in_s: float = 3600.0) -> Bench:
    """An agent whose only effect waits for its device."""
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=20.0, expires_at=moment(T0) + timedelta(seconds=expires_in_s)))
    bench.feed(AWAY)
    bench.take()
    return bench


def test_it_goes_on_only_after_the_journal_knows() -> None:
    bench = waiting()
    assert bench.disk.attempts[command_id(1)].untouched
    decision = bench.feed(BACK)
    assert not bench.disk.attempts[command_id(1)].untouched
    assert RESUME in decision.steps
    assert [report.status for report in reports_in(bench.take())] == ["started"]


def test_its_time_stands_still_and_it_may_wait_longer_than_a_person_is_waited_for() -> None:
    bench = waiting(expires_in_s=3 * HELD_ALLOWANCE_S)
    bench.pass_time(2 * HELD_ALLOWANCE_S)
    bench.feed(BACK)
    bench.pass_time(19)
    assert stops_in(bench.take()) == []
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "timed_out")]


def test_it_ends_as_expired_when_it_may_not_begin_any_more() -> None:
    bench = waiting(expires_in_s=60.0)
    decision = bench.pass_time(59)
    assert decision.wake_at == bench.mono + 1
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "expired")]
    late = bench.feed(BACK)
    assert RESUME not in late.steps
    bench.feed(NOTHING_SENT)
    [report] = bench.reports()
    assert (report.status, report.attempt) == (ReportStatus.EXPIRED, 1)
    assert report.error is not None
    assert (report.error.code, report.error.message) == ("expired", "nothing was sent. it is off")
    assert report.error.retryable, "the hub heard of a start, and must hear that it led to nothing"


@pytest.mark.parametrize("outcome", [NOTHING_SENT.outcome, None], ids=["its driver says so", "its driver is stuck"])
def test_a_cancel_is_certain(outcome: Outcome | None) -> None:
    bench = waiting()
    bench.receive(a_cancel())
    assert stops_in(bench.take()) == [(1, "cancelled")]
    bench.feed(EffectEnded(command_id(1), 1, outcome))
    assert [report.status for report in bench.reports()] == [ReportStatus.CANCELLED]


def test_after_a_restart_it_begins_anew_as_the_same_attempt_once_it_is_offered() -> None:
    bench = waiting()
    bench.start()
    bench.ready()
    assert effects_in(bench.take()) == []
    bench.receive(a_run(timeout_s=20.0, heard=ReportStatus.STARTED))
    assert effects_in(bench.take()) == [(1, 1, "execute")]
    assert not bench.disk.attempts[command_id(1)].untouched


def test_after_a_restart_that_outlasts_it_it_has_expired_without_doubt() -> None:
    bench = waiting(expires_in_s=60.0)
    bench.wall += 100
    bench.mono += 100
    bench.hub_time += 100
    bench.start()
    bench.connect()
    bench.learn_keys()
    bench.welcome()
    report = bench.reports()[-1]
    assert report.status is ReportStatus.EXPIRED
    assert report.error is not None
    assert report.error.retryable


def test_after_a_restart_a_cancel_finds_nothing_begun() -> None:
    bench = waiting()
    bench.start()
    bench.ready()
    bench.receive(a_cancel())
    assert bench.reports()[-1].status is ReportStatus.CANCELLED


def test_one_that_went_on_is_asked_about_after_a_restart() -> None:
    bench = waiting()
    bench.feed(BACK)
    bench.take()
    bench.start()
    assert effects_in(bench.take()) == [(1, 1, "evidence")]


def test_an_agent_that_stops_does_not_wait_for_it() -> None:
    bench = waiting()
    assert bench.core._commands.active == 0
    bench.feed(BACK)
    assert bench.core._commands.active == 1


def test_an_agent_that_stops_begins_nothing_that_waited_and_the_next_one_does() -> None:
    bench = waiting()
    bench.feed(StopRequested())
    assert RESUME not in bench.feed(BACK).steps
    assert bench.statuses() == []
    assert bench.core._commands.active == 0
    assert bench.disk.attempts[command_id(1)].untouched
    bench.start()
    bench.ready()
    bench.receive(a_run(timeout_s=20.0, heard=ReportStatus.HELD))
    assert effects_in(bench.take()) == [(1, 1, "execute")]


def test_what_a_driver_remembers_is_told_when_it_is_asked_for_evidence() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.feed(EffectRemembered(command_id(1), 1, b'{"job_id":16}'))
    bench.feed(EffectRemembered(command_id(1), 1, b'{"job_id":17}'))
    bench.take()
    bench.start()
    [asked] = [step for step in bench.take() if isinstance(step, StartEffect)]
    assert (asked.mode, asked.remembered) == ("evidence", {"job_id": 17})
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="completed")))
    assert bench.disk.attempts[command_id(1)].evidence is None


def announced() -> Bench:
    """An agent whose only effect has started, and whose driver has not said that it does something."""
    bench = Bench(announced={"print"}).ready()
    bench.receive(a_run(timeout_s=20.0))
    [step] = [step for step in bench.take() if isinstance(step, StartEffect)]
    assert step.untouched
    return bench


def test_an_effect_that_its_driver_announces_has_begun_only_then() -> None:
    bench = announced()
    bench.start()
    bench.ready()
    assert effects_in(bench.take()) == []
    bench.receive(a_run(timeout_s=20.0, heard=ReportStatus.STARTED))
    assert effects_in(bench.take()) == [(1, 1, "execute")]


def test_an_effect_that_was_announced_is_asked_about_and_never_begun_anew() -> None:
    bench = announced()
    decision = bench.feed(BACK)
    assert RESUME in decision.steps
    assert not bench.disk.attempts[command_id(1)].untouched
    assert bench.statuses() == [], "the hub knows that it has started"
    bench.start()
    assert effects_in(bench.take()) == [(1, 1, "evidence")]
    bench.ready()
    bench.receive(a_run(timeout_s=20.0, heard=ReportStatus.STARTED))
    assert effects_in(bench.take()) == []


def test_its_time_runs_also_before_it_is_announced() -> None:
    bench = announced()
    bench.pass_time(20)
    assert stops_in(bench.take()) == [(1, "timed_out")]
    assert RESUME not in bench.feed(BACK).steps


@pytest.mark.parametrize("away", [True, False], ids=["its device is still away", "its device is back"])
def test_begun_anew_it_is_held_until_its_driver_says_otherwise(*, away: bool) -> None:
    """What the hub takes for begun could be completed by another boot or a good-bye."""
    bench = announced()
    bench.feed(AWAY)
    bench.take()
    bench.receipt()
    bench.start()
    bench.ready()
    bench.receive(a_run(timeout_s=20.0, heard=ReportStatus.HELD))
    assert bench.statuses() == [ReportStatus.HELD], "as before"
    if away:
        bench.feed(AWAY)
        assert bench.statuses() == [ReportStatus.HELD]
    bench.feed(BACK)
    assert bench.statuses() == [ReportStatus.STARTED]
    bench.pass_time(19)
    assert stops_in(bench.take()) == []
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "timed_out")]

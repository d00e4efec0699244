"""The rules of a command's life on the agent, one test each."""

import itertools
from typing import Any

import pytest

from device_agent.core.events import (
    Connected,
    Disconnected,
    EffectEnded,
    EffectHeld,
    EffectProgress,
    EffectResumed,
    Inbox,
    MessageReceived,
    Publish,
    PublishFailed,
    StopRequested,
    Tick,
)
from device_agent.core.log import Log
from device_agent.core.outcome import Outcome
from device_agent.core.records import Phase, PutAttempt
from schemas.messages import Run
from schemas.states import HELD_ALLOWANCE_S, OnInterrupt, ReportStatus
from tests.support.agent_bench import (
    JOURNAL,
    T0,
    Bench,
    a_cancel,
    a_run,
    births_in,
    command_id,
    effects_in,
    moment,
    reports_in,
    stops_in,
)

DONE = Outcome(status="completed", data={"pages": 2})


def end(bench: Bench, number: int = 1, attempt: int = 1, outcome: Outcome | None = DONE) -> None:
    bench.feed(EffectEnded(command_id(number), attempt, outcome))


def test_a_command_is_journalled_as_started_before_its_effect_begins() -> None:
    bench = Bench().ready()
    decision = bench.core.handle(_delivery(bench, a_run()), bench.now())
    phases = [write.record.phase for write in decision.writes if isinstance(write, PutAttempt)]
    assert phases == [Phase.STARTED]
    assert effects_in(list(decision.steps)) == [(1, 1, "execute")]
    assert [report.status for report in reports_in(list(decision.steps))] == ["accepted", "started"]


def test_an_end_is_journalled_with_its_report_and_stays_until_the_receipt() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    end(bench)
    assert bench.disk.attempts[command_id(1)].phase is Phase.FINISHED
    assert bench.disk.attempts[command_id(1)].run is None
    [report] = bench.reports()
    assert report.status is ReportStatus.COMPLETED
    assert report.result is not None
    assert report.result.data == {"pages": 2}
    assert [record.receipted for record in bench.disk.reports.values()] == [False, False, False]
    bench.receipt()
    [kept] = bench.disk.reports.values()
    assert (kept.report_id, kept.receipted) == (report.report_id, True)


def test_the_same_attempt_again_gets_the_stored_report_and_no_second_effect() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    end(bench)
    first = bench.reports()[-1]
    bench.receipt()
    bench.receive(a_run())
    steps = bench.take()
    assert effects_in(steps) == []
    assert reports_in(steps) == [first]


def test_a_repeated_delivery_of_what_waits_or_runs_repeats_its_reports() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    bench.receive(a_run())
    steps = bench.take()
    assert effects_in(steps) == []
    assert [report.status for report in reports_in(steps)] == ["accepted", "started"]


def test_a_higher_attempt_is_refused_while_one_is_unfinished() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    bench.receive(a_run(attempt=2))
    steps = bench.take()
    assert effects_in(steps) == []
    assert {report.attempt for report in reports_in(steps)} == {1}


def test_a_higher_attempt_runs_after_a_retryable_failure() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    end(bench, outcome=Outcome(status="failed", code="printer_offline", retryable=True))
    [*_, failed] = bench.reports()
    assert failed.error is not None
    assert failed.error.retryable
    bench.receive(a_run(attempt=2))
    assert effects_in(bench.take()) == [(1, 2, "execute")]
    bench.receive(a_run(attempt=1))
    assert effects_in(bench.take()) == []


@pytest.mark.parametrize(
    "outcome",
    [
        DONE,
        Outcome(status="failed", code="bad_document"),
        Outcome(status="unknown", retryable=True),
        Outcome(status="cancelled", retryable=True),
    ],
    ids=lambda outcome: outcome.status,
)
def test_no_higher_attempt_runs_after_any_other_end(outcome: Outcome) -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    end(bench, outcome=outcome)
    [*_, first] = bench.reports()
    assert first.error is None or not first.error.retryable
    bench.receive(a_run(attempt=2))
    steps = bench.take()
    assert effects_in(steps) == []
    assert reports_in(steps)[-1] == first


def test_one_effect_per_lane_and_lanes_in_parallel() -> None:
    bench = Bench().ready()
    for number, lane in enumerate(["printer:a", "printer:a", "printer:b", "client"], start=1):
        bench.receive(a_run(number, lane=lane))
    assert effects_in(bench.take()) == [(1, 1, "execute"), (3, 1, "execute"), (4, 1, "execute")]
    end(bench, 1)
    assert effects_in(bench.take()) == [(2, 1, "execute")]


def test_a_free_lane_takes_priority_first_then_age() -> None:
    bench = Bench().ready()
    bench.receive(a_run(9))
    for number, priority, age in [(1, 5, 30), (2, 9, 20), (3, 9, 10), (4, 10, 40)]:
        bench.receive(a_run(number, priority=priority, issued_at=moment(T0 + age)))
    order = []
    for _ in range(5):
        [(number, _attempt, _mode)] = effects_in(bench.take())
        order.append(number)
        end(bench, number)
    assert order == [9, 4, 3, 2, 1]


def test_what_expired_on_arrival_or_while_waiting_never_begins() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1, expires_at=moment(T0 - 1)))
    bench.receive(a_run(2))
    bench.receive(a_run(3, expires_at=moment(T0 + 30)))
    assert bench.statuses() == ["expired", "accepted", "started", "accepted"]
    bench.pass_time(31)
    assert ("expired", command_id(3)) in [(report.status, report.command_id) for report in bench.reports()]
    end(bench, 2)
    assert effects_in(bench.take()) == []


def test_the_core_asks_to_be_woken_when_a_waiting_command_expires() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1, timeout_s=600.0))
    bench.receive(a_run(2, expires_at=moment(T0 + 7)))
    bench.receipt()
    bench.feed(Disconnected())
    assert bench.feed(Tick()).wake_at == pytest.approx(bench.mono + 7)


@pytest.mark.fault("F27")
def test_expiry_is_judged_by_the_hubs_time_whatever_the_wall_clock_says() -> None:
    for wrong in (-86_400.0, 86_400.0):
        bench = Bench(wall=T0 + wrong).ready()
        bench.receive(a_run(1, expires_at=moment(T0 + 5)))
        bench.wall -= 50_000
        assert bench.statuses() == ["accepted", "started"]
        [skew] = bench.logged(Log.CLOCK_SKEW)
        assert skew["ahead_s"] == wrong


@pytest.mark.fault("F27")
def test_hub_time_never_goes_backwards_also_across_a_restart() -> None:
    bench = Bench().ready()
    bench.pass_time(1_000)
    bench.receive(a_run(1))
    bench.start()
    bench.hub_time -= 500
    bench.wall -= 500
    bench.ready()
    bench.receive(a_run(2, expires_at=moment(T0 + 900)))
    assert bench.statuses() == ["expired"]


def test_a_cancel_of_what_waits_ends_it() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    bench.take()
    bench.receive(a_cancel(2))
    assert bench.statuses() == ["cancelled"]
    end(bench, 1)
    assert effects_in(bench.take()) == []


def test_a_cancel_of_what_runs_asks_the_driver_once_and_its_word_stands() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    bench.receive(a_cancel())
    bench.receive(a_cancel())
    steps = bench.take()
    assert stops_in(steps) == [(1, "cancelled")]
    end(bench, outcome=DONE)
    assert bench.statuses()[-1] == "completed"


def test_a_cancel_of_what_ended_repeats_its_report() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    end(bench)
    [*_, first] = bench.reports()
    bench.receipt()
    bench.receive(a_cancel())
    assert bench.reports() == [first]


def test_a_cancel_before_the_run_leaves_a_tombstone_that_outlives_a_restart() -> None:
    bench = Bench().ready()
    bench.receive(a_cancel())
    assert bench.reports() == []
    bench.start()
    bench.ready()
    bench.receive(a_run())
    steps = bench.take()
    assert effects_in(steps) == []
    assert [report.status for report in reports_in(steps)] == ["cancelled"]
    assert bench.disk.tombstones == {}


@pytest.mark.parametrize("cancel_first", [False, True])
def test_a_cancel_around_a_retryable_failure_also_stops_the_next_attempt(*, cancel_first: bool) -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    failed = EffectEnded(command_id(1), 1, Outcome(status="failed", code="printer_offline", retryable=True))
    if cancel_first:
        bench.receive(a_cancel())
        bench.feed(failed)
    else:
        bench.feed(failed)
        bench.receive(a_cancel())
    bench.take()
    bench.receive(a_run(attempt=2))
    steps = bench.take()
    assert effects_in(steps) == []
    assert reports_in(steps)[-1].status is ReportStatus.CANCELLED


@pytest.mark.fault("F30")
def test_an_unknown_action_fails_for_good() -> None:
    bench = Bench().ready()
    bench.receive(a_run(action="fly"))
    [report] = bench.reports()
    assert report.error is not None
    assert (report.status, report.error.code, report.error.retryable) == ("failed", "unsupported_action", False)


def test_more_than_the_agent_holds_is_busy_which_is_not_journalled_and_costs_no_attempt() -> None:
    bench = Bench(max_unfinished=2).ready()
    for number in (1, 2, 3):
        bench.receive(a_run(number))
    assert bench.statuses()[-1] is ReportStatus.BUSY
    assert command_id(3) not in bench.disk.attempts
    end(bench, 1)
    bench.receive(a_run(3))
    assert ReportStatus.ACCEPTED in bench.statuses()


def test_a_time_out_stops_the_effect_and_the_driver_says_what_became_of_it() -> None:
    for said, expected in [
        (DONE, ("completed", None)),
        (Outcome(status="cancelled"), ("failed", "timed_out")),
        (None, ("unknown", "timed_out")),
    ]:
        bench = Bench().ready()
        bench.receive(a_run(timeout_s=20.0))
        bench.take()
        bench.pass_time(20)
        assert stops_in(bench.take()) == [(1, "timed_out")]
        end(bench, outcome=said)
        [*_, report] = bench.reports()
        assert (report.status, report.error.code if report.error else None) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("time", ("failed", "timed_out")),
        ("a person", ("cancelled", "job_cancelled_at_printer")),
        ("time, then a person", ("cancelled", "job_cancelled_at_printer")),
        ("nobody", ("cancelled", "job_cancelled_at_printer")),
    ],
)
def test_why_an_effect_was_stopped_outlives_the_agent(asked: str, expected: tuple[str, str]) -> None:
    """The printer only says that the job was cancelled there; who wanted that stands in the journal."""
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=20.0))
    if "time" in asked:
        bench.pass_time(20)
    if "a person" in asked:
        bench.receive(a_cancel())
    bench.take()
    bench.start()
    assert effects_in(bench.take()) == [(1, 1, "evidence")]
    end(bench, outcome=Outcome(status="cancelled", code="job_cancelled_at_printer"))
    bench.connect()
    bench.welcome()
    [*_, report] = bench.reports()
    assert report.error is not None
    assert (report.status, report.error.code) == expected
    assert bench.disk.attempts[command_id(1)].stop is None


def test_held_and_resumed_are_journalled_and_said_once() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    for _ in range(2):
        bench.feed(EffectHeld(command_id(1), 1, ["media-empty"]))
    bench.feed(EffectResumed(command_id(1), 1))
    bench.feed(EffectResumed(command_id(1), 1))
    reports = bench.reports()
    assert [(report.status, report.progress) for report in reports] == [
        ("held", {"reasons": ["media-empty"]}),
        ("started", None),
    ]
    assert len(bench.disk.reports) == 4


def test_the_time_of_a_run_stands_still_while_it_waits_for_a_person() -> None:
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=20.0))
    bench.take()
    bench.pass_time(15)
    bench.feed(EffectHeld(command_id(1), 1, ["media-empty"]))
    bench.feed(EffectHeld(command_id(1), 1, ["media-empty", "door-open"]))
    bench.take()
    bench.pass_time(3600)
    assert stops_in(bench.take()) == []
    bench.feed(EffectResumed(command_id(1), 1))
    bench.take()
    bench.pass_time(4)
    assert stops_in(bench.take()) == []
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "timed_out")]


def test_the_time_of_a_run_goes_on_where_nobody_can_say_whether_a_person_is_waited_for() -> None:
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=20.0))
    bench.take()
    bench.pass_time(5)
    bench.feed(EffectHeld(command_id(1), 1, ["media-empty"]))
    bench.pass_time(100)
    bench.feed(EffectHeld(command_id(1), 1, ["printer-not-reading"], pauses=False))
    bench.pass_time(5)
    bench.feed(EffectResumed(command_id(1), 1))
    bench.feed(EffectHeld(command_id(1), 1, ["printer-not-reading"], pauses=False))
    held = ("held", {"reasons": ["printer-not-reading"]})
    assert [(r.status, r.progress) for r in bench.reports()][-3:] == [held, ("started", None), held]
    bench.pass_time(9)
    assert stops_in(bench.take()) == []
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "timed_out")]


def test_nobody_comes_for_a_held_run_and_it_ends_a_day_later() -> None:
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=20.0))
    bench.take()
    bench.feed(EffectHeld(command_id(1), 1, ["media-empty"]))
    bench.take()
    bench.pass_time(HELD_ALLOWANCE_S + 19)
    assert stops_in(bench.take()) == []
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "timed_out")]


def test_of_progress_only_the_latest_goes_and_nothing_is_journalled() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    bench.receipt()
    before = len(bench.disk.reports)
    first = bench.feed(EffectProgress(command_id(1), 1, {"page": 1}))
    for page in range(2, 50):
        bench.feed(EffectProgress(command_id(1), 1, {"page": page}))
    assert reports_in(list(first.steps))[0].progress == {"page": 1}
    bench.take()
    bench.pass_time(1)
    assert [report.progress for report in bench.reports()] == [{"page": 49}]
    assert len(bench.disk.reports) == before


def test_what_waits_while_a_publish_is_in_flight_goes_together() -> None:
    bench = Bench().ready()
    first = bench.receive(a_run(1, lane="a"))
    quiet = [bench.receive(a_run(number, lane=f"lane-{number}")) for number in range(2, 6)]
    assert len(reports_in(list(first.steps))) == 2
    assert reports_in([step for decision in quiet for step in decision.steps]) == []
    assert len(bench.statuses()) == 10


def test_a_publish_without_confirmation_is_repeated_until_the_receipt_with_growing_pauses() -> None:
    bench = Bench().ready()
    bench.receive(a_run(expires_at=moment(T0 - 1)))
    bench.take()
    pauses = []
    for _ in range(8):
        began = bench.mono
        while not bench.reports():
            bench.pass_time(0.25)
        pauses.append(bench.mono - began)
    assert pauses[:5] == sorted(pauses[:5])
    assert 0.75 <= pauses[0] <= 1.5
    assert 22 <= pauses[-1] <= 38
    bench.receipt()
    bench.take()
    for _ in range(100):
        bench.pass_time(1)
    assert bench.reports() == []


def test_a_failed_publish_lets_the_next_one_go() -> None:
    bench = Bench().ready()
    decision = bench.receive(a_run())
    [token] = [step.token for step in decision.steps if isinstance(step, Publish) and step.token is not None]
    bench.feed(EffectEnded(command_id(1), 1, DONE))
    bench.feed(PublishFailed(token + 1))
    assert reports_in(bench.steps[2:]) == []
    decision = bench.feed(PublishFailed(token))
    assert [report.status for report in reports_in(list(decision.steps))] == ["completed"]


def test_reports_go_again_on_each_connection_after_the_birth() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    end(bench)
    sent = bench.reports()
    bench.feed(Disconnected())
    decision = bench.feed(Connected(2))
    assert [birth.connection for birth in births_in(list(decision.steps))] == [2]
    assert reports_in(list(decision.steps)) == sent


def test_a_roll_call_is_answered_within_its_spread_by_heartbeat_and_older_reports() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1, lane="a"))
    bench.pass_time(40)
    bench.take()
    bench.pass_time(0.1)
    bench.receive(a_run(2, lane="b"))
    bench.take()
    bench.roll_call(0.0)
    steps = bench.take()
    assert {report.command_id for report in reports_in(steps)} == {command_id(1)}
    assert "heartbeat" in [getattr(step, "channel", None) for step in steps]


def test_a_heartbeat_comes_every_ten_seconds_at_most_and_no_two_agents_stay_in_step() -> None:
    bench = Bench().ready()
    beats: list[float] = []
    for tenth in range(1_200):
        bench.pass_time(0.1)
        if "heartbeat" in [getattr(step, "channel", None) for step in bench.take()]:
            beats.append(tenth / 10)
    pauses = [round(after - before, 1) for before, after in itertools.pairwise(beats)]
    assert len(pauses) > 10
    assert max(pauses) <= 10.1  # the time passes in tenths
    assert min(pauses) >= 9.0
    assert len(set(pauses)) > 1


def test_an_oversized_result_is_cut_with_a_note_and_still_arrives() -> None:
    bench = Bench().ready()
    results: list[dict[str, Any]] = [{"text": "x" * 200_000}, {"bad": object()}, {"text": "\ud800"}]
    for number, data in enumerate(results, start=1):
        bench.receive(a_run(number, lane=f"lane-{number}"))
        end(bench, number, outcome=Outcome(status="completed", data=data, message="\ud800\0" + "\x01" * 9_000))
    ends: list[Any] = []
    for _ in range(40):
        ends += [report for report in bench.reports() if report.status is ReportStatus.COMPLETED]
        bench.pass_time(1)
    assert {report.command_id for report in ends} == {command_id(1), command_id(2), command_id(3)}
    assert all(report.result.data["truncated"] for report in ends)


def test_a_large_result_is_kept_small_once_the_hub_has_it() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    end(bench, outcome=Outcome(status="completed", data={"text": "x" * 30_000}))
    [*_, whole] = bench.reports()
    bench.receipt()
    bench.receive(a_run())
    [again] = bench.reports()
    assert (again.report_id, again.status) == (whole.report_id, whole.status)
    assert sum(len(record.body) for record in bench.disk.reports.values()) < 3_000


def test_ids_are_kept_a_day_past_expiry_and_never_forgotten_before_the_receipt() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2, lane="b"))
    end(bench, 1)
    bench.receipt()
    end(bench, 2)
    bench.pass_time(3_600 + 23 * 3_600)
    assert set(bench.disk.attempts) == {command_id(1), command_id(2)}
    bench.pass_time(3_700)
    assert set(bench.disk.attempts) == {command_id(2)}
    assert {record.command_id for record in bench.disk.reports.values()} == {command_id(2)}
    bench.take()
    bench.receive(a_run(1))
    steps = bench.take()
    assert effects_in(steps) == []
    assert reports_in(steps)[-1].status is ReportStatus.EXPIRED


def test_a_stopping_agent_takes_nothing_in_and_begins_nothing() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    bench.take()
    bench.feed(StopRequested())
    bench.receive(a_run(3))
    assert bench.statuses() == ["busy"]
    assert not bench.core.quiet
    end(bench, 1)
    assert effects_in(bench.take()) == []
    bench.receipt()
    assert bench.core.quiet


def test_a_cut_off_attempt_is_asked_about_and_never_run_again_blindly() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    bench.start()
    steps = bench.take()
    assert effects_in(steps) == [(1, 1, "evidence")]
    end(bench, outcome=Outcome(status="unknown", data={"job": "absent"}))
    bench.ready()
    bench.receive(a_run())
    [*_, report] = bench.reports()
    assert report.status is ReportStatus.UNKNOWN
    assert report.result is not None
    assert report.result.data == {"evidence": {"job": "absent"}}


def test_evidence_can_tell_the_real_end() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.start()
    end(bench, outcome=DONE)
    bench.connect()
    assert bench.statuses()[-1] is ReportStatus.COMPLETED


def test_a_cut_off_rerun_runs_again_as_the_same_attempt_once_the_hub_offers_it() -> None:
    bench = Bench().ready()
    bench.receive(a_run(on_interrupt=OnInterrupt.RERUN))
    bench.take()
    bench.start()
    assert effects_in(bench.take()) == []
    bench.connect()
    bench.learn_keys()
    assert effects_in(bench.take()) == []
    bench.welcome()
    assert effects_in(bench.take()) == []
    bench.receive(a_run(on_interrupt=OnInterrupt.RERUN))
    assert effects_in(bench.take()) == [(1, 1, "execute")]


def test_a_cut_off_rerun_that_expired_or_was_cancelled_is_unknown() -> None:
    for way in ("expire", "cancel"):
        bench = Bench().ready()
        bench.receive(a_run(on_interrupt=OnInterrupt.RERUN))
        bench.take()
        bench.start()
        if way == "cancel":
            bench.learn_keys()
            bench.receive(a_cancel())
        else:
            bench.hub_time += 4_000
        bench.connect()
        bench.learn_keys()
        bench.welcome()
        steps = bench.take()
        assert effects_in(steps) == []
        [*_, report] = reports_in(steps)
        assert report.error is not None
        assert (report.status, report.error.code) == ("unknown", "interrupted")


def test_nothing_begins_before_the_welcome_of_this_process() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    end(bench, 1)
    bench.feed(StopRequested())
    bench.start()
    bench.connect()
    bench.learn_keys()
    bench.receive(a_run(2))
    bench.receive(a_run(3, lane="b"))
    bench.steps.clear()
    assert bench.disk.settings.journal_id == JOURNAL
    bench.welcome()
    assert (3, 1, "execute") in effects_in(bench.take())


def _delivery(bench: Bench, run: Run) -> MessageReceived:
    return MessageReceived(Inbox.COMMANDS, bench.keys.sign(run))

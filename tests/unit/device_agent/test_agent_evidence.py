"""What a restart cut off and its driver finds again at its device: time, hold, cancel and time-out as while it ran."""

from datetime import timedelta

import pytest

from device_agent.core.events import EffectEnded, EffectFound, EffectHeld, EffectResumed
from device_agent.core.outcome import Outcome
from schemas.states import ReportStatus
from tests.support.agent_bench import T0, Bench, a_cancel, a_run, command_id, moment, stops_in

FOUND = EffectFound(command_id(1), 1)
HELD = EffectHeld(command_id(1), 1, ["media-empty"])
RESUMED = EffectResumed(command_id(1), 1)
TIMEOUT_S = 60.0


def cut_off(*before: EffectHeld, away_s: float = 0.0) -> Bench:
    """An agent that was killed while its effect ran, and is back."""
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=TIMEOUT_S, expires_at=moment(T0) + timedelta(hours=2)))
    for event in before:
        bench.feed(event)
    bench.take()
    bench.receipt()
    bench.wall += away_s
    bench.mono += away_s
    bench.hub_time += away_s
    bench.start()
    bench.ready()
    return bench


def test_a_page_that_waits_for_a_person_waits_as_long_as_without_the_restart() -> None:
    bench = cut_off(HELD)
    bench.feed(FOUND)
    bench.feed(HELD)
    assert bench.statuses() == [ReportStatus.STARTED, ReportStatus.HELD]
    bench.pass_time(10 * TIMEOUT_S)
    assert stops_in(bench.take()) == []
    bench.feed(RESUMED)
    assert bench.statuses() == [ReportStatus.STARTED]
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="completed")))
    assert bench.statuses() == [ReportStatus.COMPLETED]


@pytest.mark.parametrize(
    ("away_s", "left_s"), [(0.0, 60.0), (25.0, 35.0), (3_600.0, 10.0)], ids=["at once", "soon", "late"]
)
def test_its_own_time_out_reaches_the_device(away_s: float, left_s: float) -> None:
    bench = cut_off(away_s=away_s)
    bench.feed(FOUND)
    assert bench.pass_time(left_s - 1).wake_at <= bench.mono + 1
    assert stops_in(bench.take()) == []
    bench.pass_time(1)
    assert stops_in(bench.take()) == [(1, "timed_out")]
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="cancelled")))
    [report] = bench.reports()
    assert report.error is not None
    assert (report.status, report.error.code, report.error.retryable) == ("failed", "timed_out", False)


@pytest.mark.parametrize("when", ["before the restart", "while it is looked for", "while it is followed"])
def test_a_cancel_reaches_the_device_whenever_it_comes(when: str) -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    if when == "before the restart":
        bench.receive(a_cancel())
    bench.take()
    bench.start()
    bench.ready()
    if when == "while it is looked for":
        bench.receive(a_cancel())
    assert stops_in(bench.take()) == []
    bench.feed(FOUND)
    if when == "while it is followed":
        bench.receive(a_cancel())
    assert stops_in(bench.take()) == [(1, "cancelled")]
    bench.receive(a_cancel())
    assert stops_in(bench.take()) == [], "its driver is asked once"
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="cancelled")))
    assert bench.reports()[-1].status is ReportStatus.CANCELLED


def test_a_cancel_of_what_is_not_found_leaves_the_doubt() -> None:
    bench = cut_off()
    bench.receive(a_cancel())
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="unknown")))
    assert bench.reports()[-1].status is ReportStatus.UNKNOWN


def test_a_driver_that_did_not_stop_what_it_followed_leaves_the_doubt() -> None:
    bench = cut_off()
    bench.feed(FOUND)
    bench.receive(a_cancel())
    bench.feed(EffectEnded(command_id(1), 1, None))
    report = bench.reports()[-1]
    assert report.error is not None
    assert (report.status, report.error.code) == ("unknown", "stopped")


def test_what_was_begun_before_a_restart_is_never_begun_anew_whatever_its_driver_says() -> None:
    bench = cut_off()
    bench.feed(EffectHeld(command_id(1), 1, ["printer-unreachable"], untouched=True))
    bench.feed(FOUND)
    bench.feed(EffectHeld(command_id(1), 1, ["printer-unreachable"], untouched=True))
    assert not bench.disk.attempts[command_id(1)].untouched


def test_only_what_is_asked_about_can_be_found() -> None:
    bench = Bench().ready()
    bench.receive(a_run(timeout_s=TIMEOUT_S))
    bench.pass_time(30)
    bench.feed(FOUND)
    bench.pass_time(30)
    assert stops_in(bench.take()) == [(1, "timed_out")]

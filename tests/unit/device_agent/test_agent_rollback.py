"""A journal that is an older copy of itself: what shows it, and what it must not begin."""

import pytest

from device_agent.core.events import EffectEnded, LeaveBroker, Publish
from device_agent.core.log import Log
from device_agent.core.outcome import Outcome
from device_agent.core.records import Phase
from schemas import codec
from schemas.messages import Heartbeat, Reports
from schemas.states import OnInterrupt, ReportStatus
from schemas.topics import Channel
from tests.support.agent_bench import JOURNAL, Bench, a_cancel, a_run, births_in, command_id, effects_in

ACCEPTED, STARTED = ReportStatus.ACCEPTED, ReportStatus.STARTED


def messages_on(bench: Bench, channel: Channel) -> list[Heartbeat | Reports]:
    published = [step for step in bench.take() if isinstance(step, Publish) and step.channel is channel]
    return [codec.decode(channel, step.payload) for step in published]


def test_the_mark_rises_with_each_start_and_each_commit_about_a_command_and_is_on_the_disk_before_it_is_shown() -> None:
    bench = Bench().ready()
    seen = [bench.disk.settings.generation]

    def grown() -> bool:
        seen.append(bench.disk.settings.generation)
        return seen[-1] > seen[-2]

    bench.receive(a_run(1))
    assert grown()
    [message, *_] = messages_on(bench, Channel.REPORTS)
    assert isinstance(message, Reports)
    assert (message.mark, message.connection) == (bench.disk.settings.generation, 1)
    bench.receive(a_run(2))
    assert grown()
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="completed")))
    assert grown()
    bench.receive(a_cancel(3))
    assert grown()
    bench.receipt()
    assert not grown()
    bench.pass_time(31)
    [beat] = messages_on(bench, Channel.HEARTBEAT)
    assert beat.mark == bench.disk.settings.generation
    bench.start()
    assert grown()
    [birth] = births_in(list(bench.connect().steps))
    assert birth.mark == bench.disk.settings.generation


def test_what_waits_in_the_journal_begins_only_when_the_hub_offers_it_to_this_process() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    bench.start()
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="completed")))
    bench.ready()
    assert effects_in(bench.take()) == []
    bench.receive(a_run(2))
    assert effects_in(bench.take()) == [(2, 1, "execute")]


@pytest.mark.parametrize("heard", [ACCEPTED, STARTED])
@pytest.mark.parametrize("expired", [False, True])
def test_an_attempt_that_the_hub_has_heard_of_and_the_journal_does_not_know_is_unknown(
    heard: ReportStatus, *, expired: bool
) -> None:
    bench = Bench().ready()
    if expired:
        bench.pass_time(2 * 3_600)
    before = bench.disk.settings.epoch
    bench.receive(a_run(1, heard=heard))
    steps = bench.take()
    assert effects_in(steps) == []
    assert [step.reason for step in steps if isinstance(step, LeaveBroker)] == ["the journal was rolled back"]
    assert bench.logged(Log.JOURNAL_ROLLED_BACK)
    [birth] = births_in(list(bench.connect().steps))
    assert (birth.journal, birth.epoch) == (None, before)
    [report] = bench.reports()
    assert report.error is not None
    assert (report.status, report.error.code) == ("unknown", "journal_rolled_back")


def test_an_attempt_that_the_hub_knows_as_started_and_the_journal_as_waiting_is_unknown() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    bench.take()
    bench.receive(a_run(2, heard=ACCEPTED))
    assert [report.status for report in bench.reports()] == [ACCEPTED]
    bench.receive(a_run(2, heard=STARTED))
    assert bench.reports()[-1].status is ReportStatus.UNKNOWN
    assert bench.logged(Log.JOURNAL_ROLLED_BACK)
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="completed")))
    assert effects_in(bench.take()) == []


def test_a_journal_that_was_given_up_begins_nothing_that_it_holds_before_or_after_its_new_identity() -> None:
    bench = Bench().ready()
    for number in (1, 2):
        bench.receive(a_run(number))
    bench.receive(a_run(4, on_interrupt=OnInterrupt.RERUN))
    bench.receive(a_run(3, lane="b", heard=ACCEPTED))
    bench.take()
    bench.feed(EffectEnded(command_id(1), 1, Outcome(status="completed")))
    assert effects_in(bench.take()) == []
    bench.connect()
    bench.welcome(journal="journal-2")
    steps = bench.take()
    assert effects_in(steps) == []
    assert bench.disk.attempts[command_id(2)].phase is Phase.FINISHED
    assert command_id(4) not in bench.disk.attempts
    bench.receive(a_run(5, journal=JOURNAL))
    assert effects_in(bench.take()) == []
    bench.receive(a_run(5, journal="journal-2"))
    assert effects_in(bench.take()) == [(5, 1, "execute")]


def test_a_run_so_old_that_its_id_may_have_been_forgotten_is_unknown_but_costs_no_journal() -> None:
    bench = Bench().ready()
    bench.pass_time(26 * 3_600)
    bench.receive(a_run(1, heard=STARTED))
    assert [report.status for report in bench.reports()] == [ReportStatus.UNKNOWN]
    assert bench.logged(Log.JOURNAL_ROLLED_BACK) == []
    assert bench.disk.settings.journal_id == JOURNAL


# --- welcomes ----------------------------------------------------------------------------------------------------


def test_a_welcome_counts_once_and_only_for_a_birth_of_this_connection() -> None:
    bench = Bench()
    [birth] = births_in(list(bench.connect().steps))
    bench.learn_keys()
    bench.welcome(nonce="of another birth")
    assert bench.core.refused["stale_welcome"] == 1
    bench.welcome(nonce=birth.nonce)
    assert bench.logged(Log.WELCOMED)
    bench.pass_time(100)
    bench.welcome(nonce=birth.nonce)  # another worker's, or an old one played again: silently nothing
    assert len(bench.logged(Log.WELCOMED)) == 1
    bench.welcome()
    assert bench.core.refused["stale_welcome"] == 2
    [second] = births_in(list(bench.connect().steps))
    assert second.nonce != birth.nonce
    bench.welcome(nonce=birth.nonce)
    assert bench.core.refused["stale_welcome"] == 3
    bench.welcome(nonce=second.nonce)
    assert len(bench.logged(Log.WELCOMED)) == 2


def test_each_birth_of_a_connection_may_be_the_one_that_is_answered() -> None:
    bench = Bench()
    births = births_in(list(bench.connect().steps))
    bench.learn_keys()
    births += births_in(list(bench.pass_time(7).steps))
    assert len({birth.nonce for birth in births}) == 2
    bench.welcome(nonce=births[0].nonce)
    assert bench.logged(Log.WELCOMED)


def test_an_old_welcome_played_again_does_not_hold_the_clock_still() -> None:
    bench = Bench()
    [birth] = births_in(list(bench.connect().steps))
    bench.learn_keys()
    old = bench.hub_time
    bench.welcome(nonce=birth.nonce)
    for _ in range(10):
        bench.pass_time(400)
        bench.welcome(nonce=birth.nonce, hub_time=a_run(issued_at=birth.clock).issued_at)
    bench.receive(a_run(1))
    assert bench.hub_time == old + 4_000
    assert [report.status for report in bench.reports()] == [ReportStatus.EXPIRED]

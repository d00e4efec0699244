"""Who may command the agent: forged, altered, foreign and replayed messages change nothing and crash nothing."""

from itertools import pairwise
from typing import Any

import pytest

from device_agent.core.events import Connected, EffectEnded, Inbox, LeaveBroker, MessageReceived
from device_agent.core.log import Log
from schemas import codec
from schemas.codec import body_of
from schemas.messages import Receipt
from schemas.signing import RECEIPT, WELCOME, Signer
from schemas.states import OnInterrupt, ReportStatus
from tests.support.agent_bench import (
    CLIENT,
    T0,
    Bench,
    HubKeys,
    a_cancel,
    a_run,
    births_in,
    command_id,
    effects_in,
    moment,
)


def assert_refused(bench: Bench, code: str) -> None:
    assert bench.take() == []
    assert bench.disk.attempts == {}
    assert bench.core.refused[code] == 1, bench.core.refused


def test_an_unsigned_command_is_refused() -> None:
    bench = Bench().ready()
    bench.receive(codec.encode(a_run()))
    assert_refused(bench, "bad_signature")


def test_every_single_altered_byte_is_refused() -> None:
    bench = Bench().ready()
    payload = bench.keys.sign(a_run())
    for place in range(len(payload)):
        altered = bytearray(payload)
        altered[place] ^= 0x01
        bench.receive(bytes(altered))
    assert bench.take() == []
    assert bench.disk.attempts == {}
    assert bench.core.refused.total() == len(payload)


def test_a_retained_command_is_refused() -> None:
    bench = Bench().ready()
    bench.receive(a_run(), retained=True)
    assert_refused(bench, "retained")


def test_a_command_for_another_client_is_refused() -> None:
    bench = Bench().ready()
    bench.receive(a_run(client_id="pc-2"))
    assert_refused(bench, "foreign_client")


@pytest.mark.parametrize("journal", [None, "another"])
def test_a_command_for_another_journal_is_refused_and_a_new_welcome_asked_for(journal: str | None) -> None:
    bench = Bench().ready()
    bench.receive(a_run(journal=journal))
    assert_refused(bench, "wrong_journal")
    asked = 0
    for _ in range(200):
        bench.pass_time(1)
        asked += len(births_in(bench.take()))
    assert asked == 1


def test_a_signature_for_another_purpose_is_refused() -> None:
    bench = Bench().ready()
    bench.receive(bench.keys.signer.sign(RECEIPT, codec.encode(a_run())))
    assert_refused(bench, "bad_signature")


def test_a_receipt_that_is_signed_as_a_welcome_is_refused() -> None:
    bench = Bench().ready()
    bench.receive(a_run())
    bench.take()
    ids = list(bench.disk.reports)
    body = codec.encode(Receipt(client_id=CLIENT, report_ids=ids, hub_time=moment(T0)))
    bench.feed(MessageReceived(Inbox.RECEIPTS, bench.keys.signer.sign(WELCOME, body)))
    assert bench.core.refused == {"bad_signature": 1}
    assert not any(record.receipted for record in bench.disk.reports.values())


def test_a_key_of_nobody_is_refused() -> None:
    bench = Bench().ready()
    bench.keys.signer = Signer(b"x" * 32)
    bench.receive(a_run())
    assert_refused(bench, "unknown_key")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"kinds": ["receipt", "welcome"]}, "key_not_allowed"),
        ({"not_after": T0 + 60}, "key_expired"),
        ({"expires": T0 + 60}, "key_list_expired"),
    ],
)
def test_a_key_counts_only_for_its_kinds_and_its_time(fields: dict[str, Any], code: str) -> None:
    bench = Bench().ready()
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=2, **fields), retained=True))
    bench.pass_time(120)
    bench.take()
    bench.receive(a_run())
    assert_refused(bench, code)


def test_an_older_or_forged_key_list_is_refused_also_after_a_restart() -> None:
    bench = Bench().ready()
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=5, kinds=["receipt", "welcome"])))
    bench.start()
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=4)))
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=6, root=Signer(b"y" * 32))))
    bench.connect()
    bench.welcome()
    bench.receive(a_run())
    assert bench.core.refused == {"old_key_list": 1, "bad_signature": 1, "key_not_allowed": 1}


def test_why_the_hub_is_refused_is_known_until_it_is_obeyed_again() -> None:
    bench = Bench().ready()
    hub = bench.keys.signer
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=5)))
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=4)))
    assert bench.core.distrusts is None  # an older list of the same keys is no trouble
    bench.keys.signer = Signer(b"x" * 32)
    bench.receive(a_run())
    assert bench.core.distrusts == "old_key_list"
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=4, root=Signer(b"y" * 32))))
    assert bench.core.distrusts == "bad_signature"
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=6)))
    bench.keys.signer = Signer(b"z" * 32)
    bench.receive(a_run())
    assert bench.core.distrusts == "unknown_key"
    bench.feed(MessageReceived(Inbox.COMMANDS, b"not signed at all"))
    bench.keys.signer = hub
    bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(version=7)))
    bench.receive(a_run())
    assert bench.core.distrusts is None


def test_a_key_list_that_only_lives_longer_is_taken() -> None:
    bench = Bench().ready()
    for expires in (T0 + 2e7, T0 + 60):
        bench.feed(MessageReceived(Inbox.KEYS, bench.keys.key_list(expires=expires, not_after=T0 + 2e7)))
    bench.pass_time(1.5e7)
    bench.take()
    bench.receive(a_run(expires_at=moment(T0 + 2e7)))
    assert effects_in(bench.take()) == [(1, 1, "execute")]


def test_the_key_list_of_the_journal_serves_until_a_newer_one_comes() -> None:
    bench = Bench().ready()
    bench.start()
    bench.connect()
    bench.welcome()
    bench.receive(a_run())
    assert effects_in(bench.take()) == [(1, 1, "execute")]


@pytest.mark.parametrize("inbox", list(Inbox))
@pytest.mark.parametrize("payload", [b"", b"{", b"\n", b"a b\n{}", b"\xff\xfe\n", b"[" * 60_000, b"{" * 70_000])
def test_garbage_never_raises(inbox: Inbox, payload: bytes) -> None:
    bench = Bench().ready()
    bench.feed(MessageReceived(inbox, payload))
    assert bench.core.refused.total() == 1


def test_a_forger_cannot_fill_the_log() -> None:
    bench = Bench().ready()
    for _ in range(500):
        bench.receive(b"{}")
    assert len(bench.logged(Log.MESSAGE_REFUSED)) == 1
    bench.pass_time(11)
    bench.receive(b"{}")
    assert [fields["count"] for fields in bench.logged(Log.MESSAGE_REFUSED)] == [1, 501]


def test_a_replayed_receipt_cannot_turn_the_clock_back() -> None:
    bench = Bench().ready()
    old = bench.keys.sign(Receipt(client_id=CLIENT, report_ids=[], hub_time=moment(bench.hub_time)))
    bench.pass_time(100)
    bench.feed(MessageReceived(Inbox.RECEIPTS, old))
    bench.receive(a_run(expires_at=moment(T0 + 50)))
    assert bench.statuses() == ["expired"]


@pytest.mark.parametrize("fields", [{"session": "another"}, {"epoch": 1}])
def test_a_welcome_of_another_birth_is_refused(fields: dict[str, Any]) -> None:
    bench = Bench().ready()
    bench.epoch = 5
    bench.welcome()
    bench.welcome(journal="forged", **fields)
    assert bench.core.refused["stale_welcome"] == 1
    assert bench.disk.settings.journal_id == "journal-1"


def test_a_birth_without_answer_is_repeated_more_and_more_rarely() -> None:
    bench = Bench()
    bench.connect()
    born = [bench.mono]
    bench.take()
    for _ in range(1_000):
        bench.pass_time(0.5)
        born += [bench.mono for _ in births_in(bench.take())]
    pauses = [later - earlier for earlier, later in pairwise(born)]
    assert 3 <= pauses[0] <= 7
    assert 40 <= pauses[-1] <= 76


def test_epoch_and_journal_id_are_kept_and_shown_in_the_next_birth() -> None:
    bench = Bench().ready()
    bench.start()
    [birth] = births_in(list(bench.connect().steps))
    assert (birth.epoch, birth.journal, birth.session) == (1, "journal-1", "session-2")


def test_an_agent_that_is_told_to_keep_away_leaves_says_why_and_begins_nothing() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    bench.take()
    bench.welcome(journal="other", keep_away="pc-1 also runs at 10.0.0.9")
    [left] = [step for step in bench.take() if isinstance(step, LeaveBroker)]
    assert left.reason == "pc-1 also runs at 10.0.0.9"
    assert bench.logged(Log.FENCED) == [{"reason": "pc-1 also runs at 10.0.0.9"}]
    assert bench.disk.settings.journal_id == "journal-1"
    bench.receive(a_run(3, lane="b"))
    bench.feed(EffectEnded(command_id(1), 1, None))
    bench.feed(Connected(2))
    bench.pass_time(5)
    steps = bench.take()
    assert effects_in(steps) == []
    assert births_in(steps)
    bench.welcome()
    bench.receive(a_run(3, lane="b"))
    assert (3, 1, "execute") in effects_in(bench.take())


def test_a_new_journal_id_makes_what_waits_unknown_and_lets_a_rerun_come_again() -> None:
    bench = Bench().ready()
    bench.receive(a_run(1))
    bench.receive(a_run(2))
    bench.receive(a_run(3, on_interrupt=OnInterrupt.RERUN))
    bench.take()
    bench.welcome(journal="journal-2")
    assert [(report.status, report.command_id) for report in bench.reports()] == [(ReportStatus.UNKNOWN, command_id(2))]
    bench.receive(a_run(3, on_interrupt=OnInterrupt.RERUN, journal="journal-2", lane="b"))
    assert effects_in(bench.take()) == [(3, 1, "execute")]


def test_a_basic_reader_can_cut_the_signature_off() -> None:
    payload = HubKeys().sign(a_cancel())
    assert body_of(payload) == codec.encode(a_cancel())

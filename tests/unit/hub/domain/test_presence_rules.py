"""Whether a client is there, and whether its journal is the one the hub knows."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.domain import presence
from hub.domain.presence import Evidence, Finding, Heard, Identity, Sign, age, hear, identify
from schemas.states import Level, Presence

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ONLINE = hear(Evidence(), Heard(Sign.BIRTH, "s1", 3), NOW)


@pytest.mark.parametrize("sign", [Sign.WILL, Sign.GOOD_BYE, Sign.HEARTBEAT, Sign.BIRTH])
def test_an_older_connection_says_nothing(sign: Sign) -> None:
    assert hear(ONLINE, Heard(sign, "s1", 2), NOW + timedelta(seconds=1)) == ONLINE


@pytest.mark.parametrize("sign", [Sign.WILL, Sign.GOOD_BYE, Sign.HEARTBEAT])
def test_another_session_says_nothing_before_its_birth(sign: Sign) -> None:
    assert hear(ONLINE, Heard(sign, "s0", 9), NOW + timedelta(seconds=1)) == ONLINE


def test_the_reason_says_how_it_went() -> None:
    assert hear(ONLINE, Heard(Sign.WILL, "s1", 3), NOW).reason == "connection_lost"
    assert hear(ONLINE, Heard(Sign.GOOD_BYE, "s1", 3), NOW).reason == "stopped"


def test_since_is_when_the_presence_changed_not_when_it_was_confirmed() -> None:
    later = NOW + timedelta(minutes=1)
    heard = hear(ONLINE, Heard(Sign.HEARTBEAT, "s1", 3), later)
    assert (heard.since, heard.heard_at, heard.reason) == (NOW, later, "birth")


def test_silence_makes_a_full_agent_unknown_and_a_heartbeat_brings_it_back() -> None:
    assert age(ONLINE, NOW + presence.SILENCE - timedelta(seconds=1), None) == ONLINE
    silent = age(ONLINE, NOW + presence.SILENCE, None)
    assert (silent.presence, silent.reason) == (Presence.UNKNOWN, "no_heartbeat")
    back = hear(silent, Heard(Sign.HEARTBEAT, "s1", 3), NOW + timedelta(minutes=5))
    assert back.presence is Presence.ONLINE


def test_who_is_silent_at_a_roll_call_is_unknown_after_five_seconds() -> None:
    called = NOW + timedelta(seconds=10)
    patience = presence.ROLL_CALL_PATIENCE
    assert age(ONLINE, called + patience - timedelta(milliseconds=1), called) == ONLINE
    assert age(ONLINE, called + patience, called).reason == "silent_at_roll_call"
    answered = hear(ONLINE, Heard(Sign.HEARTBEAT, "s1", 3), called + timedelta(seconds=1))
    assert age(answered, called + patience, called) == answered


def test_a_basic_client_owes_no_heartbeat() -> None:
    basic = hear(Evidence(), Heard(Sign.BIRTH, "s1", 1, Level.BASIC), NOW)
    assert age(basic, NOW + timedelta(days=30), NOW + timedelta(days=29)) == basic


KNOWN = Identity("j1", issued=5, confirmed=4, session="s1")


@pytest.mark.parametrize(
    ("journal", "epoch", "finding", "after"),
    [
        ("j1", 5, Finding.SAME, Identity("j1", 6, 4, "s2")),
        # The one before the last stays valid until the last is confirmed.
        ("j1", 4, Finding.SAME, Identity("j1", 6, 4, "s2")),
        ("j1", 3, Finding.LOST, Identity("fresh", 6, 0, "s2")),
        ("j1", None, Finding.LOST, Identity("fresh", 6, 0, "s2")),
        (None, None, Finding.LOST, Identity("fresh", 6, 0, "s2")),
        ("j0", 5, Finding.LOST, Identity("fresh", 6, 0, "s2")),
        ("j1", 9, Finding.AHEAD, Identity("j1", 10, 4, "s2")),
    ],
)
def test_what_a_full_agents_birth_says_about_its_journal(
    journal: str | None, epoch: int | None, finding: Finding, after: Identity
) -> None:
    assert identify(KNOWN, level=Level.FULL, session="s2", journal=journal, epoch=epoch, fresh="fresh") == (
        after,
        finding,
    )


def test_the_first_birth_gets_a_journal() -> None:
    identity, finding = identify(Identity(), level=Level.FULL, session="s1", journal=None, epoch=None, fresh="fresh")
    assert (identity, finding) == (Identity("fresh", 1, 0, "s1"), Finding.FIRST)


def test_a_basic_client_that_starts_anew_has_forgotten_everything() -> None:
    first, finding = identify(Identity(), level=Level.BASIC, session="s1", journal=None, epoch=None, fresh="f1")
    assert (first.journal, finding) == ("f1", Finding.SAME)
    same, finding = identify(first, level=Level.BASIC, session="s1", journal=None, epoch=None, fresh="f2")
    assert (same.journal, finding) == ("f1", Finding.SAME)
    anew, finding = identify(same, level=Level.BASIC, session="s2", journal=None, epoch=None, fresh="f3")
    assert (anew.journal, finding) == ("f1", Finding.NEW_SESSION)

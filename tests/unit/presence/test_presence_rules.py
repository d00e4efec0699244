"""Whether a client is there."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.presence.rules import presence
from hub.core.presence.rules.presence import Evidence, Heard, Sign, age, hear
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


@pytest.mark.parametrize("sign", [Sign.BIRTH, Sign.HEARTBEAT, Sign.WILL])
@pytest.mark.parametrize("end", [Sign.WILL, Sign.GOOD_BYE])
def test_what_was_said_before_a_connection_ended_and_comes_after_it_does_not_bring_it_back(
    sign: Sign, end: Sign
) -> None:
    gone = hear(ONLINE, Heard(end, "s1", 3), NOW)
    assert hear(gone, Heard(sign, "s1", 3), NOW + timedelta(seconds=1)) == gone
    assert hear(gone, Heard(Sign.BIRTH, "s1", 4), NOW).presence is Presence.ONLINE


def test_the_last_word_of_a_session_that_nobody_heard_begin_takes_a_basic_client_offline() -> None:
    basic = hear(Evidence(), Heard(Sign.BIRTH, "s1", 1, Level.BASIC), NOW)
    kept = Heard(Sign.WILL, "s2", 1, retained=True)
    assert hear(basic, kept, NOW).presence is Presence.OFFLINE
    assert hear(ONLINE, kept, NOW) == ONLINE

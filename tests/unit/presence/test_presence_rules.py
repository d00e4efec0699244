"""Whether a client is there."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.core.presence.rules import presence
from hub.core.presence.rules.presence import Evidence, Observation, ObservationKind, age, observe
from schemas.states import Level, Presence

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ONLINE = observe(Evidence(), Observation(ObservationKind.BIRTH, "s1", 3), NOW)


@pytest.mark.parametrize(
    "kind", [ObservationKind.WILL, ObservationKind.GOOD_BYE, ObservationKind.HEARTBEAT, ObservationKind.BIRTH]
)
def test_an_older_connection_says_nothing(kind: ObservationKind) -> None:
    assert observe(ONLINE, Observation(kind, "s1", 2), NOW + timedelta(seconds=1)) == ONLINE


@pytest.mark.parametrize("kind", [ObservationKind.WILL, ObservationKind.GOOD_BYE, ObservationKind.HEARTBEAT])
def test_another_session_says_nothing_before_its_birth(kind: ObservationKind) -> None:
    assert observe(ONLINE, Observation(kind, "s0", 9), NOW + timedelta(seconds=1)) == ONLINE


def test_the_reason_says_how_it_went() -> None:
    assert observe(ONLINE, Observation(ObservationKind.WILL, "s1", 3), NOW).reason == "connection_lost"
    assert observe(ONLINE, Observation(ObservationKind.GOOD_BYE, "s1", 3), NOW).reason == "stopped"


def test_since_is_when_the_presence_changed_not_when_it_was_confirmed() -> None:
    later = NOW + timedelta(minutes=1)
    observation = observe(ONLINE, Observation(ObservationKind.HEARTBEAT, "s1", 3), later)
    assert (observation.since, observation.heard_at, observation.reason) == (NOW, later, "birth")


def test_silence_makes_a_full_agent_unknown_and_a_heartbeat_brings_it_back() -> None:
    assert age(ONLINE, NOW + presence.SILENCE - timedelta(seconds=1), None) == ONLINE
    silent = age(ONLINE, NOW + presence.SILENCE, None)
    assert (silent.presence, silent.reason) == (Presence.UNKNOWN, "no_heartbeat")
    back = observe(silent, Observation(ObservationKind.HEARTBEAT, "s1", 3), NOW + timedelta(minutes=5))
    assert back.presence is Presence.ONLINE


def test_who_is_silent_at_a_roll_call_is_unknown_after_five_seconds() -> None:
    called = NOW + timedelta(seconds=10)
    patience = presence.ROLL_CALL_PATIENCE
    assert age(ONLINE, called + patience - timedelta(milliseconds=1), called) == ONLINE
    assert age(ONLINE, called + patience, called).reason == "silent_at_roll_call"
    answered = observe(ONLINE, Observation(ObservationKind.HEARTBEAT, "s1", 3), called + timedelta(seconds=1))
    assert age(answered, called + patience, called) == answered


def test_a_basic_client_owes_no_heartbeat() -> None:
    basic = observe(Evidence(), Observation(ObservationKind.BIRTH, "s1", 1, Level.BASIC), NOW)
    assert age(basic, NOW + timedelta(days=30), NOW + timedelta(days=29)) == basic


@pytest.mark.parametrize("kind", [ObservationKind.BIRTH, ObservationKind.HEARTBEAT, ObservationKind.WILL])
@pytest.mark.parametrize("end", [ObservationKind.WILL, ObservationKind.GOOD_BYE])
def test_what_was_said_before_a_connection_ended_and_comes_after_it_does_not_bring_it_back(
    kind: ObservationKind, end: ObservationKind
) -> None:
    gone = observe(ONLINE, Observation(end, "s1", 3), NOW)
    assert observe(gone, Observation(kind, "s1", 3), NOW + timedelta(seconds=1)) == gone
    assert observe(gone, Observation(ObservationKind.BIRTH, "s1", 4), NOW).presence is Presence.ONLINE


def test_the_last_word_of_a_session_that_nobody_heard_begin_takes_a_basic_client_offline() -> None:
    basic = observe(Evidence(), Observation(ObservationKind.BIRTH, "s1", 1, Level.BASIC), NOW)
    kept = Observation(ObservationKind.WILL, "s2", 1, retained=True)
    assert observe(basic, kept, NOW).presence is Presence.OFFLINE
    assert observe(ONLINE, kept, NOW) == ONLINE


def test_a_page_that_sleeps_has_not_ended() -> None:
    asleep = observe(ONLINE, Observation(ObservationKind.GOOD_BYE, "s1", 3, asleep=True), NOW)
    assert (asleep.presence, asleep.reason) == (Presence.OFFLINE, "asleep")
    again = observe(asleep, Observation(ObservationKind.BIRTH, "s1", 4), NOW)
    assert again.presence is Presence.ONLINE
    # The will that the broker sends later, when it notices that the connection is gone, is no news.
    assert observe(asleep, Observation(ObservationKind.WILL, "s1", 3), NOW) == asleep

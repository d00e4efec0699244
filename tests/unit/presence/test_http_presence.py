"""Clients that speak HTTP owe liveness, and nothing that the broker keeps of an earlier session touches them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.core.presence.rules.presence import (
    HTTP,
    SILENCE,
    Evidence,
    Observation,
    ObservationKind,
    age,
    observe,
    over_http,
)
from schemas.states import Level, Presence

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
HERE = Evidence(Presence.ONLINE, "birth", HTTP + "a", 1, Level.BASIC, heard_at=NOW, since=NOW)
A_BIT = timedelta(seconds=1)


def test_silence_makes_it_offline_after_the_bound_and_not_before() -> None:
    assert age(HERE, NOW + SILENCE - A_BIT, None) == HERE
    gone = age(HERE, NOW + SILENCE, None)
    assert (gone.presence, gone.reason) == (Presence.OFFLINE, "silent")


def test_silence_counts_from_when_the_hub_was_back() -> None:
    back = NOW + timedelta(hours=1)
    assert age(HERE, back + SILENCE - A_BIT, back) == HERE
    assert age(HERE, back + SILENCE, back).presence is Presence.OFFLINE


def test_a_basic_client_of_mqtt_owes_nothing() -> None:
    mqtt = replace(HERE, session="a")
    assert not over_http(mqtt.session)
    assert age(mqtt, NOW + 10 * SILENCE, None) == mqtt


def test_the_next_sign_of_life_brings_it_back() -> None:
    gone = age(HERE, NOW + SILENCE, None)
    observation = Observation(ObservationKind.HEARTBEAT, HTTP + "a", 1, Level.BASIC)
    assert observe(gone, observation, NOW + SILENCE + A_BIT).presence is Presence.ONLINE


@pytest.mark.parametrize("kind", [ObservationKind.WILL, ObservationKind.GOOD_BYE])
@pytest.mark.parametrize("session", ["a", "b"])
def test_what_the_broker_kept_of_a_session_of_mqtt_takes_nobody_offline(kind: ObservationKind, session: str) -> None:
    assert observe(HERE, Observation(kind, session, 9, Level.BASIC, retained=True), NOW + A_BIT) == HERE

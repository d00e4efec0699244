"""Whoever hangs is noticed within 35 s and not before three heartbeats are missing; while the hub was away nobody was
silent."""

from datetime import datetime, timedelta

import pytest

from device_agent.core.link import HEARTBEAT_S
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import HTTP
from hub.core.presence.service.liveness import FLUSH_S
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.subject import AGE_EVERY_S
from hub.core.presence.telemetry import Metrics
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.states import Level, Presence
from tests.contract.stores import PC, FrozenDatabase, Trial
from tests.support.recording_ports import RecordingPorts

NOTICED_WITHIN_S = 35.0
BEAT = Life(PC, "session-1", 1, 1, 1)


def a_hub(database: FrozenDatabase) -> PresenceService:
    ports = RecordingPorts()
    return PresenceService(database, ports, ports, Metrics(Meters()), Log())


async def presence_of(trial: Trial) -> tuple[Presence, str]:
    async with trial.transaction() as connection:
        evidence = (await trial.sessions.lock(connection, [PC]))[PC].evidence
    return evidence.presence, evidence.reason


async def silent_until_noticed(trial: Trial, hub: PresenceService, since: datetime) -> float:
    """Let time pass until somebody counts as gone; seconds since then."""
    while (await presence_of(trial))[0] is Presence.ONLINE:
        trial.wait(AGE_EVERY_S)
        await hub.age()
        assert trial.now - since < timedelta(minutes=2), "nobody ever notices"
    return (trial.now - since).total_seconds()


async def test_an_agent_that_hangs_is_noticed_within_35_s(
    postgres_trial: Trial, frozen_database: FrozenDatabase
) -> None:
    hub, since = a_hub(frozen_database), postgres_trial.now
    await hub.age()
    hub.liveness.note(BEAT)
    postgres_trial.wait(FLUSH_S)  # no beat is written down later
    await hub.liveness.write()
    assert 3 * HEARTBEAT_S < await silent_until_noticed(postgres_trial, hub, since) <= NOTICED_WITHIN_S
    assert await presence_of(postgres_trial) == (Presence.UNKNOWN, "no_heartbeat")


async def test_a_client_that_hangs_without_mqtt_is_noticed_within_35_s(
    postgres_trial: Trial, frozen_database: FrozenDatabase
) -> None:
    async with frozen_database.connection() as connection:
        await connection.execute(
            b"UPDATE client_sessions SET session = %s, level = %s", (HTTP + "s", Level.BASIC.value)
        )
    hub, since = a_hub(frozen_database), postgres_trial.now
    await hub.age()
    await hub.observe([Life(PC, HTTP + "s", None, 1)])
    assert 3 * HEARTBEAT_S < await silent_until_noticed(postgres_trial, hub, since) <= NOTICED_WITHIN_S
    assert await presence_of(postgres_trial) == (Presence.OFFLINE, "silent")


async def test_two_heartbeats_that_are_lost_are_no_silence(
    postgres_trial: Trial, frozen_database: FrozenDatabase
) -> None:
    hub = a_hub(frozen_database)
    await hub.age()
    for half_seconds in range(1, 241):
        postgres_trial.wait(AGE_EVERY_S)
        if half_seconds % int(3 * HEARTBEAT_S / AGE_EVERY_S) == 0:
            hub.liveness.note(BEAT)  # written down by the next look at the latest
        await hub.age()
        assert (await presence_of(postgres_trial))[0] is Presence.ONLINE


@pytest.mark.parametrize("away_s", [60, 86_400])
async def test_while_the_hub_or_its_database_was_away_nobody_was_silent(
    postgres_trial: Trial, frozen_database: FrozenDatabase, away_s: int
) -> None:
    hub = a_hub(frozen_database)
    await hub.age()
    back = postgres_trial.wait(away_s)
    await hub.age()
    assert (await presence_of(postgres_trial))[0] is Presence.ONLINE
    assert 3 * HEARTBEAT_S < await silent_until_noticed(postgres_trial, hub, back) <= NOTICED_WITHIN_S


def test_a_heartbeat_is_news_by_its_session_its_connection_or_its_epoch(frozen_database: FrozenDatabase) -> None:
    liveness = a_hub(frozen_database).liveness
    said = [BEAT, BEAT, Life(PC, "session-1", 1, 1, 7), Life(PC, "session-1", 2, 1, 7), Life(PC, "session-1", 2, 2, 7)]
    said += [Life(PC, "session-2", 2, 2, 7), Life("other-pc", "session-2", 2, 2, 7), Life(PC, "session-2", 2, 2, 8)]
    assert [liveness.is_routine(life) for life in said] == [False, True, True, False, False, False, False, True]

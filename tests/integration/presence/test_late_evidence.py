"""What was said before a session ended, and is heard after it, brings nobody back: over two hubs, MQTT and HTTP."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from device_agent.core.link import HEARTBEAT_S
from hub.core.http_clients.service.channels import Channels
from hub.core.http_clients.service.http_clients import LONGEST_POLL_S, Agent, HttpClients
from hub.core.presence import store as sessions
from hub.core.presence.rules.identity import Offer
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import SILENCE
from hub.core.presence.service.ending import end_session, may_return
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.store import LockedSession
from hub.core.presence.telemetry import Metrics
from hub.database.engine import Database
from hub.errors import RejectedError
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.messages import AgentVersion, Birth, Offline, Will
from schemas.states import Level, Presence
from tests.support.factories import JOURNAL, add_client, new_client
from tests.support.recording_ports import RecordingPorts

PC, SESSION = "front-pc", "session-1"
AGENT = Agent(PC, "program-1", new_client().secret_sha256)
BY_HUB = ["secret_rotated", "disabled", "retired"]


def a_hub(database: Database) -> PresenceService:
    """One more process."""
    ports = RecordingPorts()
    return PresenceService(database, ports, ports, Metrics(Meters()), Log())


@pytest.fixture
async def hubs(database: Database) -> tuple[PresenceService, PresenceService]:
    return a_hub(database), a_hub(database)


def birth(connection: int = 1, level: Level = Level.FULL, session: str = SESSION) -> Birth:
    return Birth(
        client_id=PC,
        level=level,
        session=session,
        connection=connection,
        agent=AgentVersion(name="agent", version="1"),
        clock=datetime.now(UTC),
        epoch=1 if level is Level.FULL else None,
        journal=JOURNAL if level is Level.FULL else None,
        mark=1 if level is Level.FULL else None,
    )


async def session_of(database: Database) -> LockedSession:
    async with database.transaction() as connection:
        return (await sessions.lock(connection, [PC]))[PC]


async def presence_of(database: Database) -> tuple[Presence, str]:
    evidence = (await session_of(database)).evidence
    return evidence.presence, evidence.reason


async def end(database: Database, hub: PresenceService, how: str) -> None:
    if how == "will":
        await hub.see([Sighting(Will(client_id=PC, session=SESSION, connection=1))])
    elif how == "good-bye":
        await hub.see([Sighting(Offline(client_id=PC, session=SESSION, connection=1))])
    else:
        async with database.transaction() as connection:
            await end_session(connection, PC, how)


async def say_late(hub: PresenceService, level: Level) -> None:
    """All that can still be on its way from the connection that has ended; what a birth of a basic client says after
    its will counts, since it may count its connections badly."""
    await hub.observe([Life(PC, SESSION, 1, 1, 1)])
    hub.liveness.note(Life(PC, SESSION, 1, 1, 1))
    await hub.liveness.write()
    hub.liveness.note(Life(PC, SESSION, 1))
    await hub.liveness.write()
    if level is Level.FULL:
        await hub.see([Sighting(birth())])
        await hub.see([Sighting(birth(), retained=True)])
    await hub.see([Sighting(Will(client_id=PC, session=SESSION, connection=1))])


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("how", [*BY_HUB, "will", "good-bye"])
async def test_nothing_late_brings_a_session_back_that_has_ended(
    database: Database, hubs: tuple[PresenceService, PresenceService], how: str, level: Level
) -> None:
    await add_client(database, PC, level=level)
    await end(database, hubs[0], how)
    before = await presence_of(database)
    assert before[0] is Presence.OFFLINE

    for hub in (hubs[1], hubs[0]):
        hub.roll_called_at = await hub.now() - timedelta(seconds=1)  # as after a hub's restart, which asks everybody
        await say_late(hub, level)
        await hub.age()
        assert await presence_of(database) == before


@pytest.mark.parametrize("retained", [False, True])
@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("reason", BY_HUB)
async def test_no_copy_of_its_birth_brings_a_session_back_that_the_hub_ended(
    database: Database, hubs: tuple[PresenceService, PresenceService], reason: str, level: Level, *, retained: bool
) -> None:
    await add_client(database, PC, level=level)
    await end(database, hubs[0], reason)
    await hubs[1].see([Sighting(birth(level=level), retained=retained)])
    assert await presence_of(database) == (Presence.OFFLINE, reason)


async def test_what_comes_after_the_end_does_count(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC)
    await end(database, hubs[0], "secret_rotated")
    # A connection with the new secret, whose heartbeat is heard before its birth.
    await hubs[1].observe([Life(PC, SESSION, 1, 2, 1)])
    assert await presence_of(database) == (Presence.ONLINE, "heartbeat")
    await end(database, hubs[0], "secret_rotated")
    await hubs[1].see([Sighting(birth(2))])
    assert await presence_of(database) == (Presence.ONLINE, "birth")


async def test_a_client_that_is_disabled_is_not_brought_back_by_a_later_connection_either(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC)
    async with database.transaction() as connection:
        await connection.execute(b"UPDATE clients SET status = 'disabled'")
        await end_session(connection, PC, "disabled")
    await hubs[1].observe([Life(PC, SESSION, 1, 2, 1)])
    assert await presence_of(database) == (Presence.OFFLINE, "disabled")


async def test_a_basic_client_that_counts_badly_comes_back_once_it_is_enabled(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC, level=Level.BASIC)
    await end(database, hubs[0], "disabled")
    async with database.transaction() as connection:
        await may_return(connection, PC)
    await hubs[1].observe([Life(PC, SESSION, None, 1)])
    assert await presence_of(database) == (Presence.OFFLINE, "enabled")
    await hubs[1].see([Sighting(birth(level=Level.BASIC))])
    assert await presence_of(database) == (Presence.ONLINE, "birth")


async def test_an_offer_to_another_session_is_void_once_the_hub_has_ended_the_client(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC)
    async with database.transaction() as connection:
        identity = (await sessions.lock(connection, [PC]))[PC].identity
        offered = replace(identity, issued=2, offers=(Offer("session-0", 1, "journal-0", 2, 0),))
        await sessions.save_identity(connection, PC, offered)
    await end(database, hubs[0], "secret_rotated")
    await hubs[1].observe([Life(PC, "session-0", 2, 1, 1)])
    assert await presence_of(database) == (Presence.OFFLINE, "secret_rotated")


async def test_what_a_client_did_with_its_old_secret_is_void_when_the_broker_has_the_new_one(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    """It may connect once more between the change and the moment in which the broker knows of it."""
    await add_client(database, PC)
    await end(database, hubs[0], "secret_rotated")
    await hubs[1].see([Sighting(birth(2))])
    async with database.transaction() as connection:
        await end_session(connection, PC, "secret_rotated", at_broker=True)
    await hubs[1].observe([Life(PC, SESSION, 1, 2, 1)])
    assert await presence_of(database) == (Presence.OFFLINE, "secret_rotated")


# --- without MQTT --------------------------------------------------------------------------------------------


def http_clients(database: Database, presence: PresenceService, **options: float) -> HttpClients:
    reports: Any = None  # nobody reports here
    return HttpClients(database, presence, reports, Channels(database), Log(), **options)


async def test_a_poll_is_answered_before_its_client_counts_as_silent(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    assert SILENCE.total_seconds() > LONGEST_POLL_S + HEARTBEAT_S
    await add_client(database, PC, presence=Presence.OFFLINE, level=Level.BASIC)
    messages, _ = await http_clients(database, hubs[0], longest_poll_s=0.01).poll(AGENT, 86_400)
    assert messages == []


async def test_what_a_stream_showed_before_its_end_does_not_bring_its_client_back(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC, presence=Presence.OFFLINE, level=Level.BASIC)
    clients = http_clients(database, hubs[0])
    channel = await clients.open_stream(AGENT, once=True)
    assert (await presence_of(database))[0] == Presence.ONLINE
    clients.is_read(channel)
    await clients.closed(channel, lost=True)

    await hubs[0].liveness.write()

    assert await presence_of(database) == (Presence.OFFLINE, "connection_lost")


async def test_a_late_ping_does_not_bring_a_client_back_and_one_with_the_new_secret_does(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC, presence=Presence.OFFLINE, level=Level.BASIC)
    one, two = (http_clients(database, hub) for hub in hubs)
    await one.ping(AGENT)
    number = (await session_of(database)).evidence.connection
    new = bytes(32)
    async with database.transaction() as connection:
        await connection.execute(b"UPDATE clients SET secret_sha256 = %s", (new,))
        await end_session(connection, PC, "secret_rotated")

    with pytest.raises(RejectedError):
        await two.ping(AGENT)
    # Let in before the change, and about to say that it lives, or that it opens its next connection.
    await hubs[1].observe([Life(PC, AGENT.stored_session, None, number)])
    await hubs[1].see([Sighting(birth(number + 1, Level.BASIC, AGENT.stored_session))])
    assert await presence_of(database) == (Presence.OFFLINE, "secret_rotated")

    await two.ping(replace(AGENT, secret_sha256=new))
    assert await presence_of(database) == (Presence.ONLINE, "birth")


async def test_silence_without_mqtt_is_no_end(
    database: Database, hubs: tuple[PresenceService, PresenceService]
) -> None:
    await add_client(database, PC, presence=Presence.OFFLINE, level=Level.BASIC)
    one, two = (http_clients(database, hub) for hub in hubs)
    await one.ping(AGENT)
    async with database.connection() as connection:
        await connection.execute(b"UPDATE client_sessions SET presence = 'offline', presence_reason = 'silent'")
    await two.ping(AGENT)
    assert await presence_of(database) == (Presence.ONLINE, "heartbeat")

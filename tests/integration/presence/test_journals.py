"""What a journal's first epoch, or one that the hub has not made, says about the commands handed out to it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.commands.rules.lifecycle import Reported, decide
from hub.core.commands.store import dispatch, transitions
from hub.core.presence import store as sessions
from hub.core.presence.rules.liveness import Life
from hub.core.presence.rules.presence import ROLL_CALL_SPREAD
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.telemetry import Metrics
from hub.database.engine import Database
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.messages import AgentVersion, Birth, Welcome
from schemas.states import Level, Presence, ReportStatus
from tests.support.factories import JOURNAL, add_client, add_commands, claim, new_command, row
from tests.support.recording_ports import RecordingPorts

PC = "front-pc"


class Ports(RecordingPorts):
    """Keeps welcomes."""

    def __init__(self) -> None:
        super().__init__()
        self.welcomes: list[Welcome] = []

    def welcome(self, welcome: Welcome) -> None:
        self.welcomes.append(welcome)


@pytest.fixture
def ports() -> Ports:
    return Ports()


@pytest.fixture
def hub(database: Database, ports: Ports) -> PresenceService:
    return PresenceService(database, ports, ports, Metrics(Meters()), Log())


def birth(session: str, mark: int | None, journal: str | None = None, epoch: int | None = None) -> Sighting:
    return Sighting(
        Birth(
            client_id=PC,
            level=Level.FULL,
            session=session,
            connection=1,
            agent=AgentVersion(name="agent", version="1"),
            clock=datetime.now(UTC),
            epoch=epoch,
            journal=journal,
            mark=mark,
        )
    )


async def statuses(database: Database, ids: list[UUID]) -> set[str]:
    async with database.connection() as connection:
        return {(await row(connection, command_id))["status"] for command_id in ids}


async def six_commands(database: Database) -> list[UUID]:
    lanes = ["printer:a", "printer:b", "client"] * 2
    return await add_commands(database, [new_command(PC, lane=lane) for lane in lanes])


@pytest.mark.parametrize("mark", [2, 1, None], ids=["the same file", "another disk", "an agent without marks"])
async def test_a_death_before_the_first_welcome_leaves_no_unknown(
    database: Database, hub: PresenceService, ports: Ports, mark: int | None
) -> None:
    await add_client(database, PC, presence=Presence.OFFLINE, journal=None)
    ids = await six_commands(database)
    await hub.see([birth("s1", None if mark is None else 1)])
    assert await claim(database, PC) == []
    # The process dies with the welcome in its hands, and the next one shows a journal without an id.
    await hub.see([birth("s2", mark)])
    assert await claim(database, PC) == []
    ports.woken.clear()
    await hub.observe([Life(PC, "s2", ports.welcomes[-1].epoch, 1, mark)])

    assert PC in ports.woken, "dispatch need not wait for its next look"
    assert sorted(await claim(database, PC)) == sorted(ids)
    assert await statuses(database, ids) == {"queued"}
    async with database.connection() as connection:
        assert {(await row(connection, one))["journal"] for one in ids} == {ports.welcomes[-1].journal}


async def test_a_journal_that_was_known_and_is_rolled_back_is_noticed_all_the_same(
    database: Database, hub: PresenceService, ports: Ports
) -> None:
    """It took its id, was handed commands, and may have begun them: then it is put back to before its first welcome."""
    await add_client(database, PC, presence=Presence.OFFLINE, journal=None)
    ids = await six_commands(database)
    await hub.see([birth("s1", 1)])
    await hub.observe([Life(PC, "s1", ports.welcomes[-1].epoch, 1, 1)])
    assert sorted(await claim(database, PC)) == sorted(ids)
    await hub.see([birth("s2", 2)])
    await hub.observe([Life(PC, "s2", ports.welcomes[-1].epoch, 1, 2)])
    assert await statuses(database, ids) == {"unknown"}


async def test_nothing_goes_to_a_journal_that_replaces_a_lost_one_before_it_is_known(
    database: Database, hub: PresenceService, ports: Ports
) -> None:
    await add_client(database, PC, presence=Presence.OFFLINE, journal=None)
    await hub.see([birth("s1", None)])
    await hub.observe([Life(PC, "s1", ports.welcomes[-1].epoch, 1)])
    [first] = await add_commands(database, [new_command(PC)])
    assert await claim(database, PC) == [first]
    await hub.see([birth("s2", None)])  # without marks nothing tells late from lost
    assert await statuses(database, [first]) == {"unknown"}
    [second] = await add_commands(database, [new_command(PC)])
    assert await claim(database, PC) == []
    await hub.observe([Life(PC, "s2", ports.welcomes[-1].epoch, 1)])
    assert await claim(database, PC) == [second]


# --- a database from a backup ---------------------------------------------------------------------------------


@pytest.mark.parametrize("compared", [False, True])
async def test_after_a_restore_nothing_goes_to_a_journal_that_replaces_the_one_of_then(
    database: Database, hub: PresenceService, ports: Ports, *, compared: bool
) -> None:
    """The journal of then may know that the commands were done after the backup."""
    await add_client(database, PC)
    ids = await six_commands(database)
    [again] = await add_commands(database, [new_command(PC, lane="again", on_interrupt="rerun")])
    async with database.connection() as connection:
        await connection.execute(b"INSERT INTO restores VALUES (floorhub_now(), %s)", (compared,))
    [later] = await add_commands(database, [new_command(PC, lane="later")])

    await hub.see([birth("s2", 1)])
    await hub.observe([Life(PC, "s2", ports.welcomes[-1].epoch, 1, 1)])

    assert await statuses(database, ids) == ({"pending"} if compared else {"unknown"})
    assert await statuses(database, [again, later]) == {"pending"}


async def test_after_a_restore_the_journal_of_then_is_asked(
    database: Database, hub: PresenceService, ports: Ports
) -> None:
    await add_client(database, PC)
    ids = await six_commands(database)
    async with database.connection() as connection:
        await connection.execute(b"INSERT INTO restores VALUES (floorhub_now(), false)")

    await hub.see([birth("s2", 1, JOURNAL, 7)])
    assert sorted(await claim(database, PC)) == sorted(ids)
    # Then it is lost all the same.
    await hub.see([birth("s3", 1)])
    await hub.observe([Life(PC, "s3", ports.welcomes[-1].epoch, 1, 1)])

    assert await statuses(database, ids) == {"unknown"}


async def fold(database: Database, command_id: UUID, *events: Any) -> None:
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        for event in events:
            locked.fold(decide(locked.state, event, locked.now), uuid7())
        await transitions.apply(connection, [locked])


async def test_an_epoch_that_this_database_has_not_made_asks_about_what_the_agent_has(
    database: Database, hub: PresenceService, ports: Ports
) -> None:
    await add_client(database, PC)
    [command_id] = await add_commands(database, [new_command(PC)])
    assert await claim(database, PC) == [command_id]
    await fold(database, command_id, Reported(ReportStatus.STARTED, 1))
    async with database.connection() as connection:
        assert await dispatch.resend(connection) == []

    await hub.observe([Life(PC, "session-1", 7, 1, 1)])

    async with database.transaction() as connection:
        [run] = await dispatch.resend(connection)
        identity = (await sessions.lock(connection, [PC]))[PC].identity
    assert (run.command_id, run.attempt, run.heard) == (command_id, 1, ReportStatus.STARTED)
    assert (identity.issued, identity.confirmed) == (7, 7)
    # Once: from then on its epoch is no news.
    await fold(database, command_id, Reported(ReportStatus.STARTED, 1))
    await hub.observe([Life(PC, "session-1", 7, 1, 1)])
    async with database.connection() as connection:
        assert await dispatch.resend(connection) == []


async def test_agents_are_asked_at_a_start(database: Database, hub: PresenceService) -> None:
    """An agent whose connection is as old as the backup shows no newer epoch."""
    await add_client(database, PC)
    [command_id] = await add_commands(database, [new_command(PC)])
    assert await claim(database, PC) == [command_id]
    await fold(database, command_id, Reported(ReportStatus.STARTED, 1))
    async with database.connection() as connection:
        assert (await row(connection, command_id))["lease_until"] is None
    await hub.ask_again()
    async with database.connection() as connection:
        stored = await row(connection, command_id)
        now = await database.now(connection)
    assert stored["lease_until"] <= now + ROLL_CALL_SPREAD

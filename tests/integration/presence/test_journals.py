"""What a journal's first epoch, or one that the hub has not made, says about the commands handed out to it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from hub.core.presence.rules.liveness import Life
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.telemetry import Metrics
from hub.database.engine import Database
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.messages import AgentVersion, Birth, Welcome
from schemas.states import Level, Presence
from tests.support.factories import add_client, add_commands, claim, new_command, row
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

"""A `shutdown` ends by its good-bye, after which nobody comes back, and a `reboot` by the machine's next boot."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hub.core.commands.rules.lifecycle import Reported
from hub.core.commands.service.commands import Commands
from hub.core.commands.telemetry import Metrics as CommandMetrics
from hub.core.presence.rules.liveness import Life
from hub.core.presence.service.presence import PresenceService
from hub.core.presence.service.rounds import Sighting
from hub.core.presence.telemetry import Metrics
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters
from schemas.messages import AgentVersion, Birth, Offline, Will
from schemas.states import Level, ReportStatus
from tests.contract.stores import PC, FrozenDatabase, Trial
from tests.support.factories import JOURNAL
from tests.support.recording_ports import RecordingPorts

STARTED = Reported(ReportStatus.STARTED, 1)
DELAYED = Reported(ReportStatus.HELD, 1, progress={"reasons": ["delay"]})
"""Its agent waits until the delay is over, and has done nothing."""
GOOD_BYE = Offline(client_id=PC, session="session-1", connection=1)
WILL = Will(client_id=PC, session="session-1", connection=1)


class Hub:
    """One more process: what it hears, and its reaper."""

    def __init__(self, trial: Trial, database: FrozenDatabase) -> None:
        ports = RecordingPorts()
        self._trial = trial
        self.presence = PresenceService(database, ports, ports, Metrics(Meters()), Log())
        self._commands = Commands(database, ports, CommandMetrics(Meters()), Log())

    async def hears(self, message: Birth | Offline | Will, *, retained: bool = False) -> None:
        await self.presence.see([Sighting(message, retained)])

    async def is_born(self, connection: int = 2, boot: str | None = None, session: str = "session-1") -> None:
        await self.hears(
            Birth(
                client_id=PC,
                level=Level.FULL,
                session=session,
                connection=connection,
                agent=AgentVersion(name="agent", version="1"),
                clock=self._trial.now,
                epoch=1,
                journal=JOURNAL,
                mark=1 if session == "session-1" else 2,
                boot=boot,
            )
        )

    async def reap(self) -> None:
        await self._commands.close_overdue(500)


@pytest.fixture
def hubs(postgres_trial: Trial, frozen_database: FrozenDatabase) -> tuple[Hub, Hub]:
    return Hub(postgres_trial, frozen_database), Hub(postgres_trial, frozen_database)


async def shutdown(trial: Trial, *events: Reported, delay_s: float = 3.0, **fields: Any) -> UUID:
    """One that was handed out, and of which this was reported."""
    command_id = await trial.hand_out(action="shutdown", payload={"delay_s": delay_s}, **fields)
    if events:
        await trial.happen(command_id, *events)
    return command_id


async def status(trial: Trial, command_id: UUID) -> str:
    return str((await trial.row(command_id))["status"])


async def test_a_good_bye_and_a_minute_of_absence_complete_a_shutdown(
    postgres_trial: Trial, hubs: tuple[Hub, Hub]
) -> None:
    command_id = await shutdown(postgres_trial, STARTED, timeout_s=5.0)
    postgres_trial.wait(20.0)
    said_at = postgres_trial.now
    for hub in hubs:  # each worker hears it
        await hub.hears(GOOD_BYE)
    postgres_trial.wait(59.9)
    await hubs[0].reap()
    assert await status(postgres_trial, command_id) == "running", "its time-out is over, and it is not overdue"

    postgres_trial.wait(0.1)
    for hub in hubs:
        await hub.reap()

    row = await postgres_trial.row(command_id)
    assert (row["status"], row["error"], row["unknown_reason"], row["dead_letter_reason"]) == (
        "completed",
        None,
        None,
        None,
    )
    assert row["result"]["data"] == {"evidence": "goodbye", "goodbye_at": said_at.isoformat()}
    assert [log["event"] for log in row["logs"]] == ["created", "queued", "started", "goodbye", "completed"]
    # In the morning the agent says so, too.
    later = await postgres_trial.happen(command_id, Reported(ReportStatus.COMPLETED, 1))
    assert later["logs"] == row["logs"]


async def test_a_start_that_is_heard_after_the_good_bye_counts_as_well(
    postgres_trial: Trial, hubs: tuple[Hub, Hub]
) -> None:
    """Reports and good-byes come by two ways, over two hubs."""
    command_id = await shutdown(postgres_trial)
    await hubs[0].hears(GOOD_BYE)
    postgres_trial.wait(2.0)
    await postgres_trial.happen(command_id, STARTED)
    postgres_trial.wait(57.9)
    await hubs[1].reap()
    assert await status(postgres_trial, command_id) == "running"
    postgres_trial.wait(0.1)
    await hubs[1].reap()
    assert await status(postgres_trial, command_id) == "completed"


async def test_a_hub_that_comes_later_hears_the_good_bye_that_the_broker_kept(
    postgres_trial: Trial, hubs: tuple[Hub, Hub]
) -> None:
    command_id = await shutdown(postgres_trial, STARTED, timeout_s=600.0)
    postgres_trial.wait(300.0)
    await hubs[1].hears(GOOD_BYE, retained=True)
    postgres_trial.wait(60.0)
    await hubs[1].reap()
    assert await status(postgres_trial, command_id) == "completed"


async def test_a_will_is_no_good_bye(postgres_trial: Trial, hubs: tuple[Hub, Hub]) -> None:
    command_id = await shutdown(postgres_trial, STARTED)
    await hubs[0].hears(WILL)
    await hubs[1].hears(GOOD_BYE)  # of the same connection, heard later: it had ended
    postgres_trial.wait(89.9)
    await hubs[0].reap()
    assert await status(postgres_trial, command_id) == "running"
    postgres_trial.wait(0.1)
    await hubs[0].reap()
    assert await status(postgres_trial, command_id) == "unknown"


Back = Callable[[Hub], Awaitable[None]]


@pytest.mark.parametrize(
    "back",
    [
        lambda hub: hub.is_born(2),
        lambda hub: hub.is_born(1, session="session-2"),
        lambda hub: hub.presence.observe([Life(PC, "session-1", 1, 2, 1)]),
    ],
    ids=["a birth", "another process", "a heartbeat"],
)
async def test_who_is_back_within_a_minute_was_not_switched_off(
    postgres_trial: Trial, hubs: tuple[Hub, Hub], back: Back
) -> None:
    command_id = await shutdown(postgres_trial, STARTED)
    await hubs[0].hears(GOOD_BYE)
    postgres_trial.wait(59.0)
    await back(hubs[1])
    postgres_trial.wait(1.0)
    await hubs[0].reap()
    row = await postgres_trial.row(command_id)
    assert (row["status"], row["goodbye_at"], row["logs"][-1]["event"]) == ("running", None, "returned")
    # The agent looks for evidence. Should it say nothing, nobody knows.
    postgres_trial.wait(90.0)
    await hubs[0].reap()
    assert await status(postgres_trial, command_id) == "unknown"


async def test_a_second_good_bye_counts_anew(postgres_trial: Trial, hubs: tuple[Hub, Hub]) -> None:
    command_id = await shutdown(postgres_trial, STARTED)
    await hubs[0].hears(GOOD_BYE)
    postgres_trial.wait(30.0)
    await hubs[0].is_born(2)
    await hubs[1].hears(Offline(client_id=PC, session="session-1", connection=2))
    postgres_trial.wait(59.9)
    await hubs[0].reap()
    assert await status(postgres_trial, command_id) == "running"
    postgres_trial.wait(0.1)
    await hubs[0].reap()
    assert await status(postgres_trial, command_id) == "completed"


async def test_a_good_bye_before_the_delay_is_over_is_about_something_else(
    postgres_trial: Trial, hubs: tuple[Hub, Hub]
) -> None:
    command_id = await shutdown(postgres_trial, STARTED, delay_s=1_800.0, timeout_s=3_600.0)
    postgres_trial.wait(60.0)
    await hubs[0].hears(GOOD_BYE)
    postgres_trial.wait(61.0)
    await hubs[0].reap()
    row = await postgres_trial.row(command_id)
    assert (row["status"], row["goodbye_at"]) == ("running", None)


@pytest.mark.parametrize("delay_s", [0.5, 6.0, 25.0, 600.0])
@pytest.mark.parametrize("heard", ["before", "after"])
async def test_a_good_bye_during_the_delay_is_about_something_else(
    postgres_trial: Trial, hubs: tuple[Hub, Hub], heard: str, delay_s: float
) -> None:
    """However short the delay is: its agent says that it runs, over the same or the other hub."""
    command_id = await shutdown(postgres_trial, STARTED, delay_s=delay_s)
    if heard == "before":
        await postgres_trial.happen(command_id, DELAYED)
    postgres_trial.wait(0.2)
    await hubs[0].hears(GOOD_BYE)
    if heard == "after":
        await postgres_trial.happen(command_id, DELAYED)
    postgres_trial.wait(86_000.0)
    await hubs[1].reap()
    assert await status(postgres_trial, command_id) == "running"
    postgres_trial.wait(86_400.0)
    await hubs[1].reap()
    assert await status(postgres_trial, command_id) == "unknown"


async def test_a_good_bye_after_the_delay_completes_a_shutdown(postgres_trial: Trial, hubs: tuple[Hub, Hub]) -> None:
    command_id = await shutdown(postgres_trial, STARTED, DELAYED, delay_s=600.0)
    postgres_trial.wait(600.0)
    await postgres_trial.happen(command_id, STARTED)
    await hubs[0].hears(GOOD_BYE)
    postgres_trial.wait(60.0)
    await hubs[1].reap()
    assert await status(postgres_trial, command_id) == "completed"


async def test_what_has_not_begun_or_is_no_shutdown_does_not_end_by_a_good_bye(
    postgres_trial: Trial, hubs: tuple[Hub, Hub]
) -> None:
    others = [await postgres_trial.hand_out(action=action, payload={}) for action in ("reboot", "open_gate")]
    for command_id in others:
        await postgres_trial.happen(command_id, STARTED)
    waits = await shutdown(postgres_trial, priority=10)
    await hubs[0].hears(GOOD_BYE)
    postgres_trial.wait(61.0)
    await hubs[0].reap()
    assert [await status(postgres_trial, command_id) for command_id in [*others, waits]] == [
        "running",
        "running",
        "queued",
    ]


# --- reboot --------------------------------------------------------------------------------------------------


async def reboot(trial: Trial, *events: Reported, **payload: float) -> UUID:
    command_id = await trial.hand_out(action="reboot", payload=payload)
    await trial.happen(command_id, STARTED, *events)
    return command_id


async def test_a_birth_of_the_next_boot_completes_a_reboot(postgres_trial: Trial, hubs: tuple[Hub, Hub]) -> None:
    await hubs[0].is_born(2, "boot-1")
    command_id = await reboot(postgres_trial)
    postgres_trial.wait(3.0)  # its delay, where the payload says none
    await hubs[0].hears(Will(client_id=PC, session="session-1", connection=2))
    await hubs[1].is_born(1, "boot-2", session="session-2")
    row = await postgres_trial.row(command_id)
    assert (row["status"], row["result"]["data"]) == ("completed", {"boot_before": "boot-1", "boot_now": "boot-2"})


@pytest.mark.parametrize(("before", "now"), [("boot-1", "boot-1"), ("boot-1", None), (None, "boot-2")])
async def test_a_birth_that_proves_no_other_boot_completes_nothing(
    postgres_trial: Trial, hubs: tuple[Hub, Hub], before: str | None, now: str | None
) -> None:
    await hubs[0].is_born(2, before)
    command_id = await reboot(postgres_trial, delay_s=0.0)
    await hubs[1].is_born(1, now, session="session-2")
    assert await status(postgres_trial, command_id) == "running"


async def test_a_reboot_that_has_not_begun_is_not_proven_by_a_boot(
    postgres_trial: Trial, hubs: tuple[Hub, Hub]
) -> None:
    await hubs[0].is_born(2, "boot-1")
    command_id = await postgres_trial.hand_out(action="reboot", payload={})
    postgres_trial.now += timedelta(seconds=1)
    await hubs[1].is_born(1, "boot-2", session="session-2")
    assert await status(postgres_trial, command_id) == "queued"


@pytest.mark.parametrize("said", [(), (DELAYED,)], ids=["an older agent", "an agent that says so"])
async def test_a_boot_during_the_delay_of_a_reboot_is_somebody_elses(
    postgres_trial: Trial, hubs: tuple[Hub, Hub], said: tuple[Reported, ...]
) -> None:
    await hubs[0].is_born(2, "boot-1")
    command_id = await reboot(postgres_trial, *said, delay_s=600.0)
    postgres_trial.wait(1_000.0 if said else 599.0)
    await hubs[1].is_born(1, "boot-2", session="session-2")
    assert await status(postgres_trial, command_id) == "running"

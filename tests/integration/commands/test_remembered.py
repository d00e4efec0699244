"""Reports about commands that a worker remembers end as those about commands that it has to read."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.access.rules import EVERYTHING, Caller, Principal
from hub.core.commands.rules.lifecycle import CancelRequested, DeadlinePassed, Event, LockedCommand, decide
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.reports import Arrived, Reports
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.store import commands, dispatch, transitions
from hub.database.engine import Database
from hub.telemetry.log import Log
from schemas.messages import Failure, Report, Result
from schemas.states import ReportStatus
from tests.support.factories import add_client, add_commands, new_command, row
from tests.support.hubs import command_metrics
from tests.support.recording_ports import RecordingPorts


class Middle:
    """The same chance for everyone, so that both ways decide about the same back-off."""

    def random(self) -> float:
        return 0.5


class Counted:
    """The statements themselves, and how often commands were read with a lock."""

    def __init__(self) -> None:
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(transitions, name)

    async def lock(self, *arguments: Any, **options: Any) -> Any:
        self.reads += 1
        return await transitions.lock(*arguments, **options)


class Worker:
    """What a worker does with commands and reports; `remembers` says whether it is told of what it claimed."""

    def __init__(self, database: Database, *, remembers: bool) -> None:
        self.database = database
        self.ports = RecordingPorts()
        self._remembers = remembers

        async def write(_times: dict[UUID, float]) -> None: ...

        self.sent = PubackTimes(write)
        chance: Any = Middle()
        self.transitions = Counted()
        counted: Any = self.transitions
        self.waiting = Waiting(database)
        self.reports = Reports(
            database,
            self.ports,
            self.ports,
            command_metrics(),
            Log(),
            chance,
            self.sent,
            self.waiting,
            transitions=counted,
        )

    async def claim(self, client_id: str) -> list[UUID]:
        async with self.database.connection() as connection:
            taken = await dispatch.claim(connection, [client_id])
        if self._remembers:
            self.reports.remember(taken.handed_out)
        return [run.command_id for run in taken.runs]

    async def hear(self, *items: Arrived) -> None:
        await self.reports.apply(items)


def said(client_id: str, command_id: UUID, status: ReportStatus, attempt: int = 1, **fields: Any) -> Arrived:
    report = Report(
        report_id=uuid7(), command_id=command_id, attempt=attempt, status=status, at=datetime.now(UTC), **fields
    )
    return Arrived(client_id, "session-1", 1, report)


async def decided(database: Database, command_id: UUID, event: Event, *, late: timedelta = timedelta(0)) -> None:
    """What another process does to a command, with its lock."""
    async with database.transaction() as connection:
        command: LockedCommand = (await transitions.lock(connection, [command_id]))[command_id]
        command.now += late
        if command.fold(decide(command.state, event, command.now)):
            assert await transitions.apply(connection, [command]) == {command_id}


async def state(database: Database, command_id: UUID) -> dict[str, Any]:
    """A command and its log, less ids and times."""
    async with database.connection() as connection:
        found = await row(connection, command_id)
        cursor = await connection.execute(
            b"SELECT version, event, status, attempt, detail FROM command_logs WHERE command_id = %s ORDER BY version",
            (command_id,),
        )
        logs = await cursor.fetchall()
        cursor = await connection.execute(
            b"SELECT reason FROM report_quarantine WHERE command_id = %s ORDER BY id", (command_id,)
        )
        refused = [entry["reason"] for entry in await cursor.fetchall()]
    for log in logs:
        (log["detail"] or {}).pop("not_before", None)
    kept = {
        name: (value is not None if isinstance(value, datetime) else value)
        for name, value in found.items()
        if name not in ("id", "client_id", "cancel_id")
    }
    return kept | {"logs": logs, "refused": refused}


@pytest.fixture
async def worker(database: Database) -> Worker:
    await add_client(database, "front-pc")
    return Worker(database, remembers=True)


async def test_whoever_waits_gets_the_command_as_a_read_shows_it(worker: Worker) -> None:
    words = new_command(reference="no. 7", tags=["맑음"], payload={"text": "줄\n", "copies": 2}, priority=7)
    [command_id] = await add_commands(worker.database, [words])
    assert await worker.claim("front-pc") == [command_id]
    caller = Caller(Principal(uuid7(), "integration", "wms", "admin"), None)
    with worker.waiting.expected(command_id, caller) as end:
        await worker.hear(said("front-pc", command_id, ReportStatus.STARTED))
        assert not end.done()
        await worker.hear(
            said("front-pc", command_id, ReportStatus.COMPLETED, result=Result(data={"pages": 2, "ratio": 0.5}))
        )
        assert end.done()
    async with worker.database.connection() as connection:
        assert end.result() == (await commands.find(connection, [command_id], EVERYTHING))[command_id]
    assert worker.transitions.reads == 0


async def test_a_run_is_applied_without_reading_its_command(worker: Worker) -> None:
    [command_id] = await add_commands(worker.database, [new_command()])
    await worker.claim("front-pc")
    worker.sent.add(command_id)

    run = [
        said("front-pc", command_id, status)
        for status in (ReportStatus.ACCEPTED, ReportStatus.STARTED, ReportStatus.COMPLETED)
    ]
    await worker.hear(run[0])
    await worker.hear(*run[1:], run[1])
    after = await state(worker.database, command_id)
    assert [log["event"] for log in after["logs"]] == ["created", "queued", "started", "completed"]
    assert (after["status"], after["version"], after["lease_until"]) == ("completed", 4, None)
    assert after["sent_at"]
    assert after["accepted_at"]
    assert worker.ports.finished == [command_id]
    assert set(worker.ports.receipts) == {item.report.report_id for item in run}
    assert worker.transitions.reads == 0


async def test_what_somebody_else_decided_meanwhile_counts(worker: Worker) -> None:
    [command_id] = await add_commands(worker.database, [new_command()])
    await worker.claim("front-pc")
    await decided(worker.database, command_id, CancelRequested())
    error = Failure(code="printer_offline", message="", retryable=True)
    await worker.hear(said("front-pc", command_id, ReportStatus.FAILED, error=error))
    after = await state(worker.database, command_id)
    # From memory it would have been tried again, although nobody wants it any more.
    assert after["status"] == "cancelled"


async def test_a_repeated_report_changes_nothing(worker: Worker) -> None:
    [command_id] = await add_commands(worker.database, [new_command()])
    await worker.claim("front-pc")
    held = said("front-pc", command_id, ReportStatus.HELD, progress={"reasons": ["media-empty"]})
    await worker.hear(said("front-pc", command_id, ReportStatus.STARTED), held)
    await worker.hear(said("front-pc", command_id, ReportStatus.STARTED))
    before = await state(worker.database, command_id)
    assert [log["event"] for log in before["logs"]] == ["created", "queued", "started", "held", "resumed"]
    await worker.hear(held)
    assert await state(worker.database, command_id) == before
    assert worker.ports.receipts.count(held.report.report_id) == 2


async def test_a_busy_report_that_comes_twice_does_not_end_the_sending(worker: Worker) -> None:
    """Busy asks for the attempt again; its copy, which any broker may deliver, says nothing else."""
    [command_id] = await add_commands(worker.database, [new_command()])
    await worker.claim("front-pc")
    busy = said("front-pc", command_id, ReportStatus.BUSY)
    await worker.hear(busy)
    await worker.hear(busy)
    async with worker.database.connection() as connection:
        assert (await row(connection, command_id))["lease_until"] is not None


async def test_a_report_of_another_client_is_refused(worker: Worker) -> None:
    [command_id] = await add_commands(worker.database, [new_command()])
    await worker.claim("front-pc")
    await worker.hear(said("back-pc", command_id, ReportStatus.COMPLETED))
    after = await state(worker.database, command_id)
    assert (after["status"], after["refused"]) == ("queued", ["foreign_command"])


@pytest.mark.parametrize(
    ("attempt", "status", "reason"),
    [(2, ReportStatus.COMPLETED, "not_handed_out"), (1, ReportStatus.UNSUPPORTED, "unsupported")],
)
async def test_a_report_that_nobody_can_use_is_kept(
    worker: Worker, attempt: int, status: ReportStatus, reason: str
) -> None:
    [command_id] = await add_commands(worker.database, [new_command()])
    await worker.claim("front-pc")
    await worker.hear(said("front-pc", command_id, status, attempt))
    after = await state(worker.database, command_id)
    assert (after["status"], after["refused"]) == ("queued", [reason])


async def test_after_a_restore_the_end_of_an_attempt_that_the_backup_does_not_know_counts(worker: Worker) -> None:
    """The client retried since the backup, so its journal answers the first attempt with the end of the second."""
    [command_id] = await add_commands(worker.database, [new_command()])
    async with worker.database.connection() as connection:
        await connection.execute(b"INSERT INTO restores VALUES (floorhub_now(), false)")
    await worker.claim("front-pc")

    await worker.hear(said("front-pc", command_id, ReportStatus.STARTED, 2))
    await worker.hear(said("front-pc", command_id, ReportStatus.COMPLETED, 2))

    after = await state(worker.database, command_id)
    assert (after["status"], after["attempt"], after["refused"]) == ("completed", 2, ["not_handed_out"])


STEPS = ("accepted", "started", "held", "busy", "retry", "failed", "completed", "unknown", "repeat", "cancel", "late")


@pytest.mark.parametrize("seed", range(30))
async def test_both_ways_lead_to_the_same(database: Database, seed: int) -> None:
    """The same things happen to two commands; one worker remembers what it handed out, the other reads."""
    chance = random.Random(seed)  # noqa: S311 - a test's own chance
    steps = [chance.choice(STEPS) for _ in range(7)]
    together = chance.random() < 0.5
    ends = []
    for client_id, remembers in (("memory-pc", True), ("reading-pc", False)):
        await add_client(database, client_id)
        worker = Worker(database, remembers=remembers)
        [command_id] = await add_commands(database, [new_command(client_id, max_retries=1)])
        await worker.claim(client_id)
        waiting: list[Arrived] = []
        heard: list[Arrived] = []
        attempt = 1
        for step in steps:
            if step in ("cancel", "late"):
                await worker.hear(*waiting)
                waiting.clear()
                event: Event = CancelRequested() if step == "cancel" else DeadlinePassed()
                await decided(database, command_id, event, late=timedelta(hours=2) if step == "late" else timedelta(0))
                continue
            if step == "repeat":
                waiting += heard[-1:]
            elif step == "retry":
                error = Failure(code="jam", message="", retryable=True)
                waiting.append(said(client_id, command_id, ReportStatus.FAILED, attempt, error=error))
            else:
                failed = Failure(code="torn", message="", retryable=False) if step == "failed" else None
                waiting.append(said(client_id, command_id, ReportStatus(step), attempt, error=failed))
            heard += waiting[-1:]
            if together and len(waiting) < 3:
                continue
            await worker.hear(*waiting)
            waiting.clear()
            async with database.connection() as connection:
                now = await row(connection, command_id)
                if now["status"] == "pending":
                    await connection.execute(b"UPDATE commands SET scheduled = false WHERE id = %s", (command_id,))
            if now["status"] == "pending":
                attempt = now["attempt"]
                await worker.claim(client_id)
        await worker.hear(*waiting)
        ends.append(await state(database, command_id))
    assert ends[0] == ends[1], steps

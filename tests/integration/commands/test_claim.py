"""Claim: what goes out, in which order, and never more than the windows hold."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import Rollback

from hub.core.commands.rules import lanes
from hub.core.commands.rules.lifecycle import CancelRequested, Reported, decide
from hub.core.commands.store import dispatch, transitions
from hub.database import engine
from hub.database.engine import Database
from schemas.states import Presence, ReportStatus
from tests.support.factories import JOURNAL, add_client, add_commands, claim, new_command, row
from tests.support.waiting import eventually

pytestmark = pytest.mark.each_postgres

ShiftClock = Callable[[str], Awaitable[Database]]


_FULLEST_LANE = b"""
    SELECT coalesce(max(held), 0) AS most
    FROM (SELECT count(*) AS held FROM commands WHERE status IN ('queued', 'running') GROUP BY client_id, lane) l
"""


async def _fold(database: Database, command_id: UUID, event: Any) -> None:
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [command_id]))[command_id]
        assert locked.fold(decide(locked.state, event, locked.now))
        assert await transitions.apply(connection, [locked]) == {command_id}


async def _end(database: Database, ids: Sequence[UUID], status: ReportStatus = ReportStatus.COMPLETED) -> None:
    for command_id in ids:
        await _fold(database, command_id, Reported(status, attempt=1))


async def test_a_claimed_command_is_queued_with_lease_journal_and_log(database: Database) -> None:
    await add_client(database)
    command = new_command(payload={"printer": "labels", "copies": 2}, order_key="box-7", traceparent="00-aa-bb-01")
    await add_commands(database, [command])
    async with database.transaction() as connection:
        [run] = (await dispatch.claim(connection, ["front-pc"])).runs
    async with database.connection() as connection:
        stored = await row(connection, command.id)
        cursor = await connection.execute(b"SELECT * FROM command_logs ORDER BY version DESC LIMIT 1")
        log = await cursor.fetchone()
    assert (stored["status"], stored["version"], stored["attempt"], stored["sends"]) == ("queued", 2, 1, 1)
    assert stored["journal"] == run.journal == JOURNAL
    assert stored["lease_until"] == stored["queued_at"] + timedelta(seconds=dispatch.FIRST_LEASE_S)
    assert stored["deadline_at"] == stored["expires_at"] + timedelta(seconds=60)
    assert log is not None
    assert (log["version"], log["event"], log["status"], log["attempt"]) == (2, "queued", "queued", 1)
    assert (run.command_id, run.attempt, run.lane, run.payload) == (command.id, 1, command.lane, command.payload)
    assert (run.issued_at, run.expires_at) == (stored["queued_at"], stored["expires_at"])
    assert (run.order_key, run.traceparent) == ("box-7", "00-aa-bb-01")


async def test_a_lane_holds_two_and_the_next_follows_when_one_ends(database: Database) -> None:
    await add_client(database)
    ids = await add_commands(database, [new_command() for _ in range(5)])
    assert await claim(database, "front-pc") == ids[:2]
    assert await claim(database, "front-pc") == []
    await _fold(database, ids[0], Reported(ReportStatus.STARTED, attempt=1))
    assert await claim(database, "front-pc") == []
    await _end(database, ids[:1])
    assert await claim(database, "front-pc") == ids[2:3]


async def test_a_client_holds_sixteen_over_all_lanes(database: Database) -> None:
    await add_client(database)
    commands = [new_command(payload={"printer": f"p{n % 12:02}"}) for n in range(36)]
    await add_commands(database, commands)
    taken = await claim(database, "front-pc")
    assert len(taken) == lanes.PER_CLIENT
    # Every lane gets its first before any lane gets its second.
    assert Counter(command.lane for command in commands if command.id in taken).most_common()[-1][1] == 1
    assert len({command.lane for command in commands if command.id in taken}) == 12
    assert await claim(database, "front-pc") == []


@pytest.mark.parametrize("priority", [9, 10])
async def test_an_urgent_command_finds_one_more_slot_in_a_full_lane(database: Database, priority: int) -> None:
    await add_client(database)
    normal = await add_commands(database, [new_command(priority=8) for _ in range(3)])
    assert await claim(database, "front-pc") == normal[:2]
    urgent = await add_commands(database, [new_command(priority=priority) for _ in range(2)])
    assert await claim(database, "front-pc") == urgent[:1]
    assert await claim(database, "front-pc") == []
    # Two are left: the window is full for normal ones, but one more urgent one fits.
    await _end(database, normal[:1])
    assert await claim(database, "front-pc") == urgent[1:]


async def test_an_urgent_command_goes_beyond_a_full_client(database: Database) -> None:
    await add_client(database)
    await add_commands(database, [new_command(payload={"printer": f"p{n % 8}"}) for n in range(16)])
    assert len(await claim(database, "front-pc")) == lanes.PER_CLIENT
    urgent = await add_commands(database, [new_command(payload={"printer": "p0"}, priority=9)])
    await add_commands(database, [new_command(payload={"printer": "p9"}, priority=8)])
    assert await claim(database, "front-pc") == urgent


async def test_priority_goes_before_age(database: Database) -> None:
    await add_client(database)
    ids = await add_commands(database, [new_command(priority=priority) for priority in (1, 5, 10, 5, 8, 9)])
    order = []
    for _ in ids:
        taken = await claim(database, "front-pc")
        order += taken
        await _end(database, taken)
    assert order == [ids[n] for n in (2, 5, 4, 1, 3, 0)]


@pytest.mark.parametrize("at_once", [1, 2])
async def test_every_eighth_claim_takes_the_oldest(database: Database, at_once: int) -> None:
    await add_client(database)
    old = await add_commands(database, [new_command(priority=1) for _ in range(3)])
    await add_commands(database, [new_command(priority=7) for _ in range(40)])
    blocked: list[UUID] = []
    if at_once == 1:
        blocked = (await claim(database, "front-pc"))[:1]
        async with database.connection() as connection:
            await connection.execute(b"UPDATE client_lanes SET claims = 0")
            await connection.execute(b"DELETE FROM commands WHERE status = 'queued' AND id <> %s", blocked)
    order: list[UUID] = []
    while len(order) < 24:
        taken = await claim(database, "front-pc")
        assert len(taken) == at_once
        order += taken
        await _end(database, taken)
    eighths = [order[start : start + 8] for start in (0, 8, 16)]
    assert [[command_id for command_id in eighth if command_id in old] for eighth in eighths] == [[id_] for id_ in old]


async def test_urgent_commands_go_before_the_oldest_even_at_its_turn(database: Database) -> None:
    await add_client(database)
    await add_commands(database, [new_command(priority=1)])
    urgent = await add_commands(database, [new_command(priority=9) for _ in range(3)])
    async with database.connection() as connection:
        await connection.execute(b"UPDATE client_lanes SET claims = 7")
    assert await claim(database, "front-pc") == urgent


async def test_commands_of_one_order_key_go_one_after_the_other(database: Database) -> None:
    await add_client(database)
    first, second, third = await add_commands(
        database,
        [
            new_command(order_key="order-1", priority=1),
            # Another lane and a higher priority do not let it pass.
            new_command(order_key="order-1", payload={"printer": "invoices"}, priority=10),
            new_command(order_key="order-1", priority=10),
        ],
    )
    other = await add_commands(database, [new_command(order_key="order-2")])
    assert await claim(database, "front-pc") == [*other, first]
    await _end(database, [first])
    assert await claim(database, "front-pc") == [second]
    # Ended without success: it waits for a person, and what comes after it waits, too.
    await _end(database, [second], ReportStatus.FAILED)
    assert await claim(database, "front-pc") == []
    async with database.connection() as connection:
        await connection.execute(b"UPDATE commands SET dead_letter_closed_at = floorhub_now() WHERE id = %s", (second,))
    assert await claim(database, "front-pc") == [third]


async def test_an_order_key_belongs_to_one_client(database: Database) -> None:
    for client_id in ("a", "b"):
        await add_client(database, client_id)
    ids = await add_commands(database, [new_command(client_id, order_key="order-1") for client_id in ("a", "b")])
    assert await claim(database, "a", "b") == ids


async def test_what_is_scheduled_waits_until_it_is_woken(database: Database, shift_clock: ShiftClock) -> None:
    await add_client(database)
    async with database.connection() as connection:
        begin = await engine.now(connection) + timedelta(minutes=30)
    [scheduled] = await add_commands(database, [new_command(not_before=begin)])
    later = await shift_clock("31 minutes")
    # Its time has come, yet only waking brings it into the index that dispatch reads.
    assert await claim(later, "front-pc") == []
    async with database.connection() as connection:
        assert await dispatch.wake_scheduled(connection) == set()
        seconds = await dispatch.seconds_to_next_due(connection)
        assert seconds is not None
        assert 0 < seconds <= 30 * 60
    async with later.connection() as connection:
        assert await dispatch.wake_scheduled(connection) == {"front-pc"}
        assert await dispatch.wake_scheduled(connection) == set()
    assert await claim(later, "front-pc") == [scheduled]


async def test_one_round_of_waking_is_bounded_and_takes_the_earliest(
    database: Database, shift_clock: ShiftClock
) -> None:
    for client_id in ("a", "b", "c"):
        await add_client(database, client_id)
    async with database.connection() as connection:
        now = await engine.now(connection)
    minutes = {"a": 3, "b": 1, "c": 2}
    await add_commands(
        database, [new_command(name, not_before=now + timedelta(minutes=later)) for name, later in minutes.items()]
    )
    later = await shift_clock("10 minutes")
    async with later.connection() as connection:
        assert await dispatch.wake_scheduled(connection, most=2) == {"b", "c"}


@pytest.mark.parametrize(
    "change",
    [
        b"UPDATE client_sessions SET presence = 'offline'",
        b"UPDATE client_sessions SET keep_away = 'another machine uses this identity'",
        b"UPDATE client_sessions SET journal = NULL",
        b"UPDATE clients SET status = 'disabled'",
        b"UPDATE clients SET status = 'retired'",
    ],
    ids=["offline", "keep_away", "never_born", "disabled", "retired"],
)
async def test_clients_that_must_not_be_sent_to_get_nothing(database: Database, change: bytes) -> None:
    await add_client(database)
    await add_commands(database, [new_command(priority=10)])
    async with database.connection() as connection:
        await connection.execute(change)
        assert await dispatch.clients_with_work(connection) == set()
    assert await claim(database, "front-pc") == []


async def test_a_client_that_is_unknown_but_was_there_gets_commands(database: Database) -> None:
    await add_client(database, presence=Presence.UNKNOWN)
    ids = await add_commands(database, [new_command()])
    async with database.connection() as connection:
        assert await dispatch.clients_with_work(connection) == {"front-pc"}
    assert await claim(database, "front-pc") == ids


async def test_clients_with_work_are_those_with_something_due(database: Database) -> None:
    for client_id in ("a", "b", "c", "d", "e"):
        await add_client(database, client_id)
    async with database.connection() as connection:
        now = await engine.now(connection)
    await add_commands(database, [new_command("a"), new_command("a"), new_command("c"), new_command("e")])
    await add_commands(database, [new_command("b", not_before=now + timedelta(minutes=5))])
    assert len(await claim(database, "c")) == 1
    async with database.connection() as connection:
        assert await dispatch.clients_with_work(connection) == {"a", "e"}


@pytest.mark.fault("F6")
async def test_two_claimers_never_take_the_same_nor_more_than_the_window(database: Database, database_url: str) -> None:
    names = [f"pc-{n}" for n in range(6)]
    for name in names:
        await add_client(database, name)
    await add_commands(database, [new_command(name) for name in names for _ in range(8)])
    workers = [Database(database_url, size=2) for _ in range(4)]
    for worker in workers:
        await worker.open()
    started: list[UUID] = []
    fullest = 0

    async def work(worker: Database) -> None:
        nonlocal fullest
        while len(started) < 48:
            async with worker.transaction() as connection:
                taken = await dispatch.claim(connection, names)
                started.extend(run.command_id for run in taken.runs)
                cursor = await connection.execute(_FULLEST_LANE)
                found = await cursor.fetchone()
                assert found is not None
                fullest = max(fullest, found["most"])
            await _end(worker, [run.command_id for run in taken.runs])

    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(work(worker))
    for worker in workers:
        await worker.close()
    assert len(started) == len(set(started)) == 48
    assert fullest == lanes.PER_LANE


async def test_a_client_that_another_worker_holds_is_skipped_and_named(database: Database) -> None:
    for client_id in ("a", "b"):
        await add_client(database, client_id)
    await add_commands(database, [new_command("a"), new_command("b")])
    async with database.transaction() as other:
        assert len((await dispatch.claim(other, ["a"])).runs) == 1
        async with database.transaction() as connection:
            mine = await dispatch.claim(connection, ["a", "b"])
        raise Rollback
    assert ([run.client_id for run in mine.runs], mine.skipped) == (["b"], {"a"})
    assert len(await claim(database, "a")) == 1


async def test_a_claim_sees_what_the_worker_before_it_committed(database: Database) -> None:
    """The lock is taken in a statement of its own: in one statement the snapshot would be older than the lock."""
    await add_client(database)
    ids = await add_commands(database, [new_command() for _ in range(4)])
    first = await claim(database, "front-pc")
    second = await claim(database, "front-pc")
    assert (first, second) == (ids[:2], [])


async def test_a_claim_does_not_wait_for_a_command_that_somebody_else_decides(database: Database) -> None:
    """Nor could the two deadlock: whoever cancels locks in the order of ids, a claim goes by priority."""
    await add_client(database)
    old, urgent = await add_commands(database, [new_command(priority=1), new_command(priority=5)])
    async with database.transaction() as other:
        locked = (await transitions.lock(other, [old]))[old]
        claiming = asyncio.create_task(claim(database, "front-pc"))
        await eventually(lambda: claiming.done())
        locked_too = (await transitions.lock(other, [urgent]))[urgent]
        locked.fold(decide(locked.state, CancelRequested(), locked.now))
        assert locked_too.state.status == "queued"
        await transitions.apply(other, [locked])
    assert await claiming == [urgent]
    async with database.connection() as connection:
        assert (await row(connection, old))["status"] == "cancelled"
        cursor = await connection.execute(b"SELECT claims FROM client_lanes")
        assert await cursor.fetchone() == {"claims": 1}

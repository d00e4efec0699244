"""Schedules on a real Postgres: one batch for each time, whoever looks, whenever somebody dies."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hub.core.access.rules import Caller, Principal
from hub.core.clients.rules import Target
from hub.core.commands.rules.policies import BackOff
from hub.core.commands.service.submission import CommandRequest
from hub.core.documents.store import documents
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, NotFoundError, RejectedError, UnavailableError
from hub.features.batches.rules import Rollout
from hub.features.batches.service.creation import BatchRequest
from hub.features.schedules import store as store
from hub.features.schedules.rules import Misfire
from hub.features.schedules.service import requests as requests
from hub.features.schedules.service.runner import ScheduleRunner
from hub.features.schedules.service.schedules import ScheduleRequest, Schedules
from hub.telemetry.log import Log
from tests.support.factories import add_client, add_document
from tests.support.features import batch_creation, retention
from tests.support.recording_ports import RecordingPorts

Shift = Callable[[str], Awaitable[Database]]
KIM = Caller(Principal(UUID(int=1), "user", "kim", "operator"), "10.0.0.7", session_id=UUID(int=1))
ANN = Caller(Principal(UUID(int=2), "user", "ann", "admin"), "10.0.0.8", session_id=UUID(int=2))
OPEN = CommandRequest(client_id="", action="open-door", expires_in_s=900.0)
EVERYBODY = BatchRequest(target=Target(), command=OPEN)
DAY = timedelta(days=1)


class Hub:
    """What a hub process has for schedules, on a connection pool of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.signals = RecordingPorts()
        self.creation = batch_creation(database, self.signals)
        self.schedules = Schedules(database, self.creation, Log())
        self.runner = ScheduleRunner(database, self.creation, Log())


@pytest.fixture
async def hub(database: Database) -> Hub:
    async with database.transaction() as connection:
        for caller in (KIM, ANN):
            who = caller.principal
            await connection.execute(
                b"INSERT INTO principals VALUES (%s, %s, %s, %s, now())", (who.id, who.kind, who.name, who.role)
            )
    await add_client(database)
    return Hub(database)


async def add(hub: Hub, name: str = "doors", cron: str = "0 7 * * *", **fields: Any) -> UUID:
    asked = ScheduleRequest(**{"name": name, "cron": cron, "time_zone": "UTC", "request": EVERYBODY} | fields)
    found: UUID = (await hub.schedules.create(KIM, asked)).id
    return found


async def one(database: Database, query: str, *values: Any) -> Any:
    async with database.connection() as connection:
        found = await (await connection.execute(query.encode(), values)).fetchone()
    return None if found is None else next(iter(found.values()))


async def plan(database: Database, schedule_id: UUID, at: datetime) -> None:
    """Let a schedule's next time be another one, as if it had been made long ago."""
    await one(database, "UPDATE schedules SET next_at = %s WHERE id = %s RETURNING id", at, schedule_id)


async def fired(database: Database) -> list[tuple[str, str]]:
    """Each (schedule, time) that a batch came of; a batch that nobody asked for would be missing here."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            b"SELECT a.resource_id, a.detail ->> 'at' AS at FROM audit_logs a "
            b"JOIN batches b ON b.id = (a.detail ->> 'batch_id')::uuid WHERE a.action = 'schedule.fire' ORDER BY a.id"
        )
        rows = [(row["resource_id"], row["at"]) for row in await cursor.fetchall()]
    assert await one(database, "SELECT count(*) FROM batches") == len(rows)
    return rows


async def minutes_ago(database: Database, minutes: float) -> datetime:
    found: datetime = await one(
        database, "SELECT date_trunc('second', floorhub_now()) - make_interval(secs => %s)", minutes * 60
    )
    return found


# --- firing ---------------------------------------------------------------------------------------------------


async def test_it_fires_at_its_time_and_not_before_with_what_it_was_told(hub: Hub, shift_clock: Shift) -> None:
    schedule_id = await add(hub)
    planned = (await hub.schedules.get(KIM, schedule_id)).next_at
    late = Hub(await shift_clock(f"{(planned - datetime.now(UTC)).total_seconds() + 2} seconds"))

    await hub.runner.look()
    assert await fired(hub.database) == []
    for _ in range(3):
        await late.runner.look()

    assert await fired(hub.database) == [(str(schedule_id), planned.isoformat())]
    row = await hub.schedules.get(KIM, schedule_id)
    assert (row.last_at, row.next_at, row.last_error) == (planned, planned + DAY, None)
    batch = await one(hub.database, "SELECT to_jsonb(b) FROM batches b")
    assert (batch["id"], batch["created_by"]) == (str(row.last_batch_id), str(KIM.principal.id))
    command = await one(hub.database, "SELECT to_jsonb(c) FROM commands c")
    assert (command["client_id"], command["action"], command["status"]) == ("front-pc", "open-door", "pending")
    lasts = datetime.fromisoformat(command["expires_at"]) - datetime.fromisoformat(command["created_at"])
    assert lasts == timedelta(seconds=900)
    assert late.signals.woken == {"front-pc"}


async def test_workers_at_once_fire_each_time_once(hub: Hub, database_url: str) -> None:
    ids = [await add(hub, f"s{number}", "0 7 1 1 *") for number in range(12)]
    others = [Database(database_url, size=4) for _ in range(3)]
    for other in others:
        await other.open()
    hubs = [hub, *(Hub(other) for other in others)]
    expected = []
    for ago in (0.9, 0.5):
        at = await minutes_ago(hub.database, ago)
        for schedule_id in ids:
            await plan(hub.database, schedule_id, at)
        expected += [(str(schedule_id), at.isoformat()) for schedule_id in ids]
        await asyncio.gather(*(each.runner.look() for each in hubs for _ in range(3)))
    for other in others:
        await other.close()

    assert sorted(await fired(hub.database)) == sorted(expected)
    assert await one(hub.database, "SELECT count(*) FROM commands") == len(expected)


@pytest.mark.parametrize("step", ["lock_due", "move"])
async def test_a_worker_that_dies_between_two_steps_leaves_the_time_to_the_next(
    hub: Hub, database_url: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    schedule_id = await add(hub)
    at = await minutes_ago(hub.database, 0.5)
    await plan(hub.database, schedule_id, at)
    dying = Database(database_url)
    await dying.open()
    real = getattr(store, step)
    stored: list[int] = []

    async def dies(connection: Connection, *arguments: Any, **named: Any) -> Any:
        answer = await real(connection, *arguments, **named)
        cursor = await connection.execute(b"SELECT count(*) AS n, pg_backend_pid() AS pid FROM batches")
        row = await cursor.fetchone()
        assert row is not None
        stored.append(row["n"])
        await one(hub.database, "SELECT pg_terminate_backend(%s)", row["pid"])
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(store, step, dies)
        with pytest.raises(UnavailableError):
            await Hub(dying).runner.look()
    await dying.close()
    assert stored == [1 if step == "move" else 0]  # it had got so far, within its transaction
    assert await fired(hub.database) == []

    await hub.runner.look()
    await hub.runner.look()

    assert await fired(hub.database) == [(str(schedule_id), at.isoformat())]


async def test_a_database_that_only_lets_read_is_away_and_the_time_waits_for_it(hub: Hub, database_url: str) -> None:
    schedule_id = await add(hub)
    await plan(hub.database, schedule_id, at := await minutes_ago(hub.database, 0))
    standby = Database(database_url)
    async with hub.database.connection() as connection:
        await connection.execute(
            b"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', "
            b"current_database()); END $$"
        )
    await standby.open()
    with pytest.raises(UnavailableError):
        await Hub(standby).runner.look()
    await standby.close()

    await hub.runner.look()

    assert await fired(hub.database) == [(str(schedule_id), at.isoformat())]


async def test_one_that_is_removed_while_it_fires_has_fired(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule_id = await add(hub)
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 0.5))
    removing: list[asyncio.Task[Any]] = []
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    real = store.lock_due

    async def locks(connection: Connection, due: store.Due) -> store.LockedDue | None:
        locked = await real(connection, due)
        removing.append(asyncio.create_task(hub.schedules.delete(KIM, schedule_id)))
        while not await one(hub.database, waits):
            assert not removing[0].done()
        return locked

    monkeypatch.setattr(store, "lock_due", locks)
    await hub.runner.look()

    assert len(await fired(hub.database)) == 1
    assert (await removing[0]).last_batch_id == await one(hub.database, "SELECT id FROM batches")
    with pytest.raises(NotFoundError):
        await hub.schedules.get(KIM, schedule_id)


async def test_one_that_is_removed_before_it_is_locked_does_not_fire(hub: Hub) -> None:
    schedule_id = await add(hub)
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 0.5))
    async with hub.database.connection() as connection:
        [seen] = await store.due(connection, 10)
    await hub.schedules.delete(KIM, schedule_id)
    async with hub.database.transaction() as connection:
        assert await store.lock_due(connection, seen) is None


async def test_a_look_ends_when_others_have_in_hand_what_is_left(hub: Hub) -> None:
    for name in ("a", "b"):
        await plan(hub.database, await add(hub, name), await minutes_ago(hub.database, 0.5))
    async with hub.database.connection() as connection:
        seen = await store.due(connection, 10)
    async with hub.database.transaction() as connection:
        for due in seen:
            assert await store.lock_due(connection, due) is not None
        await asyncio.wait_for(hub.runner.look(most=1), 20)
    await hub.runner.look(most=1)
    assert len(await fired(hub.database)) == 2


async def test_a_clock_that_is_put_back_repeats_nothing(hub: Hub, shift_clock: Shift) -> None:
    schedule_id = await add(hub, cron="* * * * *")
    planned = (await hub.schedules.get(KIM, schedule_id)).next_at
    ahead = Hub(await shift_clock("2 hours"))
    await ahead.runner.look()
    [(_, late)] = await fired(hub.database)
    assert datetime.fromisoformat(late) > planned + timedelta(minutes=100)

    await hub.runner.look()
    # Nor when it is made anew in all but its name.
    for changes in ({"enabled": False}, {"enabled": True}, {"cron": "*/1 * * * *"}):
        row = await hub.schedules.change(KIM, schedule_id, changes)
    await hub.runner.look()

    assert len(await fired(hub.database)) == 1
    assert row.next_at > datetime.fromisoformat(late)
    assert (await hub.schedules.preview(KIM, schedule_id, 1)) == [row.next_at]


async def test_a_fault_of_ours_is_noted_and_holds_no_other_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = await add(hub, "bad"), await add(hub, "good")
    await plan(hub.database, bad, await minutes_ago(hub.database, 0.6))
    await plan(hub.database, good, await minutes_ago(hub.database, 0.5))
    real = hub.creation.store_in
    broken: list[UUID] = []

    async def breaks(connection: Connection, caller: Caller, prepared: Any, **how: Any) -> Any:
        stored = await real(connection, caller, prepared, **how)
        if not broken:
            broken.append(stored.batch_id)
            raise ZeroDivisionError
        return stored

    monkeypatch.setattr(hub.creation, "store_in", breaks)
    await hub.runner.look()

    assert [schedule_id for schedule_id, _ in await fired(hub.database)] == [str(good)]
    row = await hub.schedules.get(KIM, bad)
    assert (row.last_error, row.last_batch_id) == ("internal_error", None)
    assert row.next_at > row.last_at


async def test_those_that_always_fail_for_want_of_the_database_keep_no_other_waiting(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = [await add(hub, name) for name in ("bad", "as bad")]
    good = await add(hub, "good")
    for minutes, schedule_id in zip((0.6, 0.6, 0.5), (*bad, good), strict=True):
        await plan(hub.database, schedule_id, await minutes_ago(hub.database, minutes))
    real, attempts = hub.creation.store_in, list[Any]()

    async def too_long(connection: Connection, caller: Caller, prepared: Any, **how: Any) -> Any:
        attempts.append(prepared)
        if len(attempts) <= len(bad):
            raise UnavailableError("database_unavailable")
        return await real(connection, caller, prepared, **how)

    monkeypatch.setattr(hub.creation, "store_in", too_long)
    with pytest.raises(UnavailableError):
        await hub.runner.look(most=1)

    assert [schedule_id for schedule_id, _ in await fired(hub.database)] == [str(good)]
    await hub.runner.look(most=1)  # the database is well again
    assert len(await fired(hub.database)) == 3


async def test_what_a_worker_holds_is_left_alone_and_a_change_meanwhile_counts(hub: Hub) -> None:
    schedule_id = await add(hub)
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 0.5))
    async with hub.database.connection() as connection:
        [seen] = await store.due(connection, 10)
    async with hub.database.transaction() as connection:
        assert await store.lock_due(connection, seen) is not None
        await hub.runner.look()
    assert await fired(hub.database) == []

    await hub.schedules.change(ANN, schedule_id, {"name": "renamed"})
    async with hub.database.transaction() as connection:
        assert await store.lock_due(connection, seen) is None  # as it was when it was looked at
    await hub.runner.look()
    assert len(await fired(hub.database)) == 1


@pytest.mark.parametrize(
    ("misfire", "grace_s", "late", "error"),
    [
        (Misfire.ONCE, 3600, 59, None),
        (Misfire.ONCE, 3600, 61, "missed"),
        (Misfire.SKIP, 3600, 0.5, None),
        (Misfire.SKIP, 3600, 2, "missed"),
    ],
)
async def test_a_time_without_a_hub_is_made_up_for_or_missed(
    hub: Hub, misfire: Misfire, grace_s: int, late: float, error: str | None
) -> None:
    schedule_id = await add(hub, cron="0 7 1 1 *", misfire=misfire, grace_s=grace_s)
    following = (await hub.schedules.get(KIM, schedule_id)).next_at
    at = await minutes_ago(hub.database, late)
    await plan(hub.database, schedule_id, at)

    await hub.runner.look()
    await hub.runner.look()

    row = await hub.schedules.get(KIM, schedule_id)
    assert (row.last_at, row.last_error, row.next_at) == (at, error, following)
    assert len(await fired(hub.database)) == (error is None)
    action = "schedule.fire" if error is None else "schedule.refuse"
    assert await one(hub.database, "SELECT detail ->> 'at' FROM audit_logs WHERE action = %s", action) == at.isoformat()


async def test_disabled_enabled_and_deleted(hub: Hub) -> None:
    schedule_id = await add(hub)
    planned = (await hub.schedules.get(KIM, schedule_id)).next_at
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 5))
    assert (await hub.schedules.change(KIM, schedule_id, {"enabled": False})).next_at is None
    await hub.runner.look()
    # What passed while it was disabled is not made up for.
    assert (await hub.schedules.change(KIM, schedule_id, {"enabled": True})).next_at == planned
    await hub.runner.look()
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 5))
    await hub.schedules.delete(KIM, schedule_id)
    await hub.runner.look()

    assert await fired(hub.database) == []
    for ask in (hub.schedules.get(KIM, schedule_id), hub.schedules.delete(KIM, schedule_id)):
        with pytest.raises(NotFoundError, match="schedule_not_found"):
            await ask


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("UPDATE principals SET disabled_at = now() WHERE name = 'kim' RETURNING 1", "principal_revoked"),
        ("UPDATE principals SET role = 'viewer' WHERE name = 'kim' RETURNING 1", "principal_revoked"),
        ("UPDATE clients SET status = 'retired', retired_at = now() RETURNING 1", "no_targets"),
        ("UPDATE schedules SET request = '{\"target\": 5}' RETURNING 1", "validation_error"),
        ("UPDATE schedules SET time_zone = 'Atlantis' RETURNING 1", "validation_error"),
    ],
)
async def test_what_cannot_be_sent_any_more_is_noted_and_holds_no_other_up(hub: Hub, broken: str, error: str) -> None:
    schedule_id = await add(hub)
    await one(hub.database, broken)
    good = None
    if error != "no_targets":
        asked = ScheduleRequest(name="good", cron="0 7 * * *", time_zone="UTC", request=EVERYBODY)
        good = (await hub.schedules.create(ANN, asked)).id
        await plan(hub.database, good, await minutes_ago(hub.database, 0.5))
    at = await minutes_ago(hub.database, 0.6)
    await plan(hub.database, schedule_id, at)

    await hub.runner.look()

    row = await hub.schedules.get(KIM, schedule_id)
    assert (row.last_at, row.last_batch_id, row.last_error, row.enabled) == (at, None, error, True)
    assert row.next_at is None if "time_zone" in broken else row.next_at > at
    assert [one for one, _ in await fired(hub.database)] == ([str(good)] if good else [])


async def test_who_mends_it_by_saying_it_again_answers_for_it(hub: Hub) -> None:
    schedule_id = await add(hub)
    await one(hub.database, "UPDATE principals SET disabled_at = now() WHERE name = 'kim' RETURNING 1")
    await one(hub.database, "UPDATE schedules SET time_zone = 'Atlantis', next_at = NULL RETURNING 1")
    # It can be laid to rest as it is, and mended.
    assert (await hub.schedules.change(ANN, schedule_id, {"enabled": False})).next_at is None
    row = await hub.schedules.change(ANN, schedule_id, {"time_zone": "UTC", "enabled": True})
    assert (row.runs_as, row.next_at is None) == (ANN.principal.id, False)
    await one(hub.database, "UPDATE schedules SET next_at = NULL RETURNING 1")
    row = await hub.schedules.change(ANN, schedule_id, {"time_zone": "UTC"})
    assert row.next_at is not None
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 0.5))

    await hub.runner.look()

    assert len(await fired(hub.database)) == 1
    assert await one(hub.database, "SELECT created_by FROM commands") == ANN.principal.id


async def test_large_numbers_are_sent_as_they_were_said(hub: Hub) -> None:
    # Postgres's jsonb would write them out, and what is written out no longer fits into 64 bits.
    payload = {"a": 1e20, "b": 1e300, "c": 0.1, "d": 5.0}
    command = CommandRequest(client_id="", action="open-door", payload=payload)
    schedule_id = await add(hub, request=BatchRequest(target=Target(), command=command))
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 0.5))
    await hub.runner.look()
    assert (await hub.schedules.get(KIM, schedule_id)).last_error is None
    sent = await one(hub.database, "SELECT payload FROM commands")
    assert {name: float(number) for name, number in sent.items()} == payload


async def test_limits_of_clients_count_each_time(hub: Hub) -> None:
    await add_client(hub.database, "small-pc", allowed_actions=["status"])
    schedule_id = await add(hub)
    await plan(hub.database, schedule_id, await minutes_ago(hub.database, 0.5))
    await hub.runner.look()
    assert await one(hub.database, "SELECT error ->> 'code' FROM commands WHERE client_id = 'small-pc'") == (
        "action_not_allowed"
    )
    assert await one(hub.database, "SELECT accepted::text || rejected FROM batches") == "11"


# --- making and changing --------------------------------------------------------------------------------------


async def test_a_request_is_kept_as_it_was_said(hub: Hub) -> None:
    command = CommandRequest(
        client_id="front-pc", action="print", payload={"a": [1, None]}, tags=("x",), max_retries=0, priority=9
    )
    for wanted in (
        EVERYBODY,
        BatchRequest(target=Target(clients=("a", "b")), command=OPEN, max_failures=0, rollout=Rollout(per_minute=5)),
        BatchRequest(target=Target(group="g", zone="z", tags_all=("x",), tags_any=("y",)), command=OPEN),
        BatchRequest(commands=(command, command), max_failures_percent=1.5),
        BatchRequest(target=Target(), command=CommandRequest(client_id="", action="a", back_off=BackOff(factor=3.0))),
    ):
        assert requests.from_json(requests.to_json(wanted)) == wanted
    assert requests.to_json(EVERYBODY) == {
        "target": {"all": True},
        "command": {"action": "open-door", "expires_in_s": 900.0},
    }


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"cron": "0 25 * * *"}, "validation_error", "cron"),
        ({"cron": "0 0 31 2 *"}, "validation_error", "cron"),
        ({"time_zone": "Seoul"}, "validation_error", "time_zone"),
        ({"name": "a\0"}, "validation_error", "name"),
        ({"request": BatchRequest(target=Target(group="none"), command=OPEN)}, "group_not_found", None),
        (
            {"request": BatchRequest(target=Target(clients=("front-pc", "nobody")), command=OPEN)},
            "validation_error",
            "request.target.clients[1]",
        ),
        (
            {"request": BatchRequest(target=Target(), command=CommandRequest(client_id="", action="Bad"))},
            "validation_error",
            "request.command.action",
        ),
        (
            {
                "request": BatchRequest(
                    commands=(CommandRequest(client_id="front-pc", action="a", not_before=datetime.now(UTC)),)
                )
            },
            "validation_error",
            "request.commands[0].not_before",
        ),
        (
            {
                "request": BatchRequest(
                    target=Target(),
                    command=CommandRequest(client_id="", action="print", payload={"document": {"url": "https://x"}}),
                )
            },
            "validation_error",
            "request.command.payload.document",
        ),
    ],
)
async def test_what_does_not_fit_is_refused_by_field(
    hub: Hub, fields: dict[str, Any], code: str, field: str | None
) -> None:
    with pytest.raises(RejectedError, match=code) as caught:
        await add(hub, **fields)
    assert field in {problem.field for problem in caught.value.fields} | {None}
    schedule_id = await add(hub)
    with pytest.raises(RejectedError, match=code):
        await hub.schedules.change(KIM, schedule_id, fields)


async def test_changes_count_from_now_on_and_who_says_what_is_sent_answers_for_it(hub: Hub) -> None:
    schedule_id = await add(hub)
    other = await add(hub, "other")
    with pytest.raises(ConflictError, match="schedule_exists"):
        await add(hub)
    with pytest.raises(ConflictError, match="schedule_exists"):
        await hub.schedules.change(KIM, other, {"name": "doors"})

    row = await hub.schedules.change(ANN, schedule_id, {"misfire": "skip", "enabled": False})
    assert (row.runs_as, row.version, row.misfire) == (KIM.principal.id, 2, "skip")
    row = await hub.schedules.change(ANN, schedule_id, {"time_zone": "Asia/Seoul", "enabled": True})
    assert (row.runs_as, row.created_by) == (ANN.principal.id, KIM.principal.id)
    assert (row.next_at.hour, row.version) == (22, 3)
    times = await hub.schedules.preview(KIM, schedule_id, 3)
    assert times == [row.next_at + DAY * number for number in range(3)]
    assert [item.id for item in (await hub.schedules.page(KIM, before=None, limit=1)).rows] == [other]
    assert [item.id for item in (await hub.schedules.page(KIM, before=other, limit=9)).rows] == [schedule_id]
    done = "SELECT array_agg(action ORDER BY id) FROM audit_logs WHERE resource_id = %s"
    assert await one(hub.database, done, str(schedule_id)) == ["schedule.create", "schedule.change", "schedule.change"]


async def test_a_change_that_leaves_the_time_alone_keeps_what_is_due(hub: Hub) -> None:
    schedule_id = await add(hub)
    at = await minutes_ago(hub.database, 1)
    await plan(hub.database, schedule_id, at)
    assert (await hub.schedules.change(KIM, schedule_id, {"grace_s": 60})).next_at == at


# --- clean-up -------------------------------------------------------------------------------------------------


async def test_a_document_that_a_schedule_names_stays(hub: Hub, tmp_path: Path, shift_clock: Shift) -> None:
    async with hub.database.transaction() as connection:
        named, unnamed = [await add_document(connection) for _ in range(2)]
    command = CommandRequest(client_id="", action="print", payload={"printer": "p", "document": str(named)})
    schedule_id = await add(hub, request=BatchRequest(target=Target(), command=command), enabled=False)
    later = await shift_clock("100 days")
    periods = {"keep_commands_days": 1, "keep_audit_days": 1000}
    cleaning = retention(later, tmp_path, **periods)

    assert (await cleaning.preview())["documents"] == 1
    counts = await cleaning.run(share=1.0)

    assert counts is not None
    assert counts["documents"] == 1
    async with hub.database.connection() as connection:
        assert set(await documents.find(connection, [named, unnamed])) == {named}
    await hub.schedules.delete(KIM, schedule_id)
    assert (await retention(await shift_clock("200 days"), None, **periods).preview())["documents"] == 1

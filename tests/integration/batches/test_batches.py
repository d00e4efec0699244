"""Batches on a real Postgres: who gets a row of which kind, what is taken, and how they are held back and stopped."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.core.access.rules import Caller, IdempotencyKey, Principal
from hub.core.clients.rules import Target
from hub.core.clients.service.groups import Groups, resolve
from hub.core.clients.service.permissions import Permissions
from hub.core.clients.store import clients
from hub.core.commands.rules import lifecycle
from hub.core.commands.service.submission import CommandRequest
from hub.core.commands.store import dispatch, transitions
from hub.database.engine import Database
from hub.errors import ConflictError, RejectedError
from hub.features.batches import store as store
from hub.features.batches.rules import Change, Rollout
from hub.features.batches.service.batches import Batches
from hub.features.batches.service.creation import BatchCreation, BatchRequest
from hub.telemetry.log import Log
from schemas.states import Presence, ReportStatus
from tests.support.factories import PRINCIPAL, add_client, claim, new_command, submit_all
from tests.support.features import batch_creation
from tests.support.recording_ports import RecordingPorts

pytestmark = pytest.mark.each_postgres

CALLER = Caller(Principal(PRINCIPAL, "user", "tester", "admin"), "127.0.0.1", session_id=UUID(int=1))
COMMAND = CommandRequest(client_id="", action="open-door")


TABLES = (b"commands", b"command_logs", b"audit_logs", b"batches", b"client_lanes", b"idempotency_keys")


def creation(database: Database) -> BatchCreation:
    return batch_creation(database, RecordingPorts())


def batches(database: Database) -> Batches:
    return Batches(database, RecordingPorts(), Log())


def request(*client_ids: str, **changes: Any) -> BatchRequest:
    fields: dict[str, Any] = {"target": Target(clients=client_ids) if client_ids else Target(), "command": COMMAND}
    return BatchRequest(**fields | changes)


async def create(database: Database, wanted: BatchRequest) -> UUID:
    return (await creation(database).create(CALLER, wanted)).batch_id


async def rows(database: Database, batch_id: UUID) -> Sequence[store.BatchCommand]:
    return (await batches(database).rows(CALLER, batch_id, after=None, limit=50_000)).rows


async def counts(database: Database) -> dict[str, int]:
    """How many rows each table has that a batch writes, and how much was taken from quotas."""
    found: dict[str, int] = {}
    async with database.connection() as connection:
        for table in TABLES:
            cursor = await connection.execute(b"SELECT count(*)::int AS n FROM " + table)
            found[table.decode()] = (await cursor.fetchall())[0]["n"]
        cursor = await connection.execute(
            b"SELECT sum(day_used)::int AS day_used, sum(minute_used)::int AS minute_used FROM client_usage"
        )
        return found | (await cursor.fetchall())[0]


async def retire(database: Database, client_id: str) -> None:
    async with database.transaction() as connection:
        await clients.retire(connection, client_id)


async def a_floor_where_not_everybody_may(database: Database) -> list[str]:
    """Clients of every kind; their ids."""
    await add_client(database, "plain")
    await add_client(database, "away", presence=Presence.OFFLINE)
    await add_client(database, "no-day", max_commands_per_day=0)
    await add_client(database, "no-minute", rate_limit=0)
    await add_client(database, "no-action", allowed_actions=["print"])
    await add_client(database, "off")
    await add_client(database, "gone")
    async with database.connection() as connection:
        await connection.execute(b"UPDATE clients SET status = 'disabled' WHERE id = 'off'")
    await retire(database, "gone")
    return ["plain", "away", "no-day", "no-minute", "no-action", "off", "gone"]


EXPECTED = {
    "plain": ("pending", None),
    "away": ("pending", None),
    "no-day": ("rejected", "quota_exceeded"),
    "no-minute": ("rejected", "rate_limited"),
    "no-action": ("rejected", "action_not_allowed"),
    "off": ("rejected", "client_disabled"),
    "gone": ("rejected", "client_retired"),
}


async def test_every_target_has_its_row_and_who_is_refused_pays_nothing(database: Database) -> None:
    everybody = await a_floor_where_not_everybody_may(database)
    before = await counts(database)

    batch_id = await create(database, request(*everybody))

    found = await rows(database, batch_id)
    assert [row.client_id for row in found] == everybody
    assert {row.client_id: (row.status, row.code) for row in found} == EXPECTED
    after = await counts(database)
    assert {name: after[name] - before[name] for name in after} == {
        "commands": 7,
        "command_logs": 7,
        "audit_logs": 8,
        "batches": 1,
        "client_lanes": 2,
        "idempotency_keys": 0,
        "day_used": 2,
        "minute_used": 2,
    }
    shown = await batches(database).get(CALLER, batch_id)
    assert (shown.status, shown.total, shown.accepted, shown.rejected) == ("running", 7, 2, 5)
    assert (shown.counts["pending"], shown.counts["rejected"]) == (2, 5)
    assert shown.rejections == {code: 1 for status, code in EXPECTED.values() if code}
    assert (shown.offline, shown.unresponsive) == (1, 0)
    async with database.connection() as connection:
        cursor = await connection.execute(
            b"SELECT l.event, l.status, l.detail FROM command_logs l JOIN commands c ON c.id = l.command_id "
            b"WHERE c.client_id = 'no-day'"
        )
        assert await cursor.fetchall() == [
            {"event": "rejected", "status": "rejected", "detail": {"code": "quota_exceeded"}}
        ]
    # A rejected row is final: nothing is handed out, nothing is open, nothing can be cancelled.
    assert await claim(database, *everybody) == [row.command_id for row in found if row.client_id == "plain"]


async def test_the_preview_is_what_happens_then_and_changes_nothing(database: Database) -> None:
    everybody = await a_floor_where_not_everybody_may(database)
    before = await counts(database)
    wanted = request(*everybody)

    preview = await creation(database).preview(CALLER, wanted)
    assert await counts(database) == before

    batch_id = await create(database, wanted)
    columns = ("client_id", "action", "code", "presence")
    happened = [tuple(getattr(row, name) for name in columns) for row in await rows(database, batch_id)]
    assert [(said.client_id, said.action, said.code, said.presence) for said in preview.items] == happened


async def test_a_quota_that_ends_within_a_list_ends_there(database: Database) -> None:
    await add_client(database, "a", max_commands_per_day=3)
    await add_client(database, "b")
    listed = tuple(CommandRequest(client_id=name, action="open-door") for name in "aabaab")

    batch_id = await create(database, BatchRequest(commands=listed))

    found = await rows(database, batch_id)
    assert [row.client_id for row in found] == list("aabaab")
    assert [row.code for row in found] == [None, None, None, None, "quota_exceeded", None]


@pytest.mark.parametrize(
    ("wanted", "code", "fields"),
    [
        (request("plain", "nobody", "away"), "validation_error", ["target.clients[1]"]),
        (request(target=Target(zone="nowhere")), "no_targets", []),
        (request(target=Target(group="nothing")), "group_not_found", []),
        (request(target=Target(zone="a\0b")), "validation_error", ["target.zone"]),
        (
            request(
                "plain", command=CommandRequest(client_id="", action="print", payload={"printer": "a", "copies": 0})
            ),
            "validation_error",
            ["command.payload.document", "command.payload.copies"],
        ),
        (
            BatchRequest(
                commands=(COMMAND, CommandRequest(client_id="plain", action="print", payload={"printer": "a", "x": 1}))
            ),
            "validation_error",
            ["commands[1].payload.document", "commands[1].payload.x"],
        ),
        (
            BatchRequest(
                commands=(
                    CommandRequest(client_id="plain", action="open-door"),
                    CommandRequest(client_id="nobody", action="open-door"),
                )
            ),
            "validation_error",
            ["commands[1].client_id"],
        ),
    ],
    ids=["unknown client", "nobody", "no group", "text", "payload", "one of a list", "unknown client in a list"],
)
async def test_a_fault_of_the_request_refuses_all_of_it(
    database: Database, wanted: BatchRequest, code: str, fields: list[str]
) -> None:
    await a_floor_where_not_everybody_may(database)
    before = await counts(database)
    for way in (creation(database).create, creation(database).preview):
        with pytest.raises(RejectedError) as problem:
            await way(CALLER, wanted)
        assert problem.value.code == code
        assert [field.field for field in problem.value.fields] == fields
    assert await counts(database) == before


async def test_a_target_means_the_clients_that_fit_each_condition(database: Database) -> None:
    chance = random.Random(4)  # noqa: S311 - any clients will do
    zones, names, groups = [None, "a", "b"], ["x", "y", "z"], ["g", "h"]
    site: dict[str, tuple[str | None, set[str], set[str], bool]] = {}
    for number in range(40):
        client_id = f"c-{number:02}"
        zone, tags = chance.choice(zones), set(chance.sample(names, chance.randrange(4)))
        await add_client(database, client_id, zone=zone, tags=sorted(tags))
        site[client_id] = (zone, tags, set(chance.sample(groups, chance.randrange(3))), chance.random() < 0.1)
    for group in groups:
        members = [client_id for client_id, fields in site.items() if group in fields[2]]
        await Groups(database).create(CALLER, group, None, members)
    for client_id, fields in site.items():
        if fields[3]:
            await retire(database, client_id)

    for _ in range(150):
        target = Target(
            group=chance.choice([None, *groups]),
            zone=chance.choice(zones),
            tags_all=tuple(chance.sample(names, chance.randrange(3))),
            tags_any=tuple(chance.sample(names, chance.randrange(3))),
        )
        fitting = [
            client_id
            for client_id, (zone, tags, member_of, retired) in site.items()
            if not retired
            and target.group in (None, *member_of)
            and target.zone in (None, zone)
            and tags.issuperset(target.tags_all)
            and (not target.tags_any or tags.intersection(target.tags_any))
        ]
        async with database.connection() as connection:
            if fitting:
                assert await resolve(connection, CALLER.scope, target, want="command") == fitting
            else:
                with pytest.raises(RejectedError, match="no_targets"):
                    await resolve(connection, CALLER.scope, target, want="command")


async def test_batches_that_overlap_do_not_deadlock(database: Database) -> None:
    site = [f"c-{number:03}" for number in range(60)]
    for client_id in site:
        await add_client(database, client_id)
    await Groups(database).create(CALLER, "g", None, site)
    chance = random.Random(1)  # noqa: S311 - any order will do
    permissions = Permissions(database)

    async def shuffled(number: int) -> int:
        ids = chance.sample(site, 40)
        match number % 4:
            case 0 | 1:
                await create(database, request(*ids))
                return len(ids)
            case 2:
                verdicts = await submit_all(database, [new_command(client_id) for client_id in ids])
                return sum(verdict.refusal is None for verdict in verdicts)
            case _:
                await permissions.change_many(CALLER, Target(clients=tuple(ids)), {"rate_limit": 1_000_000})
                await Groups(database).change_members(CALLER, "g", ids[:20], ids[20:])
                return 0

    taken = sum(await asyncio.gather(*(shuffled(number) for number in range(48))))

    assert (await counts(database))["day_used"] == taken == (await counts(database))["commands"]


async def test_ten_thousand_clients_are_accepted_in_one_statement(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            b"""
            WITH made AS (
                INSERT INTO clients (id, name, kind, status, tags, metadata, secret_sha256, mqtt_password, mqtt_salt,
                    mqtt_iterations, created_at, updated_at)
                SELECT 'many-' || n, 'many', 'other', 'active', '{}', '{}', '\\x00', '', '', 1, now(), now()
                FROM generate_series(1, 10000) n
                RETURNING id
            ),
            permissions AS (INSERT INTO client_permissions SELECT id, NULL, 60, 1000, now() FROM made),
            usage AS (INSERT INTO client_usage SELECT id, '2000-01-01', 1000, now(), 0 FROM made)
            INSERT INTO client_sessions (client_id, presence, presence_reason, level, connection, epoch_issued,
                epoch_confirmed)
            SELECT id, 'offline', 'never_seen', 'full', 0, 0, 0 FROM made
            """
        )
    batch_id = await create(database, request())

    shown = await batches(database).get(CALLER, batch_id)
    assert (shown.accepted, shown.counts["pending"], shown.offline) == (10_000, 10_000, 10_000)
    assert (await counts(database))["day_used"] == 10_000


# --- holding back, stopping, ending ----------------------------------------------------------------------


async def report(database: Database, command_id: UUID, status: ReportStatus, *, retryable: bool = False) -> None:
    """What the agent's word does to a command."""
    async with database.transaction() as connection:
        command = (await transitions.lock(connection, [command_id]))[command_id]
        word = lifecycle.Reported(status, command.state.attempt, retryable=retryable, error={"code": "test"})
        command.fold(lifecycle.decide(command.state, word, command.now), uuid4())
        assert await transitions.apply(connection, [command]) == {command_id}


async def some_clients(database: Database, number: int) -> list[str]:
    ids = [f"c-{n:02}" for n in range(number)]
    for client_id in ids:
        await add_client(database, client_id)
    return ids


async def test_what_a_paused_batch_has_not_handed_out_stays_until_it_is_resumed(
    database: Database, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    ids = await some_clients(database, 4)
    batch_id = await create(database, request(*ids))
    [handed_out] = await claim(database, ids[0])
    single = (await submit_all(database, [new_command(ids[1])]))[0]
    service = batches(database)

    assert (await service.change(CALLER, batch_id, Change.PAUSE)).status == "paused"
    assert (await service.change(CALLER, batch_id, Change.PAUSE)).status == "paused"

    assert single.refusal is None
    assert len(await claim(database, *ids)) == 1  # the single command only
    async with database.connection() as connection:
        assert await dispatch.clients_with_work(connection) == set()
    # What was handed out goes on, but its next attempt waits, also when its time has come.
    await report(database, handed_out, ReportStatus.FAILED, retryable=True)
    later = await shift_clock("10 minutes")
    async with later.connection() as connection:
        assert await dispatch.wake_scheduled(connection) == set()
        # An attempt that is held back is nothing to wait for: the next thing due is a deadline.
        assert (await dispatch.seconds_to_next_due(connection) or 0) > 60
    assert await claim(later, *ids) == []

    assert (await batches(later).change(CALLER, batch_id, Change.RESUME)).status == "running"
    assert len(await claim(later, *ids)) == 4
    assert await claim(later, *ids) == []


async def test_what_a_pause_is_just_writing_is_left_alone_by_a_claim(database: Database) -> None:
    ids = await some_clients(database, 3)
    batch_id = await create(database, request(*ids))
    async with database.transaction() as connection:
        assert await store.lock(connection, batch_id) is not None
        await store.hold(connection, batch_id)
        assert await claim(database, *ids) == []
    assert await claim(database, *ids) == []


async def test_a_cancel_ends_what_waits_and_asks_for_what_was_handed_out(database: Database) -> None:
    ids = await some_clients(database, 5)
    batch_id = await create(database, request(*ids))
    running, done, lost = await claim(database, *ids[:3])
    await report(database, running, ReportStatus.STARTED)
    await report(database, done, ReportStatus.COMPLETED)
    service = batches(database)

    shown = await service.change(CALLER, batch_id, Change.CANCEL)

    assert (shown.status, shown.stop_reason, shown.finished_at) == ("cancelled", "requested", None)
    assert {name: number for name, number in shown.counts.items() if number} == {
        "completed": 1,
        "cancelled": 2,
        "running": 1,
        "queued": 1,
    }
    asked = [row.client_id for row in await rows(database, batch_id) if row.cancel_requested]
    assert asked == ["c-00", "c-02", "c-03", "c-04"]
    async with database.connection() as connection:
        assert {cancel.command_id for cancel in await dispatch.resend_cancels(connection)} == {running, lost}
    await service.look()
    assert (await service.get(CALLER, batch_id)).finished_at is None

    await report(database, running, ReportStatus.CANCELLED)
    await report(database, lost, ReportStatus.COMPLETED)
    await service.look()
    shown = await service.get(CALLER, batch_id)
    assert (shown.status, shown.finished_at is None) == ("cancelled", False)
    assert (await service.change(CALLER, batch_id, Change.CANCEL)).status == "cancelled"
    for change in (Change.PAUSE, Change.RESUME):
        with pytest.raises(ConflictError, match="batch_ended"):
            await service.change(CALLER, batch_id, change)


async def test_a_cancel_that_a_dying_hub_left_unfinished_is_finished_by_a_look(database: Database) -> None:
    ids = await some_clients(database, 4)
    batch_id = await create(database, request(*ids))
    async with database.connection() as connection:
        await connection.execute(b"UPDATE batches SET status = 'cancelled', stop_reason = 'requested'")

    await asyncio.gather(*(batches(database).look() for _ in range(4)))

    shown = await batches(database).get(CALLER, batch_id)
    assert shown.counts["cancelled"] == 4
    assert {row.attempt for row in await rows(database, batch_id)} == {1}
    async with database.connection() as connection:
        cursor = await connection.execute(b"SELECT count(*)::int AS n FROM command_logs WHERE event = 'cancelled'")
        assert (await cursor.fetchall()) == [{"n": 4}]


async def test_one_failure_too_many_stops_it_however_many_look(database: Database) -> None:
    ids = await some_clients(database, 8)
    batch_id = await create(database, request(*ids, max_failures=1))
    first, second, third = await claim(database, *ids[:3])
    service = batches(database)
    await report(database, first, ReportStatus.FAILED)
    assert await service.look()
    assert (await service.get(CALLER, batch_id)).status == "running"

    await report(database, second, ReportStatus.UNKNOWN)
    await asyncio.gather(*(batches(database).look() for _ in range(4)))

    shown = await service.get(CALLER, batch_id)
    assert (shown.status, shown.stop_reason) == ("cancelled", "max_failures")
    assert {name: number for name, number in shown.counts.items() if number} == {
        "failed": 1,
        "unknown": 1,
        "queued": 1,
        "cancelled": 5,
    }
    assert await claim(database, *ids) == []
    await report(database, third, ReportStatus.COMPLETED)
    assert not await service.look()
    assert (await service.get(CALLER, batch_id)).finished_at is not None


async def test_every_batch_is_looked_at_however_many_there_are(database: Database) -> None:
    [client_id] = await some_clients(database, 1)
    made = [await create(database, request(client_id)) for _ in range(5)]
    for batch_id in made[2:]:
        await batches(database).change(CALLER, batch_id, Change.CANCEL)

    await batches(database).look(most=2)

    page = (await batches(database).page(CALLER, before=None, limit=10)).rows
    assert {row.id for row in page if row.finished_at is None} == set(made[:2])


async def test_a_batch_of_which_everything_has_ended_is_finished(database: Database) -> None:
    ids = await some_clients(database, 2)
    batch_id = await create(database, request(*ids))
    other = await create(database, request(await add_client(database, "other")))
    for command_id in await claim(database, *ids):
        await batches(database).look()
        assert (await batches(database).get(CALLER, batch_id)).status == "running"
        await report(database, command_id, ReportStatus.COMPLETED)
    await batches(database).look()
    assert (await batches(database).get(CALLER, batch_id)).status == "finished"
    assert (await batches(database).get(CALLER, other)).status == "running"
    page = (await batches(database).page(CALLER, before=None, limit=10, statuses=["finished"])).rows
    assert [row.id for row in page] == [batch_id]


async def test_a_rollout_begins_little_by_little_and_waits_out_a_pause(
    database: Database, shift_clock: Callable[[str], Awaitable[Database]]
) -> None:
    ids = await some_clients(database, 6)
    batch_id = await create(database, request(*ids, rollout=Rollout(per_minute=2)))
    found = await rows(database, batch_id)
    with pytest.raises(RejectedError, match="validation_error"):
        await create(database, request(*ids, rollout=Rollout(per_minute=1e-9)))
    times = [row.not_before for row in found]
    assert times[0] is None
    assert [later - times[1] for later in times[2:]] == [timedelta(seconds=30 * n) for n in range(1, 5)]
    assert len(await claim(database, *ids)) == 1

    soon = await shift_clock("61 seconds")  # two more have come, three have not
    async with soon.connection() as connection:
        await dispatch.wake_scheduled(connection)
    assert len(await claim(soon, *ids)) == 2
    await batches(soon).change(CALLER, batch_id, Change.PAUSE)
    after = await shift_clock("661 seconds")
    await batches(after).change(CALLER, batch_id, Change.RESUME)

    # Ten minutes of pause: what had not begun keeps its distance, and has as much time as before.
    assert await claim(after, *ids) == []
    moved = [row.not_before - was for row, was in zip((await rows(database, batch_id))[3:], times[3:], strict=True)]
    assert all(timedelta(minutes=10) <= by < timedelta(minutes=10, seconds=20) for by in moved)
    async with after.connection() as connection:
        cursor = await connection.execute(
            b"SELECT bool_and(expires_at - not_before = interval '1 hour' AND deadline_at = expires_at) AS kept "
            b"FROM commands WHERE status = 'pending'"
        )
        assert (await cursor.fetchall())[0]["kept"]
    last = await shift_clock("800 seconds")
    async with last.connection() as connection:
        assert len(await dispatch.wake_scheduled(connection)) == 3


async def test_twenty_with_one_key_make_one_batch(database: Database) -> None:
    ids = await some_clients(database, 30)
    key = IdempotencyKey.of("POST /api/batches", "key-1", b"body")

    made = await asyncio.gather(*(creation(database).create(CALLER, request(*ids), key) for _ in range(20)))

    assert len({created.batch_id for created in made}) == 1
    assert Counter(created.repeated for created in made) == {False: 1, True: 19}
    assert (await counts(database))["day_used"] == 30
    with pytest.raises(ConflictError, match="idempotency_key_reused"):
        await creation(database).create(
            CALLER, request(*ids), IdempotencyKey.of("POST /api/batches", "key-1", b"other")
        )
    # A refused request leaves its key free.
    key = IdempotencyKey.of("POST /api/batches", "key-2", b"body")
    with pytest.raises(RejectedError):
        await creation(database).create(CALLER, request("nobody"), key)
    assert not (await creation(database).create(CALLER, request(*ids), key)).repeated


async def test_permissions_of_many_change_together_and_say_what_is_left(database: Database) -> None:
    ids = await some_clients(database, 5)
    await retire(database, ids[4])
    service = Permissions(database)

    assert await service.change_many(CALLER, Target(), {"rate_limit": 7, "max_commands_per_day": 3}) == 4
    await service.change(CALLER, ids[0], {"allowed_actions": ["print"]})
    await create(database, request(*ids[:4]))

    first, second = await service.get(CALLER, ids[0]), await service.get(CALLER, ids[1])
    assert (first.allowed_actions, first.day_used) == (["print"], 0)
    assert (second.rate_limit, second.minute_used, second.day_used) == (7, 1, 1)
    assert (second.day_reset.hour, second.day_reset.minute) == (0, 0)
    async with database.connection() as connection:
        cursor = await connection.execute(
            b"SELECT count(*)::int AS n FROM audit_logs WHERE action = 'client.permissions' AND principal_id = %s",
            (PRINCIPAL,),
        )
        assert (await cursor.fetchall()) == [{"n": 5}]
    with pytest.raises(RejectedError, match="client_retired"):
        await service.change(CALLER, ids[4], {"rate_limit": 1})

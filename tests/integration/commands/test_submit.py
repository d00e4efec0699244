"""Submit: what is refused takes nothing, what is taken is exact, and a key stands for one command."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from psycopg import Rollback, sql
from psycopg.errors import UniqueViolation
from uuid_utils.compat import uuid7

from hub.core.access.rules import IdempotencyKey
from hub.core.access.store.idempotency import find_idempotent
from hub.core.clients.store import clients
from hub.core.commands.store.submit import KeyCollisionError, NewCommand, Verdict, submit
from hub.database import engine
from hub.database.engine import Connection, Database
from hub.database.migrations.tables import metadata
from schemas.states import Presence
from tests.support.factories import PRINCIPAL, add_client, add_commands, new_client, new_command, row, submit_all
from tests.support.waiting import eventually

pytestmark = pytest.mark.each_postgres

ShiftClock = Callable[[str], Awaitable[Database]]
ONE_COMMAND = {
    "commands": 1,
    "command_logs": 1,
    "audit_logs": 1,
    "idempotency_keys": 1,
    "client_lanes": 1,
    "used": 2,
}
"""The rows that a command with an Idempotency-Key makes."""
KEY = {"idempotency_route": "POST /api/commands", "request_sha256": hashlib.sha256(b"body").hexdigest()}


async def _counts(database: Database) -> dict[str, int]:
    """Rows of every table, and the sum of what clients have used."""
    found: dict[str, int] = {}
    async with database.connection() as connection:
        for name in metadata.tables:
            query = sql.SQL("SELECT count(*) AS n FROM {}").format(sql.Identifier(name))
            found[name] = (await _one(connection, query))["n"]
        used = await _one(connection, b"SELECT coalesce(sum(day_used + minute_used), 0) AS n FROM client_usage")
    return found | {"used": used["n"]}


async def _one(connection: Connection, query: Any, parameters: Sequence[Any] = ()) -> dict[str, Any]:
    answer = await (await connection.execute(query, parameters)).fetchone()
    assert answer is not None
    return answer


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


async def _retire(database: Database, client_id: str) -> None:
    async with database.transaction() as connection:
        await clients.retire(connection, client_id)


async def _disable(database: Database, client_id: str) -> None:
    async with database.connection() as connection:
        await connection.execute(b"UPDATE clients SET status = 'disabled' WHERE id = %s", (client_id,))


async def test_an_accepted_command_leaves_exactly_its_rows(database: Database) -> None:
    await add_client(database)
    before = await _counts(database)
    command = new_command(idempotency_key="key-1", **KEY)
    [verdict] = await submit_all(database, [command])
    assert verdict.refusal is None
    assert _difference(before, await _counts(database)) == ONE_COMMAND
    async with database.connection() as connection:
        stored = await row(connection, command.id)
        log = await _one(connection, b"SELECT * FROM command_logs")
    assert (stored["status"], stored["version"], stored["attempt"], stored["scheduled"]) == ("pending", 1, 1, False)
    assert stored["created_at"] == verdict.at == log["at"]
    assert stored["expires_at"] == stored["deadline_at"] == verdict.expires_at == verdict.at + timedelta(hours=1)
    assert (log["command_id"], log["version"], log["event"], log["status"]) == (command.id, 1, "created", "pending")


async def _nothing(_: Database, __: str) -> None:
    """No preparation."""


@pytest.mark.parametrize(
    ("refusal", "client", "prepare", "command"),
    [
        ("client_retired", {}, _retire, {}),
        ("client_disabled", {}, _disable, {}),
        ("action_not_allowed", {"allowed_actions": ["display", "status"]}, _nothing, {}),
        ("action_not_allowed", {"allowed_actions": []}, _nothing, {}),
        ("client_offline", {"presence": Presence.OFFLINE}, _nothing, {"when_offline": "fail"}),
        ("client_offline", {"presence": Presence.UNKNOWN}, _nothing, {"when_offline": "fail"}),
        ("document_not_found", {}, _nothing, {"document_ids": [uuid7()]}),
        ("quota_exceeded", {"max_commands_per_day": 0}, _nothing, {}),
        ("rate_limited", {"rate_limit": 0}, _nothing, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_is_refused_leaves_only_a_line_in_the_audit_log(
    database: Database,
    refusal: str,
    client: dict[str, Any],
    prepare: Callable[[Database, str], Awaitable[None]],
    command: dict[str, Any],
) -> None:
    await add_client(database, **client)
    await prepare(database, "front-pc")
    before = await _counts(database)
    [verdict] = await submit_all(database, [new_command(idempotency_key="key-1", **KEY, **command)])
    assert verdict.refusal == refusal
    assert _difference(before, await _counts(database)) == {"audit_logs": 1}
    async with database.connection() as connection:
        audit = await _one(connection, b"SELECT * FROM audit_logs ORDER BY id DESC LIMIT 1")
    assert (audit["action"], audit["resource_id"]) == ("command.refused", "front-pc")
    assert audit["detail"] == {"action": "print", "code": refusal}


async def test_a_client_that_does_not_exist_is_refused(database: Database) -> None:
    before = await _counts(database)
    [verdict] = await submit_all(database, [new_command("no-such-pc")])
    assert verdict.refusal == "client_not_found"
    assert _difference(before, await _counts(database)) == {"audit_logs": 1}


async def test_times_that_make_no_sense_are_refused(database: Database) -> None:
    await add_client(database)
    async with database.connection() as connection:
        now = await engine.now(connection)
    before = await _counts(database)
    verdicts = await submit_all(
        database,
        [
            new_command(expires_at=now - timedelta(seconds=1)),
            new_command(expires_at=now + timedelta(hours=1), not_before=now + timedelta(hours=1)),
        ],
    )
    assert [verdict.refusal for verdict in verdicts] == ["already_expired", "never_due"]
    assert _difference(before, await _counts(database)) == {"audit_logs": 2}


async def test_expiry_counts_from_when_the_command_may_begin(database: Database) -> None:
    await add_client(database)
    async with database.connection() as connection:
        begin = await engine.now(connection) + timedelta(hours=5)
        command = new_command(not_before=begin, expires_in_s=60.0)
        await submit(connection, [command])
        stored = await row(connection, command.id)
    assert (stored["scheduled"], stored["expires_at"]) == (True, begin + timedelta(minutes=1))


async def test_in_one_call_each_command_is_judged_by_itself(database: Database) -> None:
    await add_client(database, "a", rate_limit=2)
    await add_client(database, "b", max_commands_per_day=1)
    names = ["a", "b", "no-such-pc", "a", "b", "a"]
    verdicts = await submit_all(database, [new_command(name) for name in names])
    assert [verdict.refusal for verdict in verdicts] == [
        None,
        None,
        "client_not_found",
        None,
        "quota_exceeded",
        "rate_limited",
    ]
    assert [(v.minute_left, v.day_left) for v in verdicts[:2]] == [(0, 999_998), (999_999, 0)]


async def test_a_refused_command_takes_no_place_in_the_quota(database: Database) -> None:
    await add_client(database, rate_limit=1, allowed_actions=["print"])
    verdicts = await submit_all(
        database, [new_command(action="reboot", payload={}), new_command(), new_command(action="reboot", payload={})]
    )
    assert [verdict.refusal for verdict in verdicts] == ["action_not_allowed", None, "action_not_allowed"]


@pytest.mark.fault("F12")
async def test_the_quota_is_exact_for_groups_of_overlapping_clients_from_32_connections(
    database_url: str, database: Database
) -> None:
    limits = {f"pc-{n}": 20 + n for n in range(8)}
    for client_id, limit in limits.items():
        await add_client(database, client_id, max_commands_per_day=limit)
    names = list(limits)
    # Each group takes four clients in another order, so that locks taken in the order of the rows would deadlock.
    groups = [[names[(start + step * k) % 8] for k in range(4)] for start in range(8) for step in (1, 3, 5, 7)]
    parallel = Database(database_url, size=32)
    await parallel.open()

    async def send(group: list[str]) -> list[tuple[str, Verdict]]:
        told: list[tuple[str, Verdict]] = []
        for _ in range(3):
            told += zip(group, await submit_all(parallel, [new_command(name) for name in group]), strict=True)
        return told

    try:
        answers = await asyncio.gather(*(send(group) for group in groups))
    finally:
        await parallel.close()
    verdicts = [entry for answer in answers for entry in answer]
    assert Counter(name for name, _ in verdicts) == dict.fromkeys(names, 48)
    assert Counter(name for name, verdict in verdicts if verdict.refusal is None) == limits
    assert {verdict.refusal for _, verdict in verdicts} == {None, "quota_exceeded"}
    async with database.connection() as connection:
        cursor = await connection.execute(
            b"SELECT client_id, day_used, (SELECT count(*) FROM commands c WHERE c.client_id = u.client_id) AS stored"
            b" FROM client_usage u"
        )
        used = {found["client_id"]: (found["day_used"], found["stored"]) for found in await cursor.fetchall()}
    assert used == {name: (limit, limit) for name, limit in limits.items()}


async def _from_midday(database: Database) -> Callable[..., str]:
    """Shifts from the middle of a minute in the middle of tomorrow on, so that nothing rolls over by itself."""
    async with database.connection() as connection:
        now = await engine.now(connection)
    midday = (now + timedelta(days=1)).replace(hour=12, minute=0, second=30, microsecond=0) - now

    def at(**later: int) -> str:
        return f"{int((midday + timedelta(**later)).total_seconds())} seconds"

    return at


async def test_the_minute_and_the_day_start_anew(database: Database, shift_clock: ShiftClock) -> None:
    await add_client(database, rate_limit=2, max_commands_per_day=3)

    async def refusals(by: str, count: int) -> list[str | None]:
        shifted = await shift_clock(by)
        return [verdict.refusal for verdict in await submit_all(shifted, [new_command() for _ in range(count)])]

    at = await _from_midday(database)
    assert await refusals(at(), 3) == [None, None, "rate_limited"]
    assert await refusals(at(minutes=1), 2) == [None, "quota_exceeded"]
    assert await refusals(at(minutes=2), 1) == ["quota_exceeded"]
    assert await refusals(at(days=1), 3) == [None, None, "rate_limited"]
    # A clock that was set back far leaves nobody locked out until the time it had reached.
    assert await refusals(at(days=-2), 1) == [None]


async def test_resets_are_the_next_minute_and_the_next_utc_midnight(database: Database) -> None:
    await add_client(database)
    [verdict] = await submit_all(database, [new_command()])
    assert verdict.minute_reset == verdict.at.replace(second=0, microsecond=0) + timedelta(minutes=1)
    midnight = verdict.at.replace(hour=0, minute=0, second=0, microsecond=0)
    assert verdict.day_reset == midnight + timedelta(days=1)


async def test_a_statement_that_waited_over_the_turn_of_the_minute_takes_back_no_ones_count(
    shift_clock: ShiftClock, database: Database
) -> None:
    """Its clock is older than the row it finds: it must not reset the counter of the minute that has begun."""
    await add_client(database, rate_limit=2, max_commands_per_day=1_000)
    at = await _from_midday(database)
    now, later, tomorrow = await shift_clock(at()), await shift_clock(at(minutes=1)), await shift_clock(at(days=1))
    assert [v.refusal for v in await submit_all(later, [new_command()])] == [None]
    assert [v.refusal for v in await submit_all(now, [new_command()])] == [None]
    assert [v.refusal for v in await submit_all(later, [new_command()])] == ["rate_limited"]
    await submit_all(tomorrow, [new_command()])
    await submit_all(now, [new_command()])
    async with database.connection() as connection:
        usage = await _one(connection, b"SELECT day_used FROM client_usage")
    assert usage["day_used"] == 2


async def test_a_key_makes_one_command_however_many_ask_at_once(database_url: str, database: Database) -> None:
    await add_client(database)
    before = await _counts(database)
    parallel = Database(database_url, size=20)
    await parallel.open()
    commands = [new_command(idempotency_key="key-1", **KEY) for _ in range(20)]

    async def send(command: NewCommand) -> str:
        try:
            [verdict] = await submit_all(parallel, [command])
        except KeyCollisionError:
            return "collided"
        return verdict.refusal or "taken"

    try:
        answers = Counter(await asyncio.gather(*(send(command) for command in commands)))
    finally:
        await parallel.close()
    assert answers.pop("taken") == 1
    assert set(answers) <= {"collided", "repeated"}
    assert _difference(before, await _counts(database)) == ONE_COMMAND
    async with database.connection() as connection:
        key = IdempotencyKey.of(KEY["idempotency_route"], "key-1", b"body")
        found = await find_idempotent(connection, PRINCIPAL, key)
    assert found is not None
    assert found.command_id in {command.id for command in commands}
    assert found.request_sha256 == hashlib.sha256(b"body").digest()


async def test_a_key_belongs_to_its_principal_and_route(database: Database) -> None:
    await add_client(database)
    first = new_command(idempotency_key="key-1", **KEY)
    others = [
        replace(first, id=uuid7(), created_by=uuid7()),
        replace(first, id=uuid7(), idempotency_route="POST /api/print/jobs"),
        replace(first, id=uuid7(), idempotency_key="key-2"),
    ]
    assert [v.refusal for v in await submit_all(database, [first])] == [None]
    assert [v.refusal for v in await submit_all(database, others)] == [None, None, None]
    assert [v.refusal for v in await submit_all(database, [replace(first, id=uuid7())])] == ["repeated"]


async def test_a_key_that_is_known_is_told_even_of_a_client_that_is_retired_now(database: Database) -> None:
    await add_client(database)
    command = new_command(idempotency_key="key-1", **KEY)
    await add_commands(database, [command])
    await _retire(database, "front-pc")
    before = await _counts(database)
    [verdict] = await submit_all(database, [replace(command, id=uuid7())])
    assert verdict.refusal == "repeated"
    assert _difference(before, await _counts(database)) == {}


async def test_one_collision_takes_back_the_whole_group(database: Database) -> None:
    await add_client(database, "a")
    await add_client(database, "b")
    before = await _counts(database)
    group = [new_command("a"), new_command("b", idempotency_key="key-1", **KEY), new_command("a")]
    async with database.transaction() as other:
        # The other request is not committed yet when the group looks for its key.
        await submit(other, [new_command("a", id=uuid7(), idempotency_key="key-1", **KEY)])
        waiting = asyncio.create_task(submit_all(database, group))
        await eventually(lambda: _locks_waited_for(database, 1))
    with pytest.raises(KeyCollisionError):
        await waiting
    assert _difference(before, await _counts(database))["commands"] == 1
    verdicts = [(await submit_all(database, [command]))[0].refusal for command in group]
    assert verdicts == [None, "repeated", None]


@pytest.mark.fault("F12")
async def test_groups_that_bring_the_same_keys_in_another_order_do_not_deadlock(database: Database) -> None:
    for name in ("a", "b", "c"):
        await add_client(database, name)

    def group(client_id: str, *keys: str) -> list[NewCommand]:
        return [new_command(client_id, idempotency_key=key, **KEY) for key in keys]

    tasks = []
    async with database.transaction() as other:
        # Both stop at the key in their middle, with the one before it taken.
        await submit(other, group("c", "key-2"))
        for client_id, keys in (("a", ("key-1", "key-2", "key-3")), ("b", ("key-3", "key-2", "key-1"))):
            tasks.append(asyncio.create_task(submit_all(database, group(client_id, *keys))))
            await eventually(lambda: _locks_waited_for(database, len(tasks)))
        raise Rollback
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["KeyCollisionError", "list"]


async def _locks_waited_for(database: Database, count: int) -> bool:
    async with database.connection() as connection:
        found = await _one(
            connection,
            b"SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
            b" AND wait_event_type = 'Lock'",
        )
    return bool(found["n"] == count)


async def test_two_registrations_of_one_id_leave_one_client(database: Database) -> None:
    await add_client(database)
    before = await _counts(database)
    with pytest.raises(clients.ClientExistsError):
        async with database.transaction() as connection:
            await clients.insert_client(connection, new_client())
    assert _difference(before, await _counts(database)) == {}


async def test_a_second_replay_of_one_command_is_refused_by_the_table(database: Database) -> None:
    await add_client(database)
    original = UUID(int=7)
    await add_commands(database, [new_command(replay_of=original)])
    with pytest.raises(UniqueViolation, match="replay_of"):
        await submit_all(database, [new_command(replay_of=original)])

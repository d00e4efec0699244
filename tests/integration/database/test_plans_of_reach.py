"""10,000 clients and 200 granted principals: what a principal lists and sends costs what its own clients cost."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import pytest
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from hub.core.access.rules import Scope
from hub.core.commands.store import commands as store
from hub.core.commands.store.commands import Filter
from hub.core.commands.store.submit import submit
from hub.database.engine import Database
from hub.features.dead_letters import store as dead_letters
from hub.features.schedules import store as schedules
from tests.support import postgres
from tests.support.factories import PRINCIPAL, new_command
from tests.support.rows_read import read_since, rows_read

CLIENTS = 10_000
COMMANDS = 60_000
"""Of them 200 of each client of zone `z-1`, and of `pc-3`, which is quiet otherwise, none."""
_FILL = b"""
    INSERT INTO clients (
        id, name, kind, status, zone, tags, metadata, secret_sha256, mqtt_password, mqtt_salt, mqtt_iterations,
        created_at, updated_at
    )
    SELECT
        'pc-' || n, 'pc', 'printer_pc', 'active', 'z-' || n / 20, ARRAY['t-' || n / 20, 'all'], '{}',
        sha256(n::text::bytea), 'x', 'x', 1, now(), now()
    FROM generate_series(0, 9999) AS n;
    INSERT INTO client_permissions (client_id, rate_limit, max_commands_per_day, updated_at)
        SELECT id, 1000, 100000, now() FROM clients;
    INSERT INTO client_usage (client_id, day, day_used, minute, minute_used)
        SELECT id, current_date, 0, now(), 0 FROM clients;
    INSERT INTO client_groups (id, name, created_at, updated_at)
        SELECT 'g-' || n, 'g', now(), now() FROM generate_series(0, 499) AS n;
    INSERT INTO client_group_members (group_id, client_id)
        SELECT 'g-' || n / 20, 'pc-' || n FROM generate_series(0, 9999) AS n;
    INSERT INTO principals (id, kind, name, role, reach, created_at)
        SELECT lpad(to_hex(n), 32, '0')::uuid, 'integration', 'shop ' || n, 'operator', 'granted', now()
        FROM generate_series(1, 200) AS n;
    INSERT INTO grants (id, principal_id, target_kind, target, tags, access, created_at)
        SELECT
            gen_random_uuid(), lpad(to_hex(n), 32, '0')::uuid, (ARRAY['client', 'group', 'zone', 'tags'])[1 + n % 4],
            (ARRAY['pc-' || n * 20, 'g-' || n, 'z-' || n, NULL])[1 + n % 4],
            CASE n % 4 WHEN 3 THEN ARRAY['t-' || n] END, 'command', now()
        FROM generate_series(1, 200) AS n;
    INSERT INTO commands (
        id, client_id, action, lane, payload, document_ids, priority, status, version, attempt, max_retries, scheduled,
        expires_at, timeout_s, on_interrupt, when_offline, tags, created_by, created_at, sends, cancel_sends,
        finished_at, dead_letter_reason
    )
    SELECT
        gen_random_uuid(), 'pc-' || CASE WHEN n < 4000 THEN 20 + n % 20 ELSE 100 + n % 9900 END, 'print', 'printer:p',
        '{}', '{}', 5, 'failed', 4, 1, 3, false, now(), 60, 'unknown', 'queue', '{}',
        gen_random_uuid(), now(), 1, 0, now(),
        CASE WHEN n % 20 = 0 THEN 'jam' END
    FROM generate_series(0, 59999) AS n;
"""
KINDS = {"client": 100, "group": 101, "zone": 102, "tags": 103}
"""A principal of each kind of target."""


@pytest.fixture(scope="module")
def big_database_url(postgres_server: str, database_template: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_server, database_template) as url:
        yield url


@pytest.fixture(scope="module")
async def big(big_database_url: str) -> AsyncIterator[Database]:
    opened = AsyncConnection.connect(big_database_url, autocommit=True, row_factory=dict_row)
    async with await opened as connection:
        await connection.execute(_FILL)
        await connection.execute(b"ANALYZE")
    async with postgres.opened(Database(big_database_url)) as database:
        yield database


def scope_of(number: int) -> Scope:
    return Scope(UUID(int=number), None, limited=True)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_list_reads_what_the_principals_own_clients_have(big: Database, kind: str) -> None:
    async with big.transaction() as connection:
        before = await rows_read(connection)
        rows = await store.page(connection, Filter(), scope_of(KINDS[kind]), before=None, limit=51)
        whole, by_index = await read_since(connection, before)
    assert rows
    assert {row.client_id for row in rows} <= {f"pc-{KINDS[kind] * 20 + n}" for n in range(20)}
    assert whole == 0
    # Of 20 clients each row is looked at three times at the most.
    assert by_index < 1_000


async def test_a_list_of_clients_with_long_histories_reads_a_page_of_them(big: Database) -> None:
    # Zone 1 has 200 commands of each client, and the page has room for 51.
    async with big.transaction() as connection:
        who = UUID(int=200)
        await connection.execute(
            b"UPDATE grants SET target_kind = 'zone', target = 'z-1', tags = NULL WHERE principal_id = %s", (who,)
        )
        before = await rows_read(connection)
        rows = await store.page(connection, Filter(), Scope(who), before=None, limit=51)
        whole, by_index = await read_since(connection, before)
    assert len(rows) == 51
    assert whole == 0
    assert by_index < 2_500 < COMMANDS / 20


@pytest.mark.parametrize("kind", KINDS)
async def test_dead_letters_are_read_from_the_principals_own_clients(big: Database, kind: str) -> None:
    async with big.transaction() as connection:
        before = await rows_read(connection)
        await dead_letters.page(connection, dead_letters.Filter(), scope_of(KINDS[kind]), before=None, limit=51)
        await dead_letters.summary(connection, dead_letters.Filter(), scope_of(KINDS[kind]), most=10)
        whole, by_index = await read_since(connection, before)
    assert whole == 0
    assert by_index < 1_000


_SCHEDULES = b"""
    INSERT INTO schedules (
        id, name, cron, time_zone, request, document_ids, misfire, grace_s, enabled, runs_as, created_by, created_at,
        updated_at, version
    )
    SELECT
        gen_random_uuid(), 'nightly ' || n, '0 3 * * *', 'UTC',
        json_build_object('command', json_build_object('action', 'print'), 'target', (ARRAY[
            json_build_object('all', true),
            json_build_object('zone', 'z-' || n),
            json_build_object('group', 'g-' || n),
            json_build_object('tags', json_build_object('all', ARRAY['t-' || n], 'any', ARRAY['all', 'none'])),
            json_build_object('clients', ARRAY['pc-' || n * 20, 'pc-' || n * 20 + 1])
        ])[1 + n % 5]),
        '{}', 'skip', 60, false, gen_random_uuid(), gen_random_uuid(), now(), now(), 1
    FROM generate_series(0, 999) AS n
"""


async def test_schedules_of_others_cost_a_look_at_their_first_client(big: Database) -> None:
    """1,000 schedules that others have made; the principal has been granted the zone of one of them."""
    async with big.transaction() as connection:
        await connection.execute(_SCHEDULES)
        who = UUID(int=199)
        await connection.execute(
            b"UPDATE grants SET target_kind = 'zone', target = 'z-101', tags = NULL WHERE principal_id = %s", (who,)
        )
        before = await rows_read(connection)
        found = await schedules.page(connection, Scope(who), before=None, name=None, enabled=None, limit=51)
        whole, by_index = await read_since(connection, before)
    assert [schedule.name for schedule in found] == ["nightly 101"]
    # 200 of them mean every client, and 200 those with tags: neither goes through 10,000 for each.
    assert whole + by_index < 40_000


@pytest.mark.parametrize("kind", KINDS)
async def test_a_submit_looks_a_few_rows_up(big: Database, kind: str) -> None:
    number = KINDS[kind]
    wanted = [
        new_command(f"pc-{each}", created_by=UUID(int=number), limited=True)
        for each in (number * 20, number * 20 + 100)
    ]
    async with big.transaction() as connection:
        before = await rows_read(connection)
        verdicts = await submit(connection, wanted)
        whole, by_index = await read_since(connection, before)
    assert [verdict.refusal for verdict in verdicts] == [None, "client_not_found"]
    assert whole == 0
    assert by_index < 100


async def test_whoever_reaches_everything_is_not_judged(big: Database) -> None:
    async with big.transaction() as connection:
        before = await rows_read(connection)
        assert [v.refusal for v in await submit(connection, [new_command("pc-5", created_by=PRINCIPAL)])] == [None]
        now = await rows_read(connection)
    assert {name for name in now if now[name] != before.get(name)} <= {
        *("clients", "client_permissions", "client_sessions", "client_usage", "client_lanes", "commands"),
    }

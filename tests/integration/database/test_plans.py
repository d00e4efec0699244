"""The statements that run all the time read their indexes, however many finished commands lie in the table."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from hub.core.access.rules import EVERYTHING
from hub.core.clients.store import clients
from hub.core.commands.rules import lanes, lifecycle
from hub.core.commands.store import dispatch
from hub.database import model
from hub.database.engine import Database
from hub.database.statements import statement
from tests.support import postgres
from tests.support.factories import JOURNAL, PRINCIPAL, add_client, add_commands, claim, new_command

pytestmark = pytest.mark.each_postgres

CLIENTS = [f"pc-{n:02}" for n in range(20)]
FINISHED = int(os.environ.get("FLOORHUB_TEST_FINISHED", "200000"))

_INDEXES = b"""
    SELECT indexname, indexdef FROM pg_indexes
    WHERE tablename = 'commands' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
"""
_FILL = b"""
    INSERT INTO commands (
        id, client_id, action, lane, payload, document_ids, priority, status, version, attempt, max_retries, scheduled,
        expires_at, timeout_s, on_interrupt, when_offline, tags, created_by, created_at, sends, cancel_sends,
        finished_at, order_key, unknown_reason, dead_letter_reason, dead_letter_closed_at, batch_id
    )
    SELECT
        gen_random_uuid(), 'pc-' || lpad((n %% 20)::text, 2, '0'), 'print', 'printer:p' || n %% 4, '{}', '{}',
        1 + n %% 10, CASE WHEN n %% 50 = 0 THEN 'unknown' ELSE 'completed' END, 4, 1, 3, false,
        now(), 60, 'unknown', 'queue', '{}', %s, now(), 1, 0,
        now(), CASE WHEN n %% 2 = 0 THEN 'order-' || n / 4 END,
        CASE WHEN n %% 50 = 0 THEN 'no_word' END, CASE WHEN n %% 50 = 0 THEN 'unknown' END,
        CASE WHEN n %% 50 = 0 THEN now() END, CASE WHEN n %% 2 = 1 THEN %s END
    FROM generate_series(1, %s) AS n
"""
_BATCH = b"""
    INSERT INTO batches (id, created_by, created_at, target, status, total, max_failures)
    VALUES (%s, %s, now(), '{}', 'running', 1, 1)
"""
BATCH = UUID("0192f0c1-0000-7000-8000-0000000000ba")
PENDING = UUID("0192f0c1-0000-7000-8000-0000000000bb")
"""A command that waits, behind others of its order key and its lane."""


@pytest.fixture(scope="module")
def full_database_url(postgres_server: str, database_template: str) -> Iterator[str]:
    """A database of its own for this module, which only reads it."""
    with postgres.fresh_database(postgres_server, database_template) as url:
        yield url


@pytest.fixture
async def empty_database(database: Database) -> Database:
    """Tables that never held anything, of which Postgres knows nothing yet."""
    async with database.connection() as connection:
        cursor = await connection.execute(b"SELECT reltuples FROM pg_class WHERE relname = 'commands'")
        assert await cursor.fetchone() == {"reltuples": -1}, "never counted"
    return database


@pytest.fixture(scope="module")
async def full_database(full_database_url: str) -> AsyncIterator[Database]:
    """20 clients with 200,000 finished commands and, each, 20 that wait and some that were handed out."""
    database = Database(full_database_url)
    await database.open()
    for client_id in CLIENTS:
        await add_client(database, client_id)
    # Without the hub's deadlines: a million rows take longer.
    opened = AsyncConnection.connect(full_database_url, autocommit=True, row_factory=dict_row)
    async with await opened as connection:
        # Indexes are faster made than kept while so many rows come in.
        cursor = await connection.execute(_INDEXES)
        indexes = await cursor.fetchall()
        for index in indexes:
            await connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(index["indexname"])))
        await connection.execute(_FILL, (PRINCIPAL, BATCH, FINISHED))
        await connection.execute(_BATCH, (BATCH, PRINCIPAL))
        for index in indexes:
            await connection.execute(index["indexdef"].encode())
    for client_id in CLIENTS:
        await add_commands(
            database,
            [
                new_command(
                    client_id,
                    payload={"printer": f"p{n % 4}"},
                    priority=1 + n % 8,
                    order_key=f"key-{n}",
                    batch_id=BATCH if n % 4 == 0 else None,
                )
                for n in range(20)
            ],
        )
    await add_commands(database, [new_command(CLIENTS[0], payload={"printer": "p0"}, id=PENDING, order_key="key-19")])
    await claim(database, *CLIENTS)
    async with database.connection() as connection:
        await connection.execute(b"ANALYZE")
    yield database
    await database.close()


STATEMENTS: dict[str, tuple[bytes, dict[str, Any], set[str]]] = {
    "claim": (
        statement("core/commands/dispatch", "claim"),
        {
            "client_ids": None,
            "per_lane": lanes.PER_LANE,
            "per_client": lanes.PER_CLIENT,
            "urgent": lanes.URGENT_PRIORITY,
            "oldest_every": lanes.OLDEST_EVERY,
            "lease_s": dispatch.FIRST_LEASE_S,
            "grace_s": lifecycle.NO_WORD_GRACE.total_seconds(),
        },
        {"commands_due", "commands_handed_out", "commands_order_key"},
    ),
    "clients_with_work": (statement("core/commands/dispatch", "clients_with_work"), {}, {"commands_due"}),
    "resend": (statement("core/commands/dispatch", "resend"), {"most": 500}, {"commands_lease"}),
    "resend_cancels": (statement("core/commands/dispatch", "resend_cancels"), {"most": 500}, {"commands_cancel_lease"}),
    "wake_scheduled": (statement("core/commands/dispatch", "wake_scheduled"), {"most": 500}, {"commands_scheduled"}),
    "next_due": (statement("core/commands/dispatch", "next_due"), {}, {"commands_scheduled", "commands_deadline"}),
    "lock_overdue": (statement("core/commands/transitions", "lock_overdue"), {"most": 500}, {"commands_deadline"}),
    "lock_handed_out": (
        statement("core/commands/transitions", "lock_handed_out"),
        {"client_id": CLIENTS[0]},
        {"commands_handed_out"},
    ),
    "look at batches": (
        statement("features/batches", "look"),
        {"after": None, "most": 500},
        {"commands_batch_open", "commands_batch_failed"},
    ),
    "hold a batch": (statement("features/batches", "hold"), {"id": BATCH}, {"commands_batch_open"}),
    "release a batch": (
        statement("features/batches", "release"),
        {"id": BATCH, "shift": True, "paused_at": datetime.now(UTC)},
        {"commands_batch_open"},
    ),
    "cancel a batch": (statement("features/batches", "to_cancel"), {"id": BATCH, "most": 500}, {"commands_batch_open"}),
    "offer_again": (
        statement("core/commands/dispatch", "offer_again"),
        {"client_id": CLIENTS[0], "journal": JOURNAL},
        {"commands_handed_out", "commands_no_word"},
    ),
}


STATEMENTS |= {
    "find a client": (*model.compiled(clients._CLIENT, {"client_id": CLIENTS[0]}), {"commands_handed_out"}),
    "find commands": (
        statement("core/commands/commands", "find"),
        {"ids": [BATCH], "want": "read", **EVERYTHING.parameters},
        {"commands_replay_of"},
    ),
    "find replays": (statement("features/dead_letters", "replays"), {"ids": [BATCH]}, {"commands_replay_of"}),
    "explain": (
        statement("features/explain", "facts"),
        {"ids": [PENDING]},
        {"commands_due", "commands_handed_out", "commands_order_key"},
    ),
    "what is stalled": (
        statement("features/explain", "stalled"),
        {"longer_than_s": 0, "most": 50},
        {"commands_due"},
    ),
}


OLD = datetime(2020, 1, 1, tzinfo=UTC)
STATEMENTS |= {
    "submit": (
        statement("core/commands/submit", "submit"),
        {"rows": Jsonb([new_command(CLIENTS[0], document_ids=[BATCH])])},
        set(),
    ),
    "lock": (
        statement("core/commands/transitions", "lock"),
        {"ids": [BATCH], "report_ids": [BATCH]},
        {"commands_pkey"},
    ),
    "apply": (
        statement("core/commands/transitions", "apply"),
        {"rows": Jsonb([{"id": str(BATCH), "from_status": "queued", "logs": []}]), "awaited": [BATCH]},
        {"commands_pkey"},
    ),
    "find ended": (statement("core/commands/commands", "ended"), {"ids": [BATCH]}, {"commands_pkey"}),
    "clean up: look": (
        statement("features/retention", "look_at_commands"),
        {"after": UUID(int=0), "before": UUID(int=2**127), "most": 250},
        {"commands_pkey"},
    ),
    "clean up: hold": (
        statement("features/retention", "hold_commands"),
        {"ids": [BATCH], "versions": [1]},
        {"commands_pkey"},
    ),
    "clean up: delete": (statement("features/retention", "delete_commands"), {"ids": [BATCH]}, {"commands_pkey"}),
    "clean up: batches": (
        statement("features/retention", "look_at_batches"),
        {"after": UUID(int=0), "before": UUID(int=2**127), "finished_before": OLD, "most": 250},
        {"commands_batch"},
    ),
    "clean up: documents": (
        statement("features/retention", "named_documents"),
        {"ids": [BATCH]},
        {"commands_deadline", "commands_dead_letters_client"},
    ),
}
OTHER_TABLES = {
    ("core/access/idempotency", "delete_idempotency_keys"): ({"before": OLD, "most": 250}, "idempotency_keys_created"),
    ("core/access/sessions", "delete_sessions"): ({"before": OLD, "most": 250}, "sessions_expires"),
    ("core/access/sessions", "delete_refresh_tokens"): ({"before": OLD, "most": 250}, "refresh_tokens_expires"),
    ("core/access/sessions", "by_id"): ({"id": BATCH}, "sessions_pkey"),
    ("core/access/sessions", "by_cookie"): ({"sha256": b"x"}, "sessions_cookie_sha256_key"),
    ("core/access/people", "delete_links"): ({"before": OLD, "most": 250}, "one_time_links_expires"),
    ("core/access/throttle", "delete_failures"): ({"before": OLD, "most": 250}, "sign_in_failures_resets"),
    ("core/commands/transitions", "delete_quarantine"): ({"before": OLD, "most": 250}, "report_quarantine_at"),
    ("core/presence", "delete_history"): ({"before": OLD, "most": 250}, "client_status_history_at"),
    ("core/audit/seals", "unsealed"): (
        {"high": 1, "lows": [1], "highs": [2], "most": 250, "block": 1},
        "audit_logs_pkey",
    ),
    ("core/commands/submit", "suspect"): (
        {"client_ids": [CLIENTS[0]], "addresses": ["192.0.2.7"]},
        "client_usage_pkey",
    ),
    ("core/audit/seals", "from"): ({"number": 1, "most": 250}, "audit_seals_pkey"),
    ("core/audit/recording", "delete_security_events"): ({"before": OLD, "most": 250}, "security_events_at"),
    ("features/retention", "hold_documents"): ({"before": OLD, "most": 20}, "documents_used"),
    ("features/retention", "delete_logs"): ({"ids": [BATCH]}, "command_logs_pkey"),
    ("features/schedules", "due"): ({"most": 100, "after_at": OLD, "after_id": BATCH}, "schedules_next"),
    ("features/schedules", "lock_due"): ({"id": BATCH, "version": 1, "next_at": OLD}, "schedules_pkey"),
}


@pytest.mark.parametrize(("subject", "name"), OTHER_TABLES)
async def test_clean_up_and_schedules_read_only_indexes_of_the_other_tables(
    empty_database: Database, subject: str, name: str
) -> None:
    parameters, index = OTHER_TABLES[subject, name]
    async with empty_database.connection() as connection, connection.transaction(force_rollback=True):
        cursor = await connection.execute(b"EXPLAIN (FORMAT JSON) " + statement(subject, name), parameters)
        answer = await cursor.fetchone()
    assert answer is not None
    nodes = list(_nodes(answer["QUERY PLAN"][0]["Plan"]))
    assert index in {node.get("Index Name") for node in nodes}
    assert "Seq Scan" not in {node["Node Type"] for node in nodes}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


_LOCKED = b"SELECT set_config('floorhub.locked_clients', %s, true)"
"""What the first statement of a claim leaves to the second."""


async def _plan(database: Database, name: str, explain: bytes) -> list[dict[str, Any]]:
    """The nodes of a statement's plan; what it did is taken back."""
    query, parameters, _ = STATEMENTS[name]
    async with database.connection() as connection, connection.transaction(force_rollback=True):
        await connection.execute(_LOCKED, (",".join(CLIENTS),))
        cursor = await connection.execute(explain + query, parameters)
        answer = await cursor.fetchone()
    assert answer is not None
    plan = answer["QUERY PLAN"]
    return list(_nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))


@pytest.mark.parametrize("name", STATEMENTS)
async def test_it_reads_its_indexes_and_never_the_whole_table(full_database: Database, name: str) -> None:
    indexes = STATEMENTS[name][2]
    nodes = await _plan(full_database, name, b"EXPLAIN (ANALYZE, FORMAT JSON) ")
    scans = [node["Node Type"] for node in nodes if node.get("Relation Name") == "commands"]
    assert "Seq Scan" not in scans
    assert indexes <= {node.get("Index Name") for node in nodes}
    # An index alone proves little: what it returns must not grow with the finished commands either.
    read = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0))
        * node["Actual Loops"]
        for node in nodes
        if node["Node Type"] in ("Index Scan", "Index Only Scan", "Bitmap Heap Scan")
        and node.get("Relation Name") == "commands"
    )
    assert read < FINISHED / 50
    if name == "claim":
        assert read > 0  # The clients were those that the first statement had locked.


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_plan_made_while_the_tables_were_empty_reads_the_same_indexes(
    empty_database: Database, name: str
) -> None:
    # Plans are kept for the life of a connection: this one would otherwise read all that a client ever had.
    indexes = STATEMENTS[name][2]
    nodes = await _plan(empty_database, name, b"EXPLAIN (FORMAT JSON) ")
    used = {node["Index Name"] for node in nodes if node.get("Index Name", "").startswith("commands_")}
    assert indexes <= used <= indexes | {"commands_pkey"}

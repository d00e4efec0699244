"""What a restored database is told of the time since its backup: each end, each retirement, each time of a schedule."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.core.clients.store import clients
from hub.core.commands.rules.lifecycle import CancelRequested, Reported, decide
from hub.core.commands.store import transitions
from hub.database.engine import Database
from hub.programs.backup import losses
from hub.programs.backup.carrying import Carried, carry
from hub.programs.cli.backups import next_time
from schemas.states import Level, ReportStatus
from tests.support import postgres
from tests.support.factories import PRINCIPAL, add_client, add_commands, claim, new_command

SCHEDULE = """
    INSERT INTO schedules (id, name, cron, time_zone, request, document_ids, misfire, grace_s, enabled, next_at,
        runs_as, created_by, created_at, updated_at, version)
    VALUES (gen_random_uuid(), %s, '0 6 * * *', 'UTC', '{}', '{}', 'once', 86400, true, now() - interval '1 hour',
        gen_random_uuid(), gen_random_uuid(), now(), now(), 1)
"""


@contextmanager
def backup_of(server: str, url: str) -> Iterator[str]:
    """The URL of a copy of a database as it is now, to which nobody may be connected."""
    with postgres.fresh_database(server, psycopg.conninfo.conninfo_to_dict(url)["dbname"]) as copy:
        yield copy


def rows(url: str, query: str, *values: Any) -> list[dict[str, Any]]:
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        cursor = connection.execute(query.encode(), values)
        return cursor.fetchall() if cursor.description else []


def command(url: str, one: UUID) -> dict[str, Any]:
    [found] = rows(url, "SELECT * FROM commands WHERE id = %s", one)
    return found


async def happen(database: Database, one: UUID, *events: Any) -> None:
    async with database.transaction() as connection:
        locked = (await transitions.lock(connection, [one]))[one]
        for event in events:
            locked.fold(decide(locked.state, event, locked.now))
        await transitions.apply(connection, [locked])


COMPLETED = Reported(ReportStatus.COMPLETED, 1, result={"data": {"pages": 2}})
RETRIED = Reported(ReportStatus.FAILED, 1, retryable=True, error={"code": "busy"}, chance=0.0)


async def test_what_became_of_a_command_since_the_backup_stays_so(postgres_server: str, database_url: str) -> None:
    async with postgres.opened(Database(database_url)) as hub:
        await add_client(hub)
        await add_client(hub, "pda", level=Level.BASIC)
        lanes = ["a", "b", "c", "d", "e", "f"]
        ids = await add_commands(hub, [new_command(lane=lane) for lane in lanes])
        cancelled, completed, retried, asked, decided, waits = ids
        [held] = await add_commands(hub, [new_command("pda", on_interrupt="rerun")])
        [gone] = await add_commands(hub, [new_command("pda", lane="z", on_interrupt="rerun")])
        await claim(hub, "front-pc")
        [late] = await add_commands(hub, [new_command(lane="g")])
        await happen(hub, decided, Reported(ReportStatus.UNKNOWN, 1))
    rows(database_url, "UPDATE commands SET status = 'pending' WHERE id = ANY (%s)", [cancelled, waits])
    with backup_of(postgres_server, database_url) as restored:
        async with postgres.opened(Database(database_url)) as hub:
            await happen(hub, cancelled, CancelRequested())
            await happen(hub, completed, COMPLETED)
            await happen(hub, retried, RETRIED)
            await happen(hub, asked, CancelRequested())
            await claim(hub, "pda")
        rows(database_url, "UPDATE commands SET dead_letter_closed_at = now() WHERE id = %s", decided)
        rows(database_url, "DELETE FROM commands WHERE id = %s", gone)

        carried = carry(restored, database_url, next_time)

        assert carried.commands >= 4
        assert carried.unknown == 1
        for one in (*ids, held, late):
            assert command(restored, one) == command(database_url, one)
        assert command(restored, cancelled)["status"] == "cancelled"
        assert command(restored, completed)["result"] == {"data": {"pages": 2}}
        assert (command(restored, retried)["status"], command(restored, retried)["attempt"]) == ("pending", 2)
        assert command(restored, asked)["cancel_requested_at"] is not None
        assert command(restored, waits)["status"] == "pending"
        assert command(restored, gone)["unknown_reason"] == "restored", "clean-up took it, so it had ended"
        log = "SELECT * FROM command_logs WHERE command_id <> %s ORDER BY command_id, version"
        assert rows(restored, log, gone) == rows(database_url, log, gone)


async def test_who_was_retired_disabled_or_given_a_secret_stays_so(
    postgres_server: str, database_url: str, tmp_path: Path
) -> None:
    async with postgres.opened(Database(database_url)) as hub:
        for name in ("retired", "disabled", "rotated", "same"):
            await add_client(hub, name)
    rows(database_url, "INSERT INTO broker_outbox (at, client_id, change) SELECT now(), id, 'put' FROM clients")
    rows(
        database_url,
        "INSERT INTO principals (id, kind, name, role, created_at) "
        "VALUES (%s, 'integration', 'shop', 'operator', now())",
        PRINCIPAL,
    )
    for prefix in ("old", "stays"):
        rows(
            database_url,
            "INSERT INTO api_keys (id, principal_id, prefix, sha256, created_at) "
            "VALUES (gen_random_uuid(), %s, %s, %s, now())",
            PRINCIPAL,
            prefix,
            prefix.encode(),
        )
    batch = "INSERT INTO batches (id, created_by, created_at, target, status, total) "
    rows(database_url, batch + "VALUES (gen_random_uuid(), %s, now(), '{}', 'running', 1)", PRINCIPAL)
    with backup_of(postgres_server, database_url) as restored:
        async with postgres.opened(Database(database_url)) as hub, hub.transaction() as connection:
            await clients.retire(connection, "retired")
            await clients.set_status(connection, "disabled", "disabled")
            await clients.set_secret(connection, "rotated", secret_sha256=b"new", password="p", salt="s", iterations=2)
        rows(database_url, "UPDATE api_keys SET revoked_at = now() WHERE prefix = 'old'")
        rows(
            database_url,
            "INSERT INTO api_keys (id, principal_id, prefix, sha256, created_at) "
            "VALUES (gen_random_uuid(), %s, 'since', 'since', now())",
            PRINCIPAL,
        )
        rows(database_url, "UPDATE batches SET status = 'paused', paused_at = now(), stop_reason = 'requested'")

        carried = carry(restored, database_url, next_time)

        assert carried.clients == {"retired": "retired", "disabled": "disabled"}
        assert (carried.secrets, carried.api_keys) == (["rotated"], ["old"])
        for query in ("SELECT * FROM clients ORDER BY id", "SELECT * FROM batches ORDER BY id"):
            assert rows(restored, query) == rows(database_url, query)
        waiting = rows(restored, "SELECT client_id, change FROM broker_outbox WHERE done_at IS NULL ORDER BY id")
        assert [(row["client_id"], row["change"]) for row in waiting] == [
            ("same", "put"),
            ("disabled", "disable"),
            ("retired", "remove"),
        ]
        revoked = rows(restored, "SELECT prefix FROM api_keys WHERE revoked_at IS NOT NULL")
        assert [row["prefix"] for row in revoked] == ["old"]
        [now] = rows(restored, "SELECT now() AS now")
        lost = losses.compare(database_url, restored, now["now"], tmp_path / "lost.jsonl")
        assert lost.api_keys == ["shop (since)"]
        assert (lost.secrets, lost.clients, lost.schedules) == ([], [], [])


def test_a_time_that_a_schedule_has_fired_for_does_not_come_again(postgres_server: str, database_url: str) -> None:
    for name in ("fired", "removed", "disabled", "changed"):
        rows(database_url, SCHEDULE, name)
    with backup_of(postgres_server, database_url) as restored:
        rows(
            database_url,
            "UPDATE schedules SET last_at = next_at, next_at = now() + interval '2 hours' "
            "WHERE name IN ('fired', 'changed')",
        )
        rows(database_url, "UPDATE schedules SET cron = '5 7 * * *' WHERE name = 'changed'")
        rows(database_url, "UPDATE schedules SET enabled = false, next_at = NULL WHERE name = 'disabled'")
        rows(database_url, "DELETE FROM schedules WHERE name = 'removed'")

        carried = carry(restored, database_url, next_time)

        there = {row["name"]: row for row in rows(restored, "SELECT * FROM schedules")}
        [fired] = rows(database_url, "SELECT * FROM schedules WHERE name = 'fired'")
        [now] = rows(restored, "SELECT now() AS now")
        assert there["fired"] == fired
        assert (carried.removed, carried.missed) == (["removed"], [])
        assert (there["removed"]["enabled"], there["removed"]["next_at"]) == (False, None)
        assert (there["disabled"]["enabled"], there["disabled"]["next_at"]) == (False, None)
        assert there["changed"]["next_at"] > now["now"]
        assert (there["changed"]["next_at"].hour, there["changed"]["cron"]) == (6, "0 6 * * *")


async def test_without_the_database_of_before_nothing_is_done_that_may_have_been_done(
    postgres_server: str, database_url: str
) -> None:
    async with postgres.opened(Database(database_url)) as hub:
        await add_client(hub)
        await add_client(hub, "pda", level=Level.BASIC)
        [full] = await add_commands(hub, [new_command()])
        basic, again = await add_commands(hub, [new_command("pda"), new_command("pda", lane="b", on_interrupt="rerun")])
    rows(database_url, SCHEDULE, "due")

    carried = carry(database_url, None, next_time)

    assert carried == Carried(unknown=1, missed=["due"])
    assert command(database_url, basic)["unknown_reason"] == "restored"
    assert [command(database_url, one)["status"] for one in (full, again)] == ["pending", "pending"]
    [due] = rows(database_url, "SELECT next_at > now() AS ahead, last_error, last_at < now() AS past FROM schedules")
    assert due == {"ahead": True, "last_error": "missed", "past": True}
    async with postgres.opened(Database(database_url)) as hub, hub.transaction() as connection:
        assert [one.id for one in await transitions.lock_restored(connection, "front-pc")] == [full]
        assert (await transitions.lock(connection, [full]))[full].state.restored
    async with postgres.opened(Database(database_url)) as hub:
        [later] = await add_commands(hub, [new_command(lane="b")])
        await claim(hub, "front-pc")
        async with hub.transaction() as connection:
            assert await transitions.lock_restored(connection, "front-pc") == []
            assert not (await transitions.lock(connection, [later]))[later].state.restored


@pytest.mark.parametrize("missing", ["command", "audit"])
async def test_a_database_that_ends_before_the_backup_is_not_believed(
    postgres_server: str, database_url: str, missing: str
) -> None:
    """Another backup was restored by mistake: it shows as pending what has been done since."""
    async with postgres.opened(Database(database_url)) as hub:
        await add_client(hub, "pda", level=Level.BASIC)
        [pending] = await add_commands(hub, [new_command("pda")])
    with backup_of(postgres_server, database_url) as older:
        async with postgres.opened(Database(database_url)) as hub:
            if missing == "command":
                await add_commands(hub, [new_command("pda")])
        if missing == "audit":
            rows(database_url, "INSERT INTO audit_logs (at, action, resource) VALUES (now(), 'x', 'y')")

        assert carry(database_url, older, next_time).unknown == (2 if missing == "command" else 1)
        assert command(database_url, pending)["status"] == "unknown"

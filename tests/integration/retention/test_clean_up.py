"""Clean-up on a real database: what goes, what never goes, and what a crash or a second worker does to it."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from hub.core.access.rules import EVERYTHING
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.reports import Arrived, Reports
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.store import dispatch
from hub.core.commands.store.submit import submit
from hub.core.documents.store import documents
from hub.database.engine import Database
from hub.errors import UnavailableError
from hub.features.retention import store as retention
from hub.features.retention.rules import first_id_of
from hub.features.retention.service.archive import Archive, ArchiveError
from hub.features.retention.service.retention import Retention
from hub.telemetry.log import Log
from schemas.messages import Report
from schemas.states import ReportStatus
from tests.support.audit import Trail
from tests.support.factories import PRINCIPAL, add_client, add_document, new_command
from tests.support.features import retention as built
from tests.support.hubs import command_metrics
from tests.support.recording_ports import RecordingPorts

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
KINDS = [
    *("security", "audit", "keys", "quarantine", "presence", "broker_changes"),
    *("commands", "batches", "documents"),
    *("sessions", "refresh_tokens", "links", "sign_in_failures", "pairings", "enrolments"),
]
Shift = Callable[[str], Awaitable[Database]]


def cleaning(database: Database, folder: Path | None, trail: Trail | None = None) -> Retention:
    return built(database, folder, trail)


def lines(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for file in folder.glob(f"{kind}-*.jsonl") for line in file.read_text().splitlines()]


async def value(database: Database, query: str, *parameters: object) -> Any:
    async with database.connection() as connection:
        row = await (await connection.execute(query.encode(), parameters)).fetchone()
    return None if row is None else next(iter(row.values()))


async def execute(database: Database, query: str, *parameters: object) -> None:
    async with database.connection() as connection:
        await connection.execute(query.encode(), parameters)


_ENDED = """
    INSERT INTO commands (
        id, client_id, action, lane, payload, document_ids, priority, status, version, attempt, max_retries, scheduled,
        expires_at, timeout_s, on_interrupt, when_offline, tags, created_by, created_at, sends, cancel_sends,
        finished_at, dead_letter_reason, dead_letter_closed_at, batch_id, deadline_at
    )
    SELECT i.id, 'front-pc', 'print', 'printer:p', '{"copies": 1}', %s, 5, %s, 2, 1, 3, false, %s, 60, 'unknown',
        'queue', '{}', %s, %s, 1, 0, %s, %s, %s, %s, %s
    FROM unnest(%s::uuid[]) AS i (id)
"""
_LOGS = """
    INSERT INTO command_logs (command_id, version, at, event, status, attempt)
    SELECT i.id, v, %s, 'x', 'completed', 1 FROM unnest(%s::uuid[]) AS i (id), generate_series(1, 2) AS v
"""


async def ended(
    database: Database,
    at: datetime,
    *,
    number: int = 1,
    status: str = "completed",
    finished: bool = True,
    reason: str | None = None,
    closed_at: datetime | None = None,
    batch_id: UUID | None = None,
    document_ids: tuple[UUID, ...] = (),
) -> list[UUID]:
    """Commands of which all that happened did so at `at`, their ids included."""
    first = first_id_of(at - SECOND).int | 7 << 76 | 2 << 62
    ids = [UUID(int=first + random.getrandbits(60)) for _ in range(number)]
    when = at if finished else None
    deadline = None if finished else at + 1000 * DAY
    await execute(
        database,
        _ENDED,
        *(list(document_ids), status, at, PRINCIPAL, at, when, reason, closed_at, batch_id, deadline, ids),
    )
    await execute(database, _LOGS, at, ids)
    return ids


async def sign_in(database: Database, kind: str, at: datetime) -> None:
    """A session, a refresh token of another one, a link, and a count of failures that fall due at a time."""
    hour, named = timedelta(hours=1), kind.encode()
    await execute(
        database,
        "INSERT INTO principals (id, kind, name, role, created_at) VALUES (%s, 'user', 'p', 'viewer', %s) "
        "ON CONFLICT DO NOTHING",
        *(PRINCIPAL, at),
    )
    for session_id, expires_at, agent in ((uuid7(), at - 7 * DAY, kind), (_USED, at + 90 * DAY, "used")):
        await execute(
            database,
            "INSERT INTO sessions (id, principal_id, kind, user_agent, created_at, seen_at, confirmed_at, expires_at) "
            "VALUES (%s, %s, 'token', %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            *(session_id, PRINCIPAL, agent, at, at, at, expires_at),
        )
    await execute(database, "INSERT INTO refresh_tokens VALUES (%s, %s, %s, %s, NULL)", *(named, _USED, at, at - hour))
    await execute(
        database, "INSERT INTO one_time_links VALUES (%s, 'password', %s, %s, %s)", *(named, PRINCIPAL, at, at - hour)
    )
    await execute(database, "INSERT INTO sign_in_failures VALUES (%s, 3, %s)", *(named, at - hour))


async def pair(database: Database, kind: str, expired_at: datetime) -> None:
    """A code for a machine, and a token for several, that were good until a time."""
    of_a_client = (PRINCIPAL, expired_at - DAY, expired_at)
    await execute(
        database,
        "INSERT INTO pairings (id, code_hash, stretched_hash, token_sha256, client_id, replaces, tags, groups, policy, "
        "tries, created_by, created_at, expires_at) "
        "VALUES (%s, %s, %s, %s, 'pc-9', false, '{}', '{}', '{}', 0, %s, %s, %s)",
        *(uuid7(), *[kind.encode()] * 3, *of_a_client),
    )
    await execute(
        database,
        "INSERT INTO enrolments (id, token_sha256, name, naming, tags, groups, policy, most, used, created_by, "
        "created_at, expires_at) VALUES (%s, %s, %s, 'pc', '{}', '{}', '{}', 1, 0, %s, %s, %s)",
        *(uuid7(), kind.encode(), kind, *of_a_client),
    )


_USED = uuid7()
"""A session whose tokens are used up."""


async def left(database: Database) -> set[UUID]:
    async with database.connection() as connection:
        cursor = await connection.execute(b"SELECT id FROM commands")
        return {row["id"] for row in await cursor.fetchall()}


@pytest.fixture
async def now(database: Database) -> datetime:
    await add_client(database, "front-pc")
    moment: datetime = await value(database, "SELECT floorhub_now()")
    return moment


async def test_each_kind_goes_right_after_its_period_and_not_before(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    old, young = 60 * SECOND, -60 * SECOND
    trail = Trail(database, tmp_path / "data")
    for kind, period in (("old", old), ("young", young)):
        await execute(
            database,
            "INSERT INTO idempotency_keys VALUES (%s, 'r', %s, 'x', %s, %s)",
            *(PRINCIPAL, kind, uuid7(), now - DAY - period),
        )
        await execute(
            database,
            "INSERT INTO report_quarantine (client_id, at, reason, report) VALUES ('front-pc', %s, %s, 'text')",
            *(now - 30 * DAY - period, kind),
        )
        await execute(
            database,
            "INSERT INTO client_status_history (client_id, at, presence, reason) VALUES ('front-pc', %s, 'online', %s)",
            *(now - 90 * DAY - period, kind),
        )
        await execute(
            database,
            "INSERT INTO audit_logs (at, action, resource) VALUES (%s, %s, 'x')",
            *(now - 1095 * DAY - period, kind),
        )
        await trail.seal()  # the two are in blocks of their own: a block goes as a whole
        await execute(
            database, "INSERT INTO security_events (at, kind) VALUES (%s, %s)", *(now - 1095 * DAY - period, kind)
        )
        await execute(
            database,
            "INSERT INTO broker_outbox (at, client_id, change, done_at) VALUES (%s, %s, 'put', %s)",
            *(now - 1200 * DAY, kind, now - 1095 * DAY - period),
        )
        await execute(
            database,
            "INSERT INTO batches (id, created_by, created_at, target, status, total, stop_reason, finished_at) "
            "VALUES (%s, %s, %s, '{}', 'finished', 1, NULL, %s)",
            *(first_id_of(now - 100 * DAY - period), PRINCIPAL, now, now - 90 * DAY - period),
        )
        await sign_in(database, kind, now - period)
        await pair(database, kind, now - DAY - period)
        await execute(
            database,
            "INSERT INTO documents VALUES (%s, 'x', 1, 'text/plain', %s, %s, %s, %s)",
            *(uuid7(), kind, PRINCIPAL, now - 200 * DAY, now - 90 * DAY - period),
        )
    await ended(database, now - 90 * DAY - old)
    [young_command] = await ended(database, now - 90 * DAY - young)
    service = cleaning(database, tmp_path, trail)
    expected = dict.fromkeys(KINDS, 1)
    assert await service.preview() == expected
    assert await service.run(share=1) == expected
    for kind in ("keys", "quarantine", "presence", "broker_changes", "audit", "security", "documents"):
        [line] = lines(tmp_path, kind)
        assert "old" in json.dumps(line), kind
        assert line["id"]
    [line] = lines(tmp_path, "sessions")
    assert line["row"]["user_agent"] == "old"
    assert "cookie_sha256" not in line["row"]
    assert await value(database, "SELECT array_agg(user_agent ORDER BY user_agent) FROM sessions") == ["used", "young"]
    [line] = lines(tmp_path, "commands")
    assert line["row"]["payload"] == {"copies": 1}
    assert [log["version"] for log in line["logs"]] == [1, 2]
    assert await left(database) == {young_command}
    assert await value(database, "SELECT count(DISTINCT command_id) FROM command_logs") == 1
    assert await service.run(share=1) == dict.fromkeys(KINDS, 0)


async def test_a_client_keeps_the_last_word_about_its_presence(database: Database, now: datetime) -> None:
    await execute(database, "UPDATE client_status_history SET at = %s", now - 900 * DAY)
    assert await value(database, "SELECT count(*) FROM client_status_history") == 1
    counts = await cleaning(database, None).run(share=1)
    assert counts is not None
    assert counts["presence"] == 0


async def test_what_is_never_deleted(database: Database, now: datetime) -> None:
    long_ago = now - 900 * DAY
    batch = first_id_of(long_ago)
    await execute(
        database,
        "INSERT INTO batches (id, created_by, created_at, target, status, total) "
        "VALUES (%s, %s, %s, '{}', 'running', 1)",
        *(batch, PRINCIPAL, long_ago),
    )
    stays = [
        *await ended(database, long_ago, status="pending", finished=False),
        *await ended(database, long_ago, status="running", finished=False),
        *await ended(database, long_ago, status="failed", reason="failed"),
        *await ended(database, long_ago, status="failed", reason="failed", closed_at=now - DAY),
        *await ended(database, long_ago, batch_id=batch),
    ]
    await ended(database, long_ago, status="failed", reason="failed", closed_at=long_ago)
    counts = await cleaning(database, None).run(share=1)
    assert counts == dict.fromkeys(KINDS, 0) | {"commands": 1}
    assert await left(database) == set(stays)


async def test_a_batch_goes_when_its_last_command_has_gone(database: Database, now: datetime) -> None:
    batch = first_id_of(now - 200 * DAY)
    await execute(
        database,
        "INSERT INTO batches (id, created_by, created_at, target, status, total, finished_at) "
        "VALUES (%s, %s, %s, '{}', 'finished', 2, %s)",
        *(batch, PRINCIPAL, now, now - 100 * DAY),
    )
    await ended(database, now - 150 * DAY, batch_id=batch)
    [held] = await ended(database, now - 150 * DAY, batch_id=batch, status="failed", reason="failed")
    service = cleaning(database, None)
    assert await service.run(share=1) == dict.fromkeys(KINDS, 0) | {"commands": 1}
    await execute(database, "UPDATE commands SET dead_letter_closed_at = finished_at WHERE id = %s", held)
    assert await service.run(share=1) == dict.fromkeys(KINDS, 0) | {"commands": 1, "batches": 1}


async def test_a_batch_that_lost_its_commands_before_its_end_was_seen_is_left_alone(
    database: Database, now: datetime
) -> None:
    await execute(
        database,
        "INSERT INTO batches (id, created_by, created_at, target, status, total) "
        "VALUES (%s, %s, %s, '{}', 'running', 1)",
        *(first_id_of(now - 200 * DAY), PRINCIPAL, now),
    )
    assert await cleaning(database, None).run(share=1) == dict.fromkeys(KINDS, 0)
    assert await value(database, "SELECT count(*) FROM batches") == 1


async def document(database: Database, used_at: datetime) -> UUID:
    async with database.transaction() as connection:
        made = await add_document(connection)
    await execute(database, "UPDATE documents SET created_at = %s, used_at = %s WHERE id = %s", used_at, used_at, made)
    return made


async def test_a_document_stays_while_something_that_may_be_printed_names_it(database: Database, now: datetime) -> None:
    long_ago = now - 200 * DAY
    waiting, dead, printed, forgotten, named_again = [await document(database, long_ago) for _ in range(5)]
    await ended(database, long_ago, status="pending", finished=False, document_ids=(waiting,))
    await ended(database, long_ago, status="failed", reason="failed", document_ids=(dead,))
    await ended(database, now - DAY, document_ids=(printed,))
    async with database.connection() as connection:
        assert set(await documents.use(connection, [named_again], EVERYTHING)) == {named_again}
    counts = await cleaning(database, None).run(share=1)
    assert counts is not None
    assert counts["documents"] == 2
    async with database.connection() as connection:
        found = await documents.find(connection, [waiting, dead, printed, forgotten, named_again])
    assert set(found) == {waiting, dead, named_again}
    assert await value(database, "SELECT count(*) FROM document_chunks") == 3


async def test_a_document_that_is_being_named_is_left_alone(database: Database, now: datetime) -> None:
    named = await document(database, now - 200 * DAY)
    async with database.transaction() as connection:
        await documents.use(connection, [named], EVERYTHING)  # not committed yet
        counts = await cleaning(database, None).run(share=1)
    assert counts is not None
    assert counts["documents"] == 0
    assert await cleaning(database, None).run(share=1) == dict.fromkeys(KINDS, 0)


class StoppedError(Exception):
    """As if the process were gone."""


async def test_a_crash_between_archive_and_delete_repeats_lines_and_loses_none(
    database: Database, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await ended(database, now - 100 * DAY, number=3)
    append = Archive.append

    def crash(self: Archive, *arguments: Any) -> None:
        append(self, *arguments)
        raise StoppedError

    with monkeypatch.context() as crashing:
        crashing.setattr(Archive, "append", crash)
        with pytest.raises(StoppedError):
            await cleaning(database, tmp_path).run(share=1)
    assert await left(database) == set(ids)
    await cleaning(database, tmp_path).run(share=1)
    assert await left(database) == set()
    written = [line["id"] for line in lines(tmp_path, "commands")]
    assert sorted(written) == sorted([str(one) for one in ids] * 2)


async def test_without_its_archive_nothing_is_deleted(database: Database, now: datetime, tmp_path: Path) -> None:
    ids = await ended(database, now - 100 * DAY)
    (tmp_path / "file").touch()
    service = cleaning(database, tmp_path / "file")
    with pytest.raises(ArchiveError):
        await service.run(share=1)
    assert service.problem == "archive_unwritable"
    assert await left(database) == set(ids)
    (tmp_path / "file").unlink()
    await service.run(share=1)
    assert service.problem is None
    assert await left(database) == set()


async def test_of_two_workers_one_does_it(database: Database, now: datetime, tmp_path: Path) -> None:
    await ended(database, now - 100 * DAY, number=600)
    first, second = (cleaning(database, tmp_path) for _ in range(2))
    async with retention.alone(database) as connection:
        assert connection is not None
        assert await first.run(share=1) is None
    done = await asyncio.gather(first.run(share=1), second.run(share=1))
    assert sum(counts["commands"] for counts in done if counts is not None) == 600
    assert len(lines(tmp_path, "commands")) == 600


async def test_what_somebody_decides_about_just_now_is_left_for_later(database: Database, now: datetime) -> None:
    [one, _] = await ended(database, now - 100 * DAY, number=2, status="unknown")
    async with database.transaction() as connection:
        await connection.execute(b"SELECT FROM commands WHERE id = %s FOR UPDATE", (one,))
        await cleaning(database, None).run(share=1)
    assert await left(database) == {one}
    await cleaning(database, None).run(share=1)
    assert await left(database) == set()


async def test_submits_and_claims_wait_for_nothing_while_20000_go(database: Database, now: datetime) -> None:
    await ended(database, now - 100 * DAY, number=20_000)
    round_ = asyncio.create_task(cleaning(database, None).run(share=0.5))
    handed_out = 0
    async with database.connection() as connection:
        # Whoever had to wait for a lock at all would fail.
        await connection.execute(b"SET lock_timeout = '1ms'")
        while not round_.done():
            verdicts = await submit(connection, [new_command() for _ in range(5)])
            assert [verdict.refusal for verdict in verdicts] == [None] * 5
            async with connection.transaction():
                handed_out += len((await dispatch.claim(connection, ["front-pc"])).runs)
    counts = await round_
    assert counts is not None
    assert counts["commands"] == 20_000
    assert handed_out > 0
    assert await value(database, "SELECT count(*) FROM commands WHERE created_at < %s", now) == 0


async def test_a_late_report_about_a_deleted_command_gets_its_receipt_and_is_kept_for_people(
    database: Database, now: datetime
) -> None:
    [command_id] = await ended(database, now - 100 * DAY, status="unknown")
    await cleaning(database, None).run(share=1)
    ports = RecordingPorts()

    async def write(_: dict[UUID, float]) -> None: ...

    waiting = Waiting(database)
    reports = Reports(database, ports, ports, command_metrics(), Log(), random.Random(1), PubackTimes(write), waiting)  # noqa: S311
    report = Report(
        report_id=uuid7(), command_id=command_id, attempt=1, status=ReportStatus.COMPLETED, at=datetime.now(UTC)
    )
    await reports.apply([Arrived("front-pc", "session-1", 1, report)])
    assert ports.receipts == [report.report_id]
    assert await value(database, "SELECT reason FROM report_quarantine") == "unknown_command"


async def test_a_period_counts_by_the_database_s_clock(database: Database, now: datetime, shift_clock: Shift) -> None:
    ids = await ended(database, now)
    almost = await shift_clock("90 days -30 seconds")
    await cleaning(almost, None).run(share=1)
    assert await left(database) == set(ids)
    over = await shift_clock("90 days 30 seconds")
    await cleaning(over, None).run(share=1)
    assert await left(database) == set()


async def test_a_database_that_is_away_is_told_as_such() -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError):
        await cleaning(away, None).run(share=1)


def floorhub(database_url: str, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "FLOORHUB_DATABASE_URL": database_url, "FLOORHUB_DATA_DIR": str(folder), **settings}
    program = [sys.executable, "-m", "hub", "cleanup", *arguments]
    return subprocess.run(program, env=env, capture_output=True, text=True, timeout=60, check=False)


async def test_a_person_looks_first_and_then_lets_it_go(
    database: Database, database_url: str, now: datetime, tmp_path: Path
) -> None:
    ids = await ended(database, now - 100 * DAY, number=3)
    looked = await asyncio.to_thread(floorhub, database_url, tmp_path, "--dry-run", "--json")
    assert json.loads(looked.stdout)["rows"]["commands"] == 3, looked.stderr
    assert await left(database) == set(ids)
    assert await asyncio.to_thread(lambda: list(tmp_path.rglob("*.key"))) == [], "clean-up signs nothing"
    kept = await asyncio.to_thread(floorhub, database_url, tmp_path, FLOORHUB_KEEP_COMMANDS_DAYS="0")
    assert (kept.returncode, await left(database)) == (0, set(ids)), kept.stderr
    done = await asyncio.to_thread(floorhub, database_url, tmp_path)
    assert ["commands", "3"] in [line.split() for line in done.stdout.splitlines()], done.stderr
    assert await left(database) == set()
    assert {line["id"] for line in lines(tmp_path / "archive", "commands")} == {str(one) for one in ids}
    (tmp_path / "file").touch()
    no_archive = {"FLOORHUB_ARCHIVE_FOLDER": str(tmp_path / "file")}
    failed = await asyncio.to_thread(floorhub, database_url, tmp_path, **no_archive)
    assert (failed.returncode, "archive_unwritable" in failed.stderr) == (1, True)

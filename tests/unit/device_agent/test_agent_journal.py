"""The journal on a real disk: it holds what a `Snapshot` holds, survives kill -9, and notices damage."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from device_agent.core.records import (
    AttemptRecord,
    DropAttempt,
    DropReport,
    DropTombstone,
    Phase,
    PutAttempt,
    PutReport,
    PutSettings,
    PutTombstone,
    ReportRecord,
    Settings,
    Snapshot,
    Tombstone,
    Write,
    apply,
    merge,
)
from device_agent.journal import (
    SCHEMA_VERSION,
    Journal,
    JournalError,
    JournalLockedError,
    JournalNewerError,
    open_journal,
)
from tests.support.agent_bench import a_run, command_id
from tests.support.examples import examples
from tests.support.strace import strace

ids = st.integers(1, 4).map(command_id)
times = st.floats(0, 4e9)
an_attempt = {
    "command_id": ids,
    "attempt": st.integers(1, 100),
    "arrival": st.integers(0, 2**40),
    "expires_at": times,
}
attempts = st.builds(
    AttemptRecord,
    **an_attempt,
    phase=st.just(Phase.STARTED),
    stop=st.sampled_from([None, "cancelled", "timed_out"]),
    untouched=st.booleans(),
    evidence=st.none() | st.binary(max_size=20),
).map(
    lambda record: msgspec.structs.replace(
        record,
        run=msgspec.json.encode(msgspec.structs.replace(a_run(), command_id=record.command_id, attempt=record.attempt)),
    )
)
ended = st.builds(
    AttemptRecord,
    **an_attempt,
    phase=st.just(Phase.FINISHED),
    run=st.none(),
    finished_at=times,
    retryable=st.booleans(),
)
reports = st.builds(
    ReportRecord,
    report_id=ids,
    command_id=ids,
    attempt=st.integers(1, 100),
    sequence=st.integers(0, 2**40),
    made_at=times,
    body=st.binary(max_size=50),
    receipted=st.booleans(),
)
new_settings = st.builds(
    Settings,
    journal_id=st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
    epoch=st.none() | st.integers(0, 2**40),
    hub_time=times,
    keys=st.none() | st.binary(max_size=20),
)
writes: st.SearchStrategy[Write] = st.one_of(
    st.builds(PutAttempt, attempts | ended),
    st.builds(DropAttempt, ids),
    st.builds(PutReport, reports),
    st.builds(DropReport, ids),
    st.builds(PutTombstone, st.builds(Tombstone, command_id=ids, until=times)),
    st.builds(DropTombstone, ids),
    st.builds(PutSettings, new_settings),
)


async def reopened(journal: Journal, path: Path) -> Snapshot:
    await journal.close()
    again, snapshot = await open_journal(path)
    await again.close()
    return snapshot


@given(commits=st.lists(st.lists(writes, max_size=8), max_size=6))
@settings(deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_file_holds_what_the_snapshot_holds(tmp_path_factory: pytest.TempPathFactory, commits: Any) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    expected = Snapshot()

    async def play() -> Snapshot:
        journal, _ = await open_journal(path)
        for commit in commits:
            merged = tuple(merge(commit).values())
            await journal.commit(merged)
            apply(expected, commit)
        await journal.compact()
        return await reopened(journal, path)

    assert asyncio.run(play()) == expected


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    journal, _ = await open_journal(tmp_path / "journal.db")
    yield journal
    await journal.close()


async def test_a_second_agent_is_told_who_has_the_journal(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(JournalLockedError, match=rf"process {os.getpid()}.*data folder of its own"):
        await open_journal(tmp_path / "journal.db")


async def test_only_the_owner_can_read_the_file(journal: Journal, tmp_path: Path) -> None:
    assert (tmp_path / "journal.db").stat().st_mode & 0o077 == 0


@pytest.mark.fault("F22")
@pytest.mark.parametrize("damage", ["garbage", "page", "row", "another's run", "text"])
async def test_an_unreadable_journal_is_moved_aside_and_a_nameless_one_begun(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.db"
    journal, _ = await open_journal(path)
    record = AttemptRecord(
        command_id=command_id(1), attempt=1, arrival=1, phase=Phase.RECEIVED, expires_at=1.0, run=b"{}"
    )
    body = b"x" * 4_000
    many = [
        PutReport(
            ReportRecord(report_id=command_id(n), command_id=command_id(n), attempt=1, sequence=n, made_at=0, body=body)
        )
        for n in range(20)
    ]
    await journal.commit([PutSettings(Settings(journal_id="j")), *many])
    if damage == "row":
        await journal.commit([PutAttempt(record)])
    if damage == "another's run":
        await journal.commit([PutAttempt(msgspec.structs.replace(record, run=msgspec.json.encode(a_run(2))))])
    await journal.close()
    if damage == "text":  # one flipped bit, which no index covers
        with sqlite3.connect(path) as db:
            db.execute("UPDATE reports SET command_id = CAST(x'ff61' AS TEXT)")
        db.close()
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content[:100] = b"g" * 100
    elif damage == "page":
        content[4_096:12_288] = b"\xaa" * 8_192
    path.write_bytes(content)
    journal, snapshot = await open_journal(path)
    assert snapshot == Snapshot()
    assert journal.moved_aside is not None
    assert journal.moved_aside.exists()
    assert journal.damage
    await journal.close()


async def test_the_folder_is_tidied_before_the_journal_needs_room_and_only_by_its_one_user(tmp_path: Path) -> None:
    path, tidied = tmp_path / "journal.db", []

    def tidy() -> None:
        tidied.append(path.exists())

    journal, _ = await open_journal(path, tidy)
    with pytest.raises(JournalLockedError):
        await open_journal(path, tidy)
    await journal.close()
    assert tidied == [False]


@pytest.mark.parametrize("newer", [SCHEMA_VERSION + 1, 99])
async def test_a_journal_of_a_newer_agent_is_refused_and_stays_as_it_is(tmp_path: Path, newer: int) -> None:
    path = tmp_path / "journal.db"
    journal, _ = await open_journal(path)
    await journal.commit([PutSettings(Settings(journal_id="j", epoch=7))])
    await journal.close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE settings ADD COLUMN of_the_newer TEXT")
        db.execute(f"PRAGMA user_version = {newer}")
    db.close()
    before = path.read_bytes()
    for _ in range(2):  # it lets go of the lock, too
        with pytest.raises(JournalNewerError, match=f"version {newer}") as refused:
            await open_journal(path)
        assert refused.value.values == {"file": str(path), "newer": str(newer), "known": str(SCHEMA_VERSION)}
    assert path.read_bytes() == before
    assert not await asyncio.to_thread(lambda: [*tmp_path.glob("*unreadable*")])


async def test_tables_without_a_version_are_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE something (else_ TEXT)")
    db.close()
    journal, snapshot = await open_journal(path)
    assert snapshot == Snapshot()
    assert journal.moved_aside is not None
    await journal.close()


async def test_the_journal_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    record = AttemptRecord(
        command_id=command_id(1), attempt=1, arrival=1, phase=Phase.FINISHED, expires_at=1.0, run=None
    )
    journal, _ = await open_journal(path)
    await journal.commit([PutSettings(Settings(journal_id="j", epoch=7, hub_time=5.0)), PutAttempt(record)])
    await journal.close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE settings DROP COLUMN mark")
        db.execute("ALTER TABLE attempts DROP COLUMN boot")
        for column in ("process", "untouched", "evidence", "stop"):
            db.execute(f"ALTER TABLE attempts DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
    db.close()

    journal, snapshot = await open_journal(path)

    assert journal.moved_aside is None
    assert snapshot.settings == Settings(journal_id="j", epoch=7, hub_time=5.0, generation=0)
    assert list(snapshot.attempts.values()) == [record]
    await journal.commit([PutSettings(Settings(generation=9))])
    await journal.close()


@pytest.mark.fault("F25")
async def test_after_a_failed_commit_the_journal_is_dead(journal: Journal) -> None:
    with pytest.raises(JournalError, match="could not be written"):
        await journal.commit([PutTombstone(Tombstone(command_id=command_id(1), until="soon"))])  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="closed"):
        await journal.commit([PutTombstone(Tombstone(command_id=command_id(1), until=1.0))])


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"file/journal\.db cannot be opened"):
        await open_journal(tmp_path / "file" / "journal.db")


WRITER = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from uuid import UUID
    from device_agent.journal import open_journal
    from device_agent.core.records import PutReport, PutTombstone, ReportRecord, Tombstone

    async def main():
        journal, _ = await open_journal(Path(sys.argv[1]))
        for n in range(1, 1_000_000):
            report = ReportRecord(report_id=UUID(int=n), command_id=UUID(int=n), attempt=1, sequence=n,
                                  made_at=0.0, body=b"x" * 600)
            await journal.commit([PutReport(report), PutTombstone(Tombstone(command_id=UUID(int=n), until=1.0))])
            print(n, flush=True)

    asyncio.run(main())
    """
)


def run_writer(path: Path, *prefix: str, lines: int | None = None) -> int:
    """Let the writer commit until it is killed; the number of the last commit that returned."""
    command = [*prefix, sys.executable, "-c", WRITER, str(path)]
    last = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last = int(line)
            if last == lines:
                os.killpg(process.pid, signal.SIGKILL)  # behind strace, too
                break
        process.stdout.read()
        process.wait(timeout=30)
    assert process.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    return last


async def check_after_kill(path: Path, committed: int) -> None:
    journal, snapshot = await open_journal(path)
    assert journal.moved_aside is None
    await journal.close()
    found = sorted(record.sequence for record in snapshot.reports.values())
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= committed, "a commit that had returned is lost"
    assert len(snapshot.tombstones) == len(found), "a transaction is there by half"


@pytest.mark.parametrize("lines", [1, 7, 200])
async def test_what_was_committed_survives_kill_9(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "journal.db"
    committed = await asyncio.to_thread(run_writer, path, lines=lines)
    await check_after_kill(path, committed)


async def test_each_commit_is_synced_to_the_disk_before_it_returns(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    prefix = strace("-f", "-qq", "-o", str(trace), "-e", "trace=fsync,fdatasync")
    committed = await asyncio.to_thread(run_writer, tmp_path / "journal.db", *prefix, lines=50)
    assert trace.read_text().count("sync(") >= committed


@pytest.mark.parametrize("sync", [1, 2, 3, 4, 5, 8, 13])
async def test_a_kill_at_any_sync_leaves_whole_transactions(tmp_path: Path, sync: int) -> None:
    path = tmp_path / "journal.db"
    inject = f"inject=fsync,fdatasync:signal=KILL:when={sync}"
    committed = await asyncio.to_thread(run_writer, path, *strace("-f", "-o", "/dev/null", "-e", inject))
    await check_after_kill(path, committed)

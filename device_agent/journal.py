"""The agent's memory on disk: one SQLite file, one connection, one thread.

The thread exists so that an fsync never stops the event loop. WAL with synchronous=FULL: a commit that returned
survives a power cut. After a failed commit the handle is dead, because nobody can say what reached the disk; the next
start reads what did.
"""

import asyncio
import contextlib
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, TypeVar
from uuid import UUID

import msgspec

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
)
from schemas import aside
from schemas.messages import Run

SCHEMA_VERSION = 4
_BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE settings (
    only INTEGER PRIMARY KEY CHECK (only = 1), journal_id TEXT, epoch INTEGER, hub_time REAL NOT NULL, keys BLOB,
    mark INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE attempts (
    command_id TEXT PRIMARY KEY, attempt INTEGER NOT NULL, arrival INTEGER NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('received', 'started', 'finished')), expires_at REAL NOT NULL,
    run BLOB, finished_at REAL, retryable INTEGER NOT NULL, boot TEXT, process TEXT,
    untouched INTEGER NOT NULL DEFAULT 0, evidence BLOB, stop TEXT
) STRICT;
CREATE TABLE reports (
    report_id TEXT PRIMARY KEY, command_id TEXT NOT NULL, attempt INTEGER NOT NULL, sequence INTEGER NOT NULL,
    made_at REAL NOT NULL, body BLOB NOT NULL, receipted INTEGER NOT NULL
) STRICT;
CREATE TABLE tombstones (command_id TEXT PRIMARY KEY, until REAL NOT NULL) STRICT;
INSERT INTO settings VALUES (1, NULL, NULL, 0.0, NULL, 0);
"""
_UPGRADES = {
    1: """
ALTER TABLE settings ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN boot TEXT;
ALTER TABLE attempts ADD COLUMN process TEXT;
""",
    2: """
ALTER TABLE attempts ADD COLUMN untouched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN evidence BLOB;
""",
    3: """
ALTER TABLE attempts ADD COLUMN stop TEXT;
""",
}
"""From a version to the next one: an agent's update must not cost its journal."""

_T = TypeVar("_T")


class JournalError(Exception):
    """The journal could not be opened or written. Stop: the next start goes on from what is on disk."""


class JournalLockedError(JournalError):
    """Another agent uses this journal; `owner` is its process number, as far as it is known."""

    def __init__(self, message: str, owner: str) -> None:
        super().__init__(message)
        self.owner = owner


class JournalNewerError(JournalError):
    """A newer agent wrote this journal; nothing of it was changed. `values`: `file`, its version `newer` and ours,
    `known`."""

    def __init__(self, file: Path, newer: int) -> None:
        super().__init__(f"a newer agent wrote the journal {file} (version {newer}; this one reads {SCHEMA_VERSION})")
        self.values = {"file": str(file), "newer": str(newer), "known": str(SCHEMA_VERSION)}


class _UnreadableError(Exception):
    """The file is no journal, or it is damaged."""


class Journal:
    """Made by `open_journal`. Not to be used by two tasks at the same time; calls run in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._db: sqlite3.Connection | None = None
        self._lock: IO[str] | None = None
        self.moved_aside: Path | None = None
        """Where an unreadable journal was put; None: there was none."""
        self.damage = ""
        """What was wrong with that one."""

    async def commit(self, writes: Sequence[Write]) -> None:
        """One transaction, durable on return. Raises JournalError, after which this journal is dead."""
        if writes:
            await self._do(lambda: self._commit(writes))

    async def compact(self) -> None:
        """Give freed pages back to the file system. Raises JournalError."""
        await self._do(self._compact)

    async def close(self) -> None:
        """Close file and lock. Safe to call twice, also on a dead journal."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        except RuntimeError:  # closed before: the thread takes nothing more
            return
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # --- in the journal's thread -----------------------------------------------------------------------------

    def _open(self, when_alone: Callable[[], None]) -> Snapshot:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _take_lock(self._path.with_name(self._path.name + ".lock"))
            when_alone()
            try:
                return self._connect()
            except _UnreadableError as problem:
                self._disconnect()
                self.damage = str(problem)
                self.moved_aside = aside.move(self._path, "unreadable", ("-wal", "-shm"))
                return self._connect()
        except JournalNewerError:
            self._close()
            raise
        except (_UnreadableError, sqlite3.Error, OSError) as problem:
            self._close()
            raise JournalError(
                f"the journal {self._path} cannot be opened ({problem}): check the disk and the folder's owner"
            ) from problem

    def _connect(self) -> Snapshot:
        """Raises _UnreadableError for what must be moved aside, and sqlite3.Error for what a new file cannot cure."""
        db = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        self._db = db
        self._path.chmod(0o600)  # payloads name customers
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:  # begun anew without it, this agent would repeat what is done
                raise JournalNewerError(self._path, version)
            empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            if version == 0 and empty:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            if version == 0 and empty:
                db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
            elif version != SCHEMA_VERSION:
                _upgrade(db, version)
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise _UnreadableError(found)
            return _load(db)
        except sqlite3.OperationalError as problem:
            if _is_damage(problem):
                raise _UnreadableError(str(problem)) from problem
            raise  # full disk, no rights: moving the journal aside would only lose it
        except (sqlite3.DatabaseError, msgspec.MsgspecError, ValueError, TypeError) as problem:
            raise _UnreadableError(str(problem)) from problem

    def _commit(self, writes: Sequence[Write]) -> None:
        db = self._alive()
        try:
            db.execute("BEGIN IMMEDIATE")
            for write in writes:
                db.execute(*_statement(write))
            db.execute("COMMIT")
        except (sqlite3.Error, OSError) as problem:
            self._disconnect()
            advice = "free disk space or replace the disk, then start the agent again"
            if isinstance(problem, sqlite3.DatabaseError) and _is_damage(problem):
                advice = "it is damaged: check the disk; the next start moves it aside"
            raise JournalError(f"the journal {self._path} could not be written ({problem}): {advice}") from problem

    def _compact(self) -> None:
        db = self._alive()
        try:
            db.execute("PRAGMA incremental_vacuum").fetchall()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as problem:
            self._disconnect()
            raise JournalError(
                f"the journal {self._path} could not be compacted ({problem}): check the disk"
            ) from problem

    def _alive(self) -> sqlite3.Connection:
        if self._db is None:
            raise JournalError(f"the journal {self._path} is closed")
        return self._db

    def _disconnect(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):  # a dead handle may refuse even this
                self._db.close()
            self._db = None

    def _close(self) -> None:
        self._disconnect()
        if self._lock is not None:
            self._lock.close()
            self._lock = None


async def open_journal(path: Path, when_alone: Callable[[], None] = lambda: None) -> tuple[Journal, Snapshot]:
    """The journal at `path`, made when there is none, and what it holds. `when_alone` is called in another thread once
    no other agent can use the folder, before the journal needs room on the disk.

    One that is damaged is moved aside and a new one begun, which has no journal id: so the hub notices. Raises
    JournalLockedError when another agent has it, JournalNewerError when a newer agent wrote it, JournalError when it
    cannot be opened or made.
    """
    journal = Journal(path)
    try:
        return journal, await journal._do(lambda: journal._open(when_alone))
    except BaseException:
        await journal.close()
        raise


def holder(path: Path) -> str | None:
    """The process number of the agent that uses the journal at `path`; None: nobody does. Raises OSError.

    Takes the lock and lets go of it: an agent that starts in that very instant is refused, and must start again.
    """
    lock = path.with_name(path.name + ".lock")
    if not lock.exists():
        return None
    try:
        _take_lock(lock).close()
    except JournalLockedError as taken:
        return taken.owner
    return None


def _upgrade(db: sqlite3.Connection, version: int) -> None:
    """Bring an older journal up to date, each step in one transaction. Raises _UnreadableError for one that never
    was."""
    while version != SCHEMA_VERSION:
        if version not in _UPGRADES:
            raise _UnreadableError(f"it has tables, and the schema version {version}")
        db.executescript(f"BEGIN IMMEDIATE; {_UPGRADES[version]} PRAGMA user_version = {version + 1}; COMMIT;")
        version += 1


def _is_damage(problem: sqlite3.Error) -> bool:
    if not hasattr(problem, "sqlite_errorcode"):  # raised by Python itself
        return "decode to UTF-8" in str(problem)
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


def _take_lock(path: Path) -> IO[str]:
    """Hold the file as long as it is open: the system lets go of it when the process dies."""
    lock = path.open("a+", encoding="ascii")
    try:
        if sys.platform == "win32":
            import msvcrt

            lock.seek(0)
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read(20).strip() or "unknown"
        lock.close()
        raise JournalLockedError(
            f"another agent (process {owner}) uses {path.parent}: stop it, or give this one a data folder of its own",
            owner,
        ) from None
    with contextlib.suppress(OSError):  # a full disk: the lock holds without its owner's number
        os.ftruncate(lock.fileno(), 0)
        os.write(lock.fileno(), str(os.getpid()).encode())
    return lock


def _load(db: sqlite3.Connection) -> Snapshot:
    snapshot = Snapshot()
    journal_id, epoch, hub_time, keys, generation = _one(
        db, "SELECT journal_id, epoch, hub_time, keys, mark FROM settings"
    )
    snapshot.settings = Settings(
        journal_id=journal_id, epoch=epoch, hub_time=hub_time, keys=keys, generation=generation
    )
    for row in db.execute(
        "SELECT command_id, attempt, arrival, phase, expires_at, run, finished_at, retryable, boot, process, "
        "untouched, evidence, stop FROM attempts"
    ):
        record = AttemptRecord(
            command_id=UUID(row[0]),
            attempt=row[1],
            arrival=row[2],
            phase=Phase(row[3]),
            expires_at=row[4],
            run=row[5],
            finished_at=row[6],
            retryable=bool(row[7]),
            boot=row[8],
            process=row[9],
            untouched=bool(row[10]),
            evidence=row[11],
            stop=row[12],
        )
        if record.phase is not Phase.FINISHED:
            run = msgspec.json.decode(record.run or b"", type=Run)  # an attempt that cannot be read cannot be ended
            if (run.command_id, run.attempt) != (record.command_id, record.attempt):
                raise _UnreadableError(f"attempt {record.attempt} of {record.command_id} has the run of another")
        snapshot.attempts[record.command_id] = record
    for row in db.execute(
        "SELECT report_id, command_id, attempt, sequence, made_at, body, receipted FROM reports ORDER BY sequence"
    ):
        report = ReportRecord(
            report_id=UUID(row[0]),
            command_id=UUID(row[1]),
            attempt=row[2],
            sequence=row[3],
            made_at=row[4],
            body=row[5],
            receipted=bool(row[6]),
        )
        snapshot.reports[report.report_id] = report
    for row in db.execute("SELECT command_id, until FROM tombstones"):
        tombstone = Tombstone(command_id=UUID(row[0]), until=row[1])
        snapshot.tombstones[tombstone.command_id] = tombstone
    return snapshot


def _one(db: sqlite3.Connection, sql: str) -> Any:
    row = db.execute(sql).fetchone()
    if row is None:
        raise _UnreadableError("the settings row is missing")
    return row


def _statement(write: Write) -> tuple[str, tuple[Any, ...]]:
    match write:
        case PutAttempt(a):
            values = (str(a.command_id), a.attempt, a.arrival, a.phase.value, a.expires_at, a.run, a.finished_at)
            last = (int(a.retryable), a.boot, a.process, int(a.untouched), a.evidence, a.stop)
            return "INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*values, *last)
        case DropAttempt(command_id):
            return "DELETE FROM attempts WHERE command_id = ?", (str(command_id),)
        case PutReport(r):
            return (
                "INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?, ?)",
                (str(r.report_id), str(r.command_id), r.attempt, r.sequence, r.made_at, r.body, int(r.receipted)),
            )
        case DropReport(report_id):
            return "DELETE FROM reports WHERE report_id = ?", (str(report_id),)
        case PutTombstone(t):
            return "INSERT OR REPLACE INTO tombstones VALUES (?, ?)", (str(t.command_id), t.until)
        case DropTombstone(command_id):
            return "DELETE FROM tombstones WHERE command_id = ?", (str(command_id),)
        case PutSettings(s):
            return (
                "UPDATE settings SET journal_id = ?, epoch = ?, hub_time = ?, keys = ?, mark = ? WHERE only = 1",
                (s.journal_id, s.epoch, s.hub_time, s.keys, s.generation),
            )

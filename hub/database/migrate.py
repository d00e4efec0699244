"""Bringing the schema up to date, once, however many processes start at the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from hub.database import session
from hub.database.engine import not_connected
from hub.errors import SetupError

OLDEST_POSTGRES = 14
OLDEST_PROGRAM = "0014"
"""The newest revision that is known to the oldest program which still works with the tables of this version. A step
that takes away what that program reads or writes raises it."""
DEADLINE_S = 60.0
"""How long to wait for another process that migrates the same database."""

_LOCK = 0x466C6F6F72  # "Floor": any number will do that nobody else who shares the database uses.
#: A step that waits for a busy table makes everybody else wait behind it, so it gives up soon; start again then.
_TABLE_LOCK_TIMEOUT_MS = 5_000


def migrate(url: str, *, deadline_s: float = DEADLINE_S) -> list[str]:
    """Run every step the database lacks, each in its own transaction; the revisions that were run, oldest first.

    Safe to call from several processes at once: one works, the others wait and find nothing left to do.
    Raises SetupError when Postgres does not answer, is too old, or holds a schema newer than this code, when another
    process migrates for longer than `deadline_s`, or when a step fails.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with _connected(url) as connection:
        _require_version(connection)
        _require_usable(connection)
        _require_restored(connection)
        _take_lock(connection, deadline_s)
        before = _revision(connection)
        if _is_newer_and_usable(connection, scripts, before):
            return []
        _require_known(scripts, before)
        missing = [script.revision for script in scripts.iterate_revisions("head", before)]
        missing.reverse()
        if missing:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except (DBAPIError, psycopg.Error) as problem:
                raise SetupError(
                    f"The database could not be migrated from {before or 'empty'}: {problem}",
                    ko=f"데이터베이스를 {before or '빈 상태'}에서 이행할 수 없습니다: {problem}",
                ) from problem
        _name_oldest(connection)
        return missing


def current(url: str) -> str | None:
    """The revision the database is at; None before the first migration. Raises SetupError like `migrate`."""
    with _connected(url) as connection:
        return _revision(connection)


def newest() -> str:
    """The revision of this code's tables."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def require_known(revision: str | None) -> None:
    """Raise SetupError for tables of a newer version of Floorhub."""
    _require_known(ScriptDirectory.from_config(_config()), revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "hub.database:migrations")
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """One connection, closed at the end, which also lets go of the advisory lock."""

    def connect() -> psycopg.Connection[Any]:
        return session.connect(url, "floorhub-migrate")

    # By `creator`, so that every form of URL that the rest of the hub takes is understood here, too.
    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=NullPool)
    try:
        connection = engine.connect()
    except DBAPIError as problem:
        raise not_connected(url, problem.orig) from None
    with connection:
        yield connection


def _require_version(connection: Connection) -> None:
    number = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if number < OLDEST_POSTGRES * 10_000:
        version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        raise SetupError(
            f"Postgres {version} is too old: Floorhub needs {OLDEST_POSTGRES} or newer.",
            ko=f"Postgres {version}은(는) 너무 오래되었습니다. {OLDEST_POSTGRES} 이상이 필요합니다.",
        )


def _require_usable(connection: Connection) -> None:
    plain: Any = connection.connection.driver_connection
    session.require_usable(plain)
    connection.commit()


def require_restored(url: str) -> None:
    """Raise SetupError for a database whose restore is under way, or was killed."""
    with _connected(url) as connection:
        _require_restored(connection)


def _require_restored(connection: Connection) -> None:
    marked = connection.exec_driver_sql("SELECT to_regclass('restore_in_progress') IS NOT NULL").scalar_one()
    connection.commit()
    if marked:
        raise SetupError(
            "A restore into this database has not ended. If none is running, it was interrupted: run the same "
            "`floorhub restore` again, which completes it.",
            ko="이 데이터베이스의 복원이 끝나지 않았습니다. 진행 중인 복원이 없다면 중단된 것입니다. 같은 `floorhub "
            "restore` 명령을 다시 실행하면 복원이 완료됩니다.",
        )


def _require_known(scripts: ScriptDirectory, revision: str | None) -> None:
    if revision is not None and revision not in {script.revision for script in scripts.walk_revisions()}:
        raise SetupError(
            f"The database is at revision {revision}, which this version of Floorhub does not know: a newer version "
            "has "
            "migrated it. Install that version, or use another database. To go back, restore the backup made before.",
            ko=f"데이터베이스가 이 버전의 Floorhub가 모르는 리비전 {revision}에 있습니다. 더 새로운 버전이 "
            "마이그레이션한 "
            "것입니다. 그 버전을 설치하거나 다른 데이터베이스를 쓰십시오. 되돌리려면 이전에 만든 백업을 복원하십시오.",
        )


def _is_newer_and_usable(connection: Connection, scripts: ScriptDirectory, revision: str | None) -> bool:
    """Whether a newer version has migrated the database and says that this one may use it all the same."""
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is None or revision in known:
        return False
    exists = connection.exec_driver_sql("SELECT to_regclass('schema_compatibility') IS NOT NULL").scalar_one()
    oldest = connection.exec_driver_sql("SELECT oldest FROM schema_compatibility").scalar() if exists else None
    connection.commit()
    return oldest in known


def _name_oldest(connection: Connection) -> None:
    connection.exec_driver_sql(
        "INSERT INTO schema_compatibility (oldest) VALUES (%(oldest)s) ON CONFLICT (one) DO UPDATE "
        "SET oldest = excluded.oldest WHERE schema_compatibility.oldest <> excluded.oldest",
        {"oldest": OLDEST_PROGRAM},
    )
    connection.commit()


def _take_lock(connection: Connection, deadline_s: float) -> None:
    """Hold the database's migration lock until the connection ends."""
    connection.exec_driver_sql(f"SET lock_timeout = {max(1, round(deadline_s * 1000))}")
    try:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
    except DBAPIError as problem:
        if not isinstance(problem.orig, psycopg.errors.LockNotAvailable):
            raise
        raise SetupError(
            f"Another process has been migrating this database for more than {deadline_s:g} s. "
            "Wait until it is done, or end it, then start again.",
            ko=f"다른 프로세스가 {deadline_s:g}초 넘게 이 데이터베이스를 이행하고 있습니다. 끝날 때까지 기다리거나 "
            "끝낸 뒤 다시 시작하십시오.",
        ) from None
    connection.exec_driver_sql(f"SET lock_timeout = {_TABLE_LOCK_TIMEOUT_MS}")
    # Ends the transaction that SQLAlchemy began by itself; Alembic begins its own, one for each step.
    connection.commit()


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return revision


def require_current(url: str) -> None:
    """Raise SetupError unless the database is at this code's newest revision, or at a newer one that says that this
    version may use it, and one that the hub can use."""
    scripts = ScriptDirectory.from_config(_config())
    newest = scripts.get_current_head()
    with _connected(url) as connection:
        _require_usable(connection)
        _require_restored(connection)
        found = _revision(connection)
        if _is_newer_and_usable(connection, scripts, found):
            return
    _require_known(scripts, found)
    if found != newest:
        raise SetupError(
            f"The database is at revision {found or 'none'}, this version of Floorhub needs {newest}: "
            "run `floorhub migrate` first.",
            ko=f"데이터베이스가 리비전 {found or '없음'}에 있고, 이 버전의 Floorhub에는 {newest}이(가) 필요합니다. "
            "먼저 "
            "`floorhub migrate`를 실행하십시오.",
        )

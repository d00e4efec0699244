"""The migrations, and the classes that mirror what they make."""

import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import NullPool, create_engine, text

from hub.database import migrate as module
from hub.database.migrate import OLDEST_PROGRAM, current, migrate, require_current
from hub.database.migrations.tables import metadata
from hub.errors import SetupError

pytestmark = pytest.mark.each_postgres

REVISIONS = [f"{number:04}" for number in range(1, 20) if number != 3]
HEAD = REVISIONS[-1]

_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
        pg_get_expr(d.adbin, d.adrelid), a.attnum
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relname <> 'alembic_version'
"""
_CONSTRAINTS = """
    SELECT c.relname, n.conname, pg_get_constraintdef(n.oid)
    FROM pg_constraint n JOIN pg_class c ON c.oid = n.conrelid
    -- Postgres 18 also lists NOT NULL here, which the columns say already.
    WHERE c.relnamespace = 'public'::regnamespace AND n.contype <> 'n' AND c.relname <> 'alembic_version'
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
_OPTIONS = """
    SELECT relname, reloptions FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""


def _catalogue(url: str) -> dict[str, set[Any]]:
    """What Postgres knows about the tables of a database."""
    with psycopg.connect(url) as connection:
        found = {
            name: {tuple(map(str, row)) for row in connection.execute(query)}
            for name, query in (
                ("columns", _COLUMNS),
                ("constraints", _CONSTRAINTS),
                ("indexes", _INDEXES),
                ("options", _OPTIONS),
            )
        }
    found["indexes"] = {index for index in found["indexes"] if index[0] != "alembic_version"}
    return found


def test_the_classes_say_what_the_migrations_made(database_url: str, empty_database_url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(empty_database_url))
    metadata.create_all(engine)
    engine.dispose()
    migrated, created = _catalogue(database_url), _catalogue(empty_database_url)
    for part, entries in migrated.items():
        assert entries, part
        assert entries - created[part] == set(), f"{part} that the classes lack"
        assert created[part] - entries == set(), f"{part} that only the classes have"


def test_alembic_finds_nothing_to_migrate(database_url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database_url), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        # The comparison sees what it should: a table that lost a column differs.
        connection.execute(text("ALTER TABLE documents DROP COLUMN filename"))
        assert [change[0] for change in compare_metadata(context, metadata)] == ["add_column"]


def test_a_second_run_finds_nothing_to_do(empty_database_url: str) -> None:
    assert current(empty_database_url) is None
    assert migrate(empty_database_url) == REVISIONS
    assert current(empty_database_url) == HEAD
    assert migrate(empty_database_url) == []


@pytest.mark.fault("F30")
def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    together = threading.Barrier(6)

    def start(_: int) -> list[str]:
        together.wait(10)
        return migrate(empty_database_url)

    with ThreadPoolExecutor(6) as pool:
        ran = list(pool.map(start, range(6)))
    assert sorted(ran) == [[], [], [], [], [], REVISIONS]


def test_a_process_that_migrates_for_too_long_is_not_waited_for(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (module._LOCK,))
        with pytest.raises(SetupError, match="Another process has been migrating"):
            migrate(empty_database_url, deadline_s=0.05)
    assert migrate(empty_database_url) == REVISIONS


@pytest.mark.fault("F30")
def test_a_database_from_the_future_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE schema_compatibility SET oldest = '9998'")
    for use in (migrate, require_current):
        with pytest.raises(SetupError, match="9999, which this version of Floorhub does not know"):
            use(database_url)
    assert current(database_url) == "9999"


def test_a_newer_database_that_names_this_version_is_used_as_it_is(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT oldest FROM schema_compatibility").fetchall() == [(OLDEST_PROGRAM,)]
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE schema_compatibility SET oldest = %s", (HEAD,))
    assert migrate(database_url) == []
    require_current(database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT oldest FROM schema_compatibility").fetchall() == [(HEAD,)], (
            "not this one's word"
        )
        connection.execute("DROP TABLE schema_compatibility")
    with pytest.raises(SetupError, match="does not know"):
        require_current(database_url)


def test_an_old_postgres_is_refused(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The bundled servers are new enough, so the bound moves instead of the server.
    monkeypatch.setattr(module, "OLDEST_POSTGRES", 99)
    with pytest.raises(SetupError, match="is too old: Floorhub needs 99 or newer"):
        migrate(empty_database_url)
    assert current(empty_database_url) is None


def test_a_step_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        # The last table of the step exists already.
        connection.execute("CREATE TABLE broker_outbox (id integer)")
    with pytest.raises(SetupError, match="could not be migrated from empty"):
        migrate(empty_database_url)
    assert current(empty_database_url) is None
    assert _catalogue(empty_database_url)["options"] == {("broker_outbox", "None")}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dbname": "no_such_database"}, r'refuses the connection: database "no_such_database" does not exist\.'),
        ({"user": "nobody", "password": "wrong"}, r"refuses the connection: .*nobody"),
        ({"host": "127.0.0.1", "port": "9"}, "does not answer at "),
    ],
    ids=["database", "user", "address"],
)
def test_a_server_that_is_not_connected_is_named_without_its_password(
    postgres_server: str, change: dict[str, str], said: str
) -> None:
    known = psycopg.conninfo.conninfo_to_dict(postgres_server)
    url = psycopg.conninfo.make_conninfo(**{**known, **change})
    password = change.get("password", known.get("password"))
    with pytest.raises(SetupError, match=said) as caught:
        migrate(url)
    assert password is None or str(password) not in str(caught.value)


def test_the_files_that_migrations_need_are_part_of_the_package() -> None:
    files = {entry.name for entry in resources.files("hub.database").joinpath("migrations").iterdir()}
    assert {"env.py", "script.py.mako", "alembic.ini", "versions"} <= files

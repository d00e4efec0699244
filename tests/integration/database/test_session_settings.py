"""Databases and roles with settings of their own: the hub's sessions do not inherit them, or a sentence says no."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from hub.database import session
from hub.database.engine import Database, reading
from hub.database.migrate import migrate, require_current
from hub.errors import SetupError, UnavailableError
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.postgres import HOST, EmbeddedPostgres
from tests.support import postgres
from tests.support.folders import open_data_folder

HOSTILE = {
    "TimeZone": "Asia/Seoul",
    "DateStyle": "German, DMY",
    "IntervalStyle": "iso_8601",
    "client_encoding": "LATIN1",
    "search_path": "nowhere",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "xmloption": "document",
    "exit_on_error": "on",
    "row_security": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "40ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "20ms",
    "idle_session_timeout": "2s",
    "transaction_timeout": "60ms",
    "plan_cache_mode": "force_custom_plan",
    "enable_indexscan": "off",
    "enable_nestloop": "off",
    "jit": "on",
}


@dataclass
class Server:
    """A server with its superuser."""

    url: str
    superuser: str

    def run(self, statement: str, **names: str) -> None:
        """One statement of the superuser, with names quoted into it."""
        quoted = {name: sql.Identifier(value) for name, value in names.items()}
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(**quoted))  # type: ignore[arg-type]

    @contextmanager
    def database(self, options: str = "") -> Iterator[str]:
        """The URL of an empty database, created with these further options."""
        name = f"strange_{uuid4().hex}"
        self.run("CREATE DATABASE {name} OWNER floorhub TEMPLATE template0 " + options, name=name)
        try:
            yield postgres.in_database(self.url, name)
        finally:
            self.run("DROP DATABASE {name} WITH (FORCE)", name=name)

    def set_for_role(self, url: str, name: str, value: str) -> None:
        """`ALTER ROLE ... IN DATABASE ... SET`, which beats what is set for role or database alone."""
        database = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        statement = "ALTER ROLE floorhub IN DATABASE {database} SET {name} TO "
        self.run(f"{statement}'{value}'", database=str(database), name=name)


@pytest.fixture(scope="module")
def server(cluster: DataFolder) -> Iterator[Server]:
    with ExitStack() as stack:
        folder = stack.enter_context(open_data_folder("strange", in_memory=True))
        postgres.copy_cluster(cluster, folder)
        embedded = EmbeddedPostgres(folder, Packages(), PortBook(folder.ports).choose("postgres", 0).number)
        stack.callback(embedded.stop)
        url = embedded.start()
        password = embedded._passwords()["postgres"]
        yield Server(url, f"postgresql://postgres:{password}@{HOST}:{embedded.port}/postgres")


@pytest.fixture(scope="module")
def strange(server: Server) -> Iterator[str]:
    """A database with every such setting, which the superuser has made for the hub's role there."""
    with server.database("ENCODING 'UTF8' LOCALE 'C'") as url:
        for name, value in HOSTILE.items():
            server.set_for_role(url, name, value)
        migrate(url)
        yield url


@pytest.fixture
async def database(strange: str) -> AsyncIterator[Database]:
    async with postgres.opened(Database(strange, size=4)) as database:
        yield database


async def test_the_pool_and_connections_beside_it_have_their_own_settings(database: Database) -> None:
    beside = await database.connect()
    async with beside, database.connection() as pooled:
        for connection in (beside, pooled):
            cursor = await connection.execute("SELECT name, current_setting(name) AS value FROM pg_settings")
            found = {row["name"]: row["value"] async for row in cursor}
            expected = {**session.HUB, "transaction_timeout": "0"}
            assert {name: found[name] for name in expected} == expected
            assert connection.info.encoding == "utf-8"


async def test_texts_times_bytes_and_documents_come_back_as_they_were(database: Database) -> None:
    at = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)
    values: dict[str, Any] = {
        "text": "포장 ① \\ '\" 🙂 뷁",
        "at": at,
        "bytes": bytes(range(256)),
        "number": 0.1,
        "json": {"말": "안녕 🙂", "n": 0.1},
    }
    asked = (
        "SELECT %(text)s::text AS text, %(at)s::timestamptz AS at, %(bytes)s::bytea AS bytes, %(number)s::float8 AS "
        "number,"
        " %(json)s::jsonb AS json"
    )
    bound = {**values, "json": psycopg.types.json.Jsonb(values["json"])}
    async with database.connection() as connection:
        assert await (await connection.execute(asked, bound)).fetchone() == values
        # Lists carry their values within the statement.
        cursor = reading(connection)
        assert await (await cursor.execute(asked, bound)).fetchone() == values


async def test_a_statement_may_take_longer_than_the_inherited_deadlines(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("SELECT pg_sleep(0.1)")
        assert await database.now(connection) > datetime(2026, 1, 1, tzinfo=UTC)
    require_current(database.url)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_KR"])
def test_a_database_that_cannot_hold_every_text_is_refused(server: Server, encoding: str) -> None:
    with server.database(f"ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'") as url:
        for step in (migrate, require_current):
            with pytest.raises(SetupError, match=f"encoding {encoding}.*createdb --encoding=UTF8") as refused:
                step(url)
            assert "인코딩" in refused.value.korean
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'clients'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("session_replication_role", "replica", "session_replication_role = replica"),
        ("default_transaction_read_only", "on", "takes no writes"),
    ],
)
def test_what_a_session_cannot_or_must_not_set_is_refused(server: Server, name: str, value: str, said: str) -> None:
    with server.database("ENCODING 'UTF8' LOCALE 'C'") as url:
        server.set_for_role(url, name, value)
        for step in (migrate, require_current):
            with pytest.raises(SetupError, match=said):
                step(url)


def test_tables_in_a_schema_that_no_session_looks_into_are_named(server: Server) -> None:
    with server.database("ENCODING 'UTF8' LOCALE 'C'") as url:
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE SCHEMA shop")
            for table in ("alembic_version", "broker_outbox"):
                connection.execute(sql.SQL("ALTER TABLE {} SET SCHEMA shop").format(sql.Identifier(table)))
        server.set_for_role(url, "search_path", "shop")
        with pytest.raises(SetupError, match="tables lie in the schema shop"):
            migrate(url)


async def test_nothing_is_asked_for_at_the_start_of_a_connection() -> None:
    """Poolers such as PgBouncer refuse `options`, and all but a few names."""
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.put_nowait(await reader.read(4096))
        writer.close()

    listener = await asyncio.start_server(take, HOST, 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        url = f"postgresql://floorhub:x@{HOST}:{port}/floorhub?sslmode=disable&gssencmode=disable"
        with pytest.raises(psycopg.OperationalError):
            await Database(url).connect()
        with pytest.raises(SetupError):
            await asyncio.to_thread(migrate, url)
    for _ in range(2):
        names = asked.get_nowait()[8:].split(b"\0")[0::2]
        assert set(names) - {b""} == {b"user", b"database", b"application_name"}


async def test_a_server_that_stops_taking_writes_is_an_outage(server: Server) -> None:
    """The setting of an administrator who wants no writes is not overridden."""
    with server.database("ENCODING 'UTF8' LOCALE 'C'") as url:
        migrate(url)
        server.set_for_role(url, "default_transaction_read_only", "on")
        async with postgres.opened(Database(url)) as database:
            with pytest.raises(UnavailableError):
                async with database.connection() as connection:
                    await connection.execute("DELETE FROM schedules")

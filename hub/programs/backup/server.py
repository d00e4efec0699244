"""The Postgres of a backup or a restore: that of `make run`, started alone if it is stopped, or the site's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.rows import DictRow, dict_row

from hub.database import migrate, session
from hub.database.engine import not_connected
from hub.database.migrate import OLDEST_POSTGRES
from hub.database.statements import statement
from hub.errors import SetupError
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.patience import Say
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.postgres import EmbeddedPostgres

POSTGRES_PORT = 54320
_PLACE = "programs/backup"


class Facts(msgspec.Struct, frozen=True):
    """A server and one of its databases."""

    version: str
    number: int
    name: str
    at: Any
    tables: int
    ours: bool
    """Whether it has the hub's tables."""
    may_create: bool
    collation: str
    letters: str

    @property
    def major(self) -> int:
        """Of the server."""
        return self.number // 10_000


@contextmanager
def alone(folder: DataFolder, say: Say) -> Iterator[str]:
    """The URL of `make run`'s Postgres, started without anything else for as long as the block lasts. Hold the folder's
    lock. Raises EmbeddedError."""
    port = PortBook(folder.ports).choose("postgres", POSTGRES_PORT).number
    server = EmbeddedPostgres(folder, Packages(say=say), port, say=say)
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def connected(url: str) -> Iterator[Connection[DictRow]]:
    """A connection in autocommit. Raises SetupError when Postgres does not answer or refuses it."""
    try:
        connection: Connection[DictRow] = session.connect(url, row_factory=dict_row)
    except psycopg.Error as problem:
        raise not_connected(url, problem) from None
    with connection:
        connection.autocommit = True
        connection.execute("SET statement_timeout TO '600s'")
        yield connection


def rows(connection: Connection[DictRow], name: str, **values: Any) -> list[DictRow]:
    """What one of our statements finds."""
    return connection.execute(statement(_PLACE, name), values or None).fetchall()


def run(connection: Connection[DictRow], name: str, **values: Any) -> list[DictRow]:
    """Run a statement of ours that writes; the rows that it returns, if it does."""
    cursor = connection.execute(statement(_PLACE, name), values or None)
    return cursor.fetchall() if cursor.description is not None else []


def facts(url: str) -> Facts:
    """Raises SetupError when the server does not answer or is too old."""
    with connected(url) as connection:
        found = msgspec.convert(rows(connection, "facts")[0], Facts)
    if found.major < OLDEST_POSTGRES:
        raise SetupError(
            f"Postgres {found.version} is too old: Floorhub needs {OLDEST_POSTGRES} or newer.",
            ko=f"Postgres {found.version}은(는) 너무 오래되었습니다. {OLDEST_POSTGRES} 이상이 필요합니다.",
        )
    return found


def revision(url: str) -> str | None:
    """Of the tables; None when there are none of ours."""
    return migrate.current(url)


def in_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return make_conninfo(url, dbname=name)

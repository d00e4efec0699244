"""A real Postgres for the tests: the one that is named, else a container, else the embedded one."""

import gc
import os
import subprocess
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.postgres import EmbeddedPostgres
from tests.support.folders import open_data_folder

Pool = TypeVar("Pool", bound=Database)
VARIABLE = "FLOORHUB_TEST_POSTGRES_URL"
"""A role that may create databases; its own database stays as it is."""
MAJORS = (18, 16)
"""The bundled ones."""
_DOCKER_TIMEOUT_S = 2
_FIRST_WITH_STRATEGY = 150_000


class Server(NamedTuple):
    """A running server, by a URL whose role may create databases, and there a migrated, empty database to copy."""

    url: str
    template: str


def given_url() -> str | None:
    """The server that the environment names, or None."""
    return os.environ.get(VARIABLE, "").strip() or None


@contextmanager
def running(major: int) -> Iterator[str]:
    """The URL of a server whose role may create databases. A server that was started here ends with the block."""
    given = given_url()
    if given is not None:
        yield given
    elif _docker_answers():
        with _container(major) as url:
            yield url
    else:
        with _embedded(major) as url:
            yield url


def _docker_answers() -> bool:
    """Whether a daemon answers. The command line tool alone proves nothing."""
    try:
        import docker  # type: ignore[import-untyped]
    except ImportError:
        return False
    with warnings.catch_warnings():
        # docker leaves the socket of a failed connection to the garbage collector, which warns of it.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with closing(docker.from_env(timeout=_DOCKER_TIMEOUT_S)) as client:
                return bool(client.ping())
        except (docker.errors.DockerException, OSError):
            return False
        finally:
            gc.collect()


@contextmanager
def _container(major: int) -> Iterator[str]:
    from testcontainers.postgres import PostgresContainer

    with PostgresContainer(f"postgres:{major}", driver=None) as container:
        yield container.get_connection_url()


@contextmanager
def _embedded(major: int) -> Iterator[str]:
    # In memory a new database costs 10 ms instead of 400: it is some 300 files to sync.
    with open_data_folder("tests", in_memory=True) as folder:
        # Below the ports that the system gives to outgoing connections, and apart from other test runs.
        port = PortBook(folder.ports).choose("postgres", 20_000 + os.getpid() * 60 % 12_000).number
        server = EmbeddedPostgres(folder, Packages(), port, major)
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def empty_cluster() -> Iterator[DataFolder]:
    """The data folder of a Postgres that is stopped, with the hub's tables and nothing in them: to be copied."""
    with open_data_folder("cluster", in_memory=True) as folder:
        server = EmbeddedPostgres(folder, Packages(), PortBook(folder.ports).choose("postgres", 0).number)
        try:
            migrate(server.start())
        finally:
            server.stop()
        yield folder


def copy_cluster(cluster: DataFolder, to: DataFolder) -> None:
    """Give a new data folder the database of another one, and its passwords: so it need not be created first."""
    for folder, own in ((cluster.postgres, to.postgres), (cluster.keys, to.keys)):
        # With the owner: it is the user that runs Postgres.
        subprocess.run(["cp", "-a", f"{folder}/.", str(own)], check=True)


@asynccontextmanager
async def opened(database: Pool) -> AsyncIterator[Pool]:
    """A pool of connections, open for as long as the block lasts."""
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def in_database(url: str, name: str) -> str:
    """The URL with another database's name."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def fresh_database(server_url: str, template: str | None = None) -> Iterator[str]:
    """The URL of a new database, a copy of `template` if given, for as long as the block lasts."""
    name = create_database(server_url, template)
    try:
        yield in_database(server_url, name)
    finally:
        drop_database(server_url, name)


def create_database(server_url: str, template: str | None = None) -> str:
    """A new database, a copy of `template` if given; its name."""
    name = f"floorhub_test_{uuid.uuid4().hex[:16]}"
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    with psycopg.connect(server_url, autocommit=True) as connection:
        if template is not None:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
            if connection.info.server_version >= _FIRST_WITH_STRATEGY:
                statement += sql.SQL(" STRATEGY FILE_COPY")
        connection.execute(statement)
    return name


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, connections that a failed test left open included.

    FORCE comes second: it ends connections, but an autovacuum worker in the database makes it fail for a role that is
    no superuser. The plain statement ends such workers itself, and waits 5 s for connections.
    """
    drop = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    with psycopg.connect(server_url, autocommit=True) as connection:
        try:
            connection.execute(drop)
        except psycopg.errors.ObjectInUse:
            connection.execute(drop + sql.SQL(" WITH (FORCE)"))

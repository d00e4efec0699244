"""Fixtures for tests that need Postgres; a server starts once, each test gets a fresh, migrated database of its own."""

import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import cache

import pytest
import structlog

from hub.database.engine import Database
from hub.database.migrate import migrate
from hub.programs.embedded.data_folder import DataFolder
from tests.support import postgres
from tests.support.examples import register_profiles
from tests.support.order import LONGEST_FIRST

register_profiles()


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what runs in its background so, and the programs that tests interrupt would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this suite."""
    parser.addoption(
        "--postgres-major",
        action="append",
        type=int,
        choices=postgres.MAJORS,
        help="run the store's tests on this bundled Postgres only; may be given twice (default: on all)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first. A file stays together, whatever its parameters of wider scope."""
    places = {file: place for place, file in enumerate(LONGEST_FIRST)}
    files = {file: number for number, file in enumerate(dict.fromkeys(map(_file, items)))}
    items.sort(key=lambda item: (places.get(_file(item), len(places)), files[_file(item)]))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `each_postgres` run once for each major; a server that the environment names is used as it is."""
    if metafunc.definition.get_closest_marker("each_postgres") is None or postgres.given_url() is not None:
        return
    majors: list[int] = metafunc.config.getoption("--postgres-major") or list(postgres.MAJORS)
    if "postgres_major" in metafunc.fixturenames:
        ids = [f"pg{major}" for major in majors]
        metafunc.parametrize("postgres_major", majors, indirect=True, ids=ids, scope="session")


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    """Whoever runs a program within the test's process sends logs to its streams, which end with that test, and may
    block signals, which later children inherit."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    root, ours = logging.getLogger(), logging.getLogger("floorhub.agent")
    before = (root.handlers[:], root.level, ours.level, structlog.get_config())
    yield
    root.handlers[:], level, agents, configured = before
    root.setLevel(level)
    ours.setLevel(agents)
    structlog.configure(**configured)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@pytest.fixture(scope="session")
def postgres_major(request: pytest.FixtureRequest) -> int:
    """Which bundled Postgres to use; the store's tests run with each."""
    chosen: list[int] = request.config.getoption("--postgres-major") or [postgres.MAJORS[0]]
    return int(getattr(request, "param", chosen[0]))


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[Callable[[int], postgres.Server]]:
    """A server of each major, from the first test that asks for it until the last test of all."""
    with ExitStack() as running:

        @cache
        def server(major: int) -> postgres.Server:
            url = running.enter_context(postgres.running(major))
            name = postgres.create_database(url)
            running.callback(postgres.drop_database, url, name)
            migrate(postgres.in_database(url, name))
            return postgres.Server(url, name)

        yield server


@pytest.fixture(scope="session")
def postgres_server(postgres_servers: Callable[[int], postgres.Server], postgres_major: int) -> str:
    """The URL of a server; its role may create databases."""
    return postgres_servers(postgres_major).url


@pytest.fixture(scope="session")
def database_template(postgres_servers: Callable[[int], postgres.Server], postgres_major: int) -> str:
    """The name of a migrated, empty database that nobody is connected to."""
    return postgres_servers(postgres_major).template


@pytest.fixture(scope="session")
def cluster() -> Iterator[DataFolder]:
    """The database of a site where nothing happened yet, to be copied by sites that start."""
    with postgres.empty_cluster() as folder:
        yield folder


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A database without any table."""
    with postgres.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def database_url(postgres_server: str, database_template: str) -> Iterator[str]:
    """A migrated, empty database of this test's own."""
    with postgres.fresh_database(postgres_server, database_template) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The open pool of this test's database."""
    async with postgres.opened(Database(database_url)) as database:
        yield database


@pytest.fixture
async def shift_clock(database_url: str) -> AsyncIterator[Callable[[str], Awaitable[Database]]]:
    """Opens this test's database with its clock shifted, such as by "2 hours"; other connections keep the true time."""
    async with AsyncExitStack() as opened:

        async def shift(by: str) -> Database:
            return await opened.enter_async_context(postgres.opened(Database(database_url, clock_shift=by)))

        yield shift

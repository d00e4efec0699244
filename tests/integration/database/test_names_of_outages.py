"""What keeps a connection away is told by its right name."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hub.database.engine import Database
from hub.errors import UnavailableError
from tests.support import postgres
from tests.support.fault_proxy import Conditions, FaultProxy, Loop

SIZE = 4


@pytest.fixture
def line(database_url: str) -> Iterator[tuple[FaultProxy, str]]:
    """A line to this test's database, and the database's URL through it."""
    parts = conninfo_to_dict(database_url)
    loop = Loop()
    proxy = FaultProxy(loop, int(parts["port"]))
    yield proxy, make_conninfo(database_url, host="127.0.0.1", port=proxy.port)
    proxy.close()
    loop.close()


async def code_of(database: Database) -> str:
    with pytest.raises(UnavailableError) as refused:
        async with database.connection() as connection:
            await database.now(connection)
    return refused.value.code


async def test_postgres_that_is_away_is_not_busy(line: tuple[FaultProxy, str]) -> None:
    proxy, url = line
    async with postgres.opened(Database(url, size=SIZE)) as database:
        proxy.set(Conditions(refuse=True))
        proxy.cut(reset=True)
        codes = await asyncio.gather(*(code_of(database) for _ in range(3 * SIZE)))
    assert set(codes) == {"database_unavailable"}


async def test_connections_that_are_all_in_use_are_busy(database_url: str) -> None:
    async with postgres.opened(Database(database_url, size=SIZE)) as database, contextlib.AsyncExitStack() as taken:
        for _ in range(SIZE):
            await taken.enter_async_context(database.connection())
        codes = await asyncio.gather(*(code_of(database) for _ in range(2)))
    assert set(codes) == {"database_busy"}

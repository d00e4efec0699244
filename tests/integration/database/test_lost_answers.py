"""A line on which statements arrive and answers do not: whoever waits hears of it in time, and nothing stays behind."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from hub.batching import Batcher
from hub.database.engine import Database
from hub.errors import UnavailableError
from tests.support import postgres
from tests.support.fault_proxy import GOOD, Conditions, FaultProxy, Loop

DEADLINE_S = 1.0
SHORT_S = 0.2
PATIENCE_S = 3.0
"""Cancelling a statement at a server that does not answer takes 5 s more."""


@pytest.fixture
def line(database_url: str) -> Iterator[FaultProxy]:
    with closing(Loop()) as thread, closing(FaultProxy(thread, int(conninfo_to_dict(database_url)["port"]))) as proxy:
        yield proxy


@pytest.fixture
async def behind(database_url: str, line: FaultProxy) -> AsyncIterator[Database]:
    url = make_conninfo(database_url, host="127.0.0.1", port=line.port)
    async with postgres.opened(Database(url, size=4, deadline_s=DEADLINE_S)) as database:
        yield database
        line.set(GOOD)


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.fault("F10")
async def test_lost_answers_are_an_outage_within_the_deadline(
    behind: Database, line: FaultProxy, in_transaction: bool
) -> None:
    opened = behind.transaction() if in_transaction else behind.connection()

    async def ask() -> None:
        async with asyncio.timeout(PATIENCE_S), opened as connection:
            await connection.execute("SELECT 1")
            line.set(Conditions(down_silent=True))
            await connection.execute("SELECT 2")

    with pytest.raises(UnavailableError, match="database_unavailable"):
        await ask()
    line.set(GOOD)
    async with behind.connection() as connection:
        assert await (await connection.execute("SELECT 3 AS n")).fetchone() == {"n": 3}


async def test_what_waits_behind_others_is_told_in_time_and_never_begun(behind: Database, line: FaultProxy) -> None:
    begun: list[int] = []
    second = asyncio.Event()

    async def work(items: list[int]) -> list[int]:
        begun.extend(items)
        if 2 in items:
            second.set()
        async with behind.connection() as connection:
            await connection.execute("SELECT 1")
        return items

    batcher: Batcher[int, int] = Batcher(work, lanes=1, patience_s=SHORT_S)
    running = asyncio.create_task(batcher.run())
    assert await batcher.submit(1) == 1
    line.set(Conditions(down_silent=True))
    async with asyncio.timeout(PATIENCE_S):
        first = asyncio.create_task(batcher.submit(2))
        await second.wait()
        waiting = [asyncio.create_task(batcher.submit(item)) for item in (3, 4)]
        answers = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [UnavailableError] * 3
    line.set(GOOD)
    assert await batcher.submit(5) == 5
    assert begun == [1, 2, 5]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

"""Two processes that were given one worker name: the second says so and leaves; a broken line is no second one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
import pytest

from hub.config import Settings
from hub.database.engine import Database
from hub.errors import SetupError
from hub.signals import notifications
from hub.signals.notifications import Notifications
from tests.support.waiting import eventually

NAME = "one"


@pytest.fixture
def process(database: Database) -> Callable[..., Notifications]:
    return lambda name=NAME: Notifications(database, name, named=True)


@asynccontextmanager
async def running(one: Notifications) -> AsyncIterator["asyncio.Task[None]"]:
    """A process that lives for as long as the block."""
    await one.claim()
    task = asyncio.create_task(one.run())
    await eventually(lambda: one._first is None)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def a_dead_holder(url: str) -> Iterator[None]:
    """The lock of a process that is gone, whose connection Postgres still has."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(notifications._TAKE_NAME, {"kind": notifications.NAMES, "name": NAME})
        yield


def cut_all(url: str) -> None:
    """End all connections but this one, as a restart of Postgres does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def setup_errors(problem: BaseException) -> list[SetupError]:
    if isinstance(problem, BaseExceptionGroup):
        return [found for inner in problem.exceptions for found in setup_errors(inner)]
    return [problem] if isinstance(problem, SetupError) else []


async def test_the_second_process_of_a_name_leaves_and_the_first_stays(process: Callable[..., Notifications]) -> None:
    async with running(process()) as first:
        for _ in range(2):
            with pytest.raises(SetupError, match=r"worker name one.*FLOORHUB_WORKER"):
                await process().claim()
        async with running(process("two")):
            assert not first.done()


async def test_of_processes_that_start_together_one_has_the_name(process: Callable[..., Notifications]) -> None:
    ends: list[SetupError] = []

    async def start() -> "asyncio.Task[None] | None":
        one = process()
        try:
            await one.claim()
        except SetupError as problem:
            ends.append(problem)
            return None
        task = asyncio.create_task(one.run())
        await eventually(lambda: one._first is None)
        return task

    tasks = [task for task in await asyncio.gather(*(start() for _ in range(4))) if task is not None]
    assert (len(tasks), len(ends)) == (1, 3)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_after_its_end_a_name_is_free_at_once(process: Callable[..., Notifications]) -> None:
    for _ in range(3):
        async with running(process()):
            pass


async def test_a_lock_that_nobody_speaks_for_is_no_process(
    process: Callable[..., Notifications], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "NAME_PATIENCE_S", 0.3)
    with a_dead_holder(database_url):
        async with running(process()) as one:
            assert not one.done()


async def test_a_process_without_its_name_ends_when_the_one_that_has_it_speaks(
    process: Callable[..., Notifications], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "NAME_PATIENCE_S", 0.3)
    with a_dead_holder(database_url):
        async with running(process()) as one:
            other = process()
            other._holds_name = True
            speaking = asyncio.create_task(other.run())
            (problem,) = await asyncio.gather(one, return_exceptions=True)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
    assert isinstance(problem, BaseException)
    assert len(setup_errors(problem)) >= 1


async def test_a_break_of_its_connections_ends_no_process(
    process: Callable[..., Notifications], database_url: str
) -> None:
    one = process()
    async with running(one) as task:
        assert one._holds_name
        before = one._alone_from
        await asyncio.to_thread(cut_all, database_url)
        await eventually(lambda: one._alone_from not in (before, float("inf")))
        assert not task.done()
        with pytest.raises(SetupError):
            await process().claim()


def test_by_default_two_processes_of_one_host_and_number_have_different_names() -> None:
    names = {
        Settings(database_url="postgresql://nobody@127.0.0.1:1/none", data_dir="/nonexistent").worker  # type: ignore[arg-type]
        for _ in range(20)
    }
    assert len(names) == 20

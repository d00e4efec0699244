"""The stores that cases run against."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract.stores import FrozenDatabase, MemoryTrial, PostgresTrial, Trial, begin
from tests.support import postgres


@pytest.fixture(scope="module")
def frozen_url(postgres_server: str, database_template: str) -> Iterator[str]:
    """A database for the cases of one module."""
    name = postgres.create_database(postgres_server, database_template)
    yield postgres.in_database(postgres_server, name)
    postgres.drop_database(postgres_server, name)


@pytest.fixture(scope="module")
async def frozen_database(frozen_url: str) -> AsyncIterator[FrozenDatabase]:
    """Its open pool."""
    opened = FrozenDatabase(frozen_url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def postgres_trial(frozen_database: FrozenDatabase) -> Trial:
    """The SQL, with nothing but a client."""
    trial = PostgresTrial(frozen_database)
    await trial.empty()
    return await begin(trial)


@pytest.fixture
async def memory_trial() -> Trial:
    """The simulation's stores, with nothing but a client."""
    return await begin(MemoryTrial())


@pytest.fixture(params=["postgres", "memory"])
def trial(request: pytest.FixtureRequest) -> Trial:
    """Each store in turn."""
    found: Trial = request.getfixturevalue(f"{request.param}_trial")
    return found

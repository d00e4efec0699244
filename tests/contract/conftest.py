"""The stores that cases run against."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract.stores import FrozenDatabase, MemoryTrial, PostgresTrial, Trial, begin
from tests.support import postgres


@pytest.fixture(scope="module")
def frozen_url(postgres_server: str, database_template: str) -> Iterator[str]:
    """A database for the cases of one module."""
    with postgres.fresh_database(postgres_server, database_template) as url:
        yield url


@pytest.fixture(scope="module")
async def frozen_database(frozen_url: str) -> AsyncIterator[FrozenDatabase]:
    """Its open pool."""
    async with postgres.opened(FrozenDatabase(frozen_url)) as database:
        yield database


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

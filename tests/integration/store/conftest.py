"""The store's tests run on each bundled Postgres, so that nothing newer than what users bring slips into the SQL."""

import pytest

from tests.support import postgres


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One run for each major; a server that the environment names is used as it is."""
    if "postgres_major" not in metafunc.fixturenames or postgres.given_url() is not None:
        return
    majors: list[int] = metafunc.config.getoption("--postgres-major") or list(postgres.MAJORS)
    ids = [f"pg{major}" for major in majors]
    metafunc.parametrize("postgres_major", majors, indirect=True, ids=ids, scope="session")

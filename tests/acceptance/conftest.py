"""One floor for the module of tests that uses it; tests use clients of their own."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.site import Floor, open_floor
from tests.support.speaker import Speaker


@pytest.fixture(scope="module")
def floor() -> Iterator[Floor]:
    with open_floor("acceptance") as running:
        yield running


@pytest.fixture(autouse=True)
def _printer_is_well(floor: Floor) -> Iterator[None]:
    yield
    floor.control_printer()


@pytest.fixture(scope="module")
def speaker(floor: Floor) -> Iterator[Speaker]:
    speaker = Speaker(floor)
    speaker.settle()
    yield speaker
    speaker.close()


@pytest.fixture(scope="module")
def other(floor: Floor) -> Iterator[Speaker]:
    other = Speaker(floor)
    yield other
    other.close()


@pytest.fixture(scope="module")
def database(floor: Floor) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(floor.stack.database_url, autocommit=True) as connection:
        yield connection

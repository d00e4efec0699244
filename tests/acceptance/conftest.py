"""One site for the module of tests that uses it; tests use clients of their own."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.site import Site, open_site
from tests.support.speaker import Speaker


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with open_site("acceptance") as running:
        yield running


@pytest.fixture(autouse=True)
def _printer_is_well(site: Site) -> Iterator[None]:
    yield
    site.control_printer()


@pytest.fixture(scope="module")
def speaker(site: Site) -> Iterator[Speaker]:
    speaker = Speaker(site)
    speaker.settle()
    yield speaker
    speaker.close()


@pytest.fixture(scope="module")
def other(site: Site) -> Iterator[Speaker]:
    other = Speaker(site)
    yield other
    other.close()


@pytest.fixture(scope="module")
def database(site: Site) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        yield connection

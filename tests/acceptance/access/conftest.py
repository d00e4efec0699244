"""What the tests of access share."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.shops import Maker
from tests.support.site import Site


@pytest.fixture(scope="module")
def maker(site: Site, database: psycopg.Connection[Any]) -> Iterator[Maker]:
    maker = Maker(site, database)
    yield maker
    maker.close()

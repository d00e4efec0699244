"""A site for each module of tests: one that all share, or one of its own where things break.

A module says `pytestmark = pytest.mark.own_site("why")` when it kills a service, or when what others left behind would
change its outcome. All others share the one of their test process, and use clients of their own.
"""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from hub.programs.embedded.data_folder import DataFolder
from tests.support.site import Site, open_site
from tests.support.speaker import Speaker


@pytest.fixture(scope="session")
def shared_site(cluster: DataFolder) -> Iterator[Site]:
    with open_site("shared", cluster=cluster) as running:
        yield running


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    if request.node.get_closest_marker("own_site") is not None:
        with open_site("acceptance", cluster=request.getfixturevalue("cluster")) as running:
            yield running
    else:
        shared: Site = request.getfixturevalue("shared_site")
        yield shared
        shared.clear()


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

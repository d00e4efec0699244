"""One edge for each module of tests."""

from collections.abc import Iterator

import httpx
import pytest

from tests.support.edge import EdgeSite, open_edge
from tests.support.site import Site


@pytest.fixture(scope="module")
def edge(site: Site) -> Iterator[EdgeSite]:
    with open_edge(site) as running:
        yield running


@pytest.fixture
def http(edge: EdgeSite) -> Iterator[httpx.Client]:
    with edge.http() as client:
        yield client

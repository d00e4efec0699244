"""A hub with pages behind an edge, and a browser that trusts its authority, for each module of tests."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from hub.programs import web_build
from tests.support.browser import chromium, trust
from tests.support.edge import EdgeSite, open_edge
from tests.support.site import Site


@pytest.fixture(scope="module")
def edge(site: Site) -> Iterator[EdgeSite]:
    with open_edge(site, hub={"FLOORHUB_PAGES_FOLDER": str(web_build.build())}) as running:
        yield running


@pytest.fixture(scope="module")
def browser(edge: EdgeSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    home = tmp_path_factory.mktemp("browser")
    trust(home, edge.authority_file)
    with chromium(home) as running:
        yield running


@pytest.fixture
def http(edge: EdgeSite) -> Iterator[httpx.Client]:
    with edge.http() as client:
        yield client

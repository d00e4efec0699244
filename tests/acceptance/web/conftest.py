"""A browser, and a hub with built pages, for each module of tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from hub.programs import web_build
from hub.programs.embedded.node import Node
from tests.support.browser import chromium
from tests.support.certificates import CERTIFICATE
from tests.support.site import Site


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="module")
def url(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub with built pages, and a certificate authority that links name."""
    authority = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.write_text(CERTIFICATE)
    settings = {"FLOORHUB_PAGES_FOLDER": str(web_build.build()), "FLOORHUB_CA_FILE": str(authority)}
    with site.another_hub("pages", **settings):
        yield site.hub_url("pages")


@pytest.fixture(scope="module")
def axe() -> str:
    modules = Node.find().modules(web_build.packages(), web_build.SOURCES)
    return (modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")

"""A broker with the shipped configuration, TLS included, and links of both kinds to it."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from broker_config import render
from hub.mqtt.link import Link, LinkType
from hub.mqtt.session import LINKS
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.ports import PortBook
from tests.integration.mqtt.running_broker import SECRET, Connect, Running, Taker
from tests.support.embedded_broker import known_client, running_broker
from tests.support.folders import open_folder


def _certificate(folder: Path, ports: tuple[int, int]) -> render.Tls:
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        " -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem"
    )
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    for name in ("key.pem", "certificate.pem"):
        (folder / name).chmod(0o644)  # The user that runs the broker reads them, whatever the umask.
    return render.Tls(folder / "certificate.pem", folder / "key.pem", *ports, "127.0.0.1")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with open_folder("mqtt") as base:
        folder = DataFolder.prepare(base / "data")
        book = PortBook(folder.ports)
        tls = _certificate(base, (book.choose("tls", 0).number, book.choose("tls-websocket", 0).number))
        with running_broker(folder, [known_client("alice", SECRET)], tls) as started:
            yield Running(started.embedded, started.accounts.hub, tls)


@pytest.fixture(params=sorted(LINKS))
def link_type(request: pytest.FixtureRequest) -> LinkType:
    """Each client in turn."""
    return LINKS[str(request.param)]


@pytest.fixture
async def connect(running: Running, link_type: LinkType) -> AsyncIterator[Connect]:
    """A link of `who` that stands, with its subscriptions, and what it hears."""
    links: list[Link] = []

    async def open_link(who: str, *subscriptions: str) -> tuple[Link, Taker]:
        taker = Taker()
        link = link_type(running.address(who), taker)
        links.append(link)
        await link.open()
        assert await link.subscribe([(name, 1) for name in subscriptions]) == []
        return link, taker

    yield open_link
    for link in links:
        link.close()

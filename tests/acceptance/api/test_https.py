"""`floorhub serve` with a certificate: HTTPS beside HTTP, and a certificate that changes while people use it."""

import contextlib
import http.client
import json
import shutil
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from hub.programs.embedded.authority import Authority, Names
from hub.programs.embedded.machine_names import alone
from hub.programs.embedded.ports import PortBook
from tests.support.site import Process, Site
from tests.support.waiting import until

HERE = "127.0.0.2"


def certificate(folder: Path, *hosts: str) -> Path:
    """A folder with an authority, and its certificate for this address and these names."""
    folder.mkdir(exist_ok=True)
    issued = Authority(folder).ensure(Names(hosts, (alone(ip_address(HERE)),)))
    return issued.authority_file.parent


class Secure:
    """A hub with HTTPS, whose files a test replaces."""

    def __init__(self, site: Site, process: Process, port: int, files: Path) -> None:
        self.site = site
        self.process = process
        self.port = port
        self.files = files

    def connect(self) -> http.client.HTTPSConnection:
        """A connection that trusts whatever authority the hub has now."""
        trusted = ssl.create_default_context(cafile=str(self.files / "authority.pem"))
        return http.client.HTTPSConnection(HERE, self.port, timeout=10, context=trusted)

    def shown(self) -> str:
        """The certificate for new connections."""
        return ssl.get_server_certificate((HERE, self.port), timeout=10)

    def replace(self, other: Path) -> None:
        """Put certificate and key of another folder in place, as a program that renews does: one after the other."""
        for name in ("hub.key", "hub.pem"):
            shutil.copy(other / name, self.files / f"{name}.new")
            (self.files / f"{name}.new").replace(self.files / name)

    def logged(self, event: str) -> list[dict[str, str]]:
        """Lines of the hub's log."""
        lines = [json.loads(line) for line in self.process.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]


@pytest.fixture(scope="module")
def secure(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    files = certificate(tmp_path_factory.mktemp("served"), "shop-pc")
    port = PortBook(site.folder.ports).choose("https-test", 0, (HERE,)).number
    settings = {
        "FLOORHUB_TLS_CERTIFICATE": str(files / "hub.pem"),
        "FLOORHUB_TLS_KEY": str(files / "hub.key"),
        "FLOORHUB_TLS_HOST": HERE,
        "FLOORHUB_TLS_PORT": str(port),
        "FLOORHUB_CA_FILE": str(files / "authority.pem"),
        "FLOORHUB_PUBLIC_URL": f"https://{HERE}:{port}",
    }
    with site.another_hub("secure", **settings) as process:
        yield Secure(site, process, port, files)


def asked(connection: http.client.HTTPConnection, path: str = "/health") -> int:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_it_answers_by_https_there_and_by_http_on_this_machine_only(secure: Secure) -> None:
    with contextlib.closing(secure.connect()) as connection:
        assert asked(connection) == 200
        assert asked(connection, "/trust") == 200
        assert asked(connection, "/api/clients") == 401
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HERE, secure.site.hub_ports["secure"]), 10)
    with socket.create_connection((HERE, secure.port), 10) as plain:
        plain.sendall(b"GET /health HTTP/1.1\r\nHost: hub\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"200" not in plain.recv(100)


def test_it_warns_of_an_authority_of_its_own(secure: Secure) -> None:
    (doubt,) = [line for line in secure.logged("setting.doubtful") if line["setting"] == "FLOORHUB_TLS_CERTIFICATE"]
    assert "not from an authority that this machine knows" in doubt["message"]


def test_a_new_certificate_is_for_new_connections_and_a_wrong_one_for_none(secure: Secure, tmp_path: Path) -> None:
    before = secure.shown()
    with contextlib.closing(secure.connect()) as connection:
        assert asked(connection) == 200
        shutil.copy(certificate(tmp_path / "foreign", "shop-pc") / "hub.key", secure.files / "hub.key")
        until(lambda: secure.logged("certificate.unusable"), "the hub says that they do not match")
        assert secure.shown() == before

        secure.replace(certificate(tmp_path / "next", "shop-pc"))

        until(lambda: secure.shown() != before, "the new certificate")
        assert asked(connection) == 200
    assert secure.shown().strip() == (secure.files / "hub.pem").read_text().strip()

"""An edge in front of a hub of its own at a site, and what speaks TLS with it byte by byte."""

import contextlib
import os
import signal
import socket
import ssl
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.programs.embedded.ports import PortBook
from tests.support.plain_http import get
from tests.support.site import Site
from tests.support.waiting import READY_S, until

NAME = "hub.example"
DEADLINE_S = 20.0
_CONNECTED = "03"
"""The state of a Unix socket with somebody at its other end."""


class Authority:
    """A certificate authority of the tests, which only they trust."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "floorhub test authority")])
        self._certificate = self._sign(self._name, self._key.public_key(), days=30, authority=True)

    @property
    def pem(self) -> str:
        """Its certificate."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def context(self) -> ssl.SSLContext:
        """Of a client that trusts this authority alone."""
        return ssl.create_default_context(cadata=self.pem)

    def write(self, certificate: Path, key: Path, *, days: int = 7) -> int:
        """A new pair for this machine, replaced one after the other; the certificate's serial number."""
        private = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), private.public_key(), days=days, authority=False
        )
        _replace(
            key,
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        _replace(certificate, made.public_bytes(serialization.Encoding.PEM))
        return made.serial_number

    def _sign(self, name: x509.Name, key: Any, *, days: int, authority: bool) -> x509.Certificate:
        names = [x509.DNSName(NAME), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=10))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._key.public_key() if authority else key), critical=False
            )
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _replace(file: Path, content: bytes) -> None:
    made = file.with_suffix(".new")
    made.write_bytes(content)
    made.chmod(0o600)
    made.replace(file)


class EdgeSite:
    """The edge, and the hub behind it, whose name at the site is `behind`."""

    def __init__(self, site: Site, folder: Path, hub: Mapping[str, str] | None = None, **settings: str) -> None:
        """`settings`: further ones of the edge; `hub`: of the hub behind it, which gets the authority's file, too."""
        self.site = site
        self.authority = Authority()
        self.certificate, self.key = folder / "edge.pem", folder / "edge.key"
        self.serial = self.authority.write(self.certificate, self.key)
        self.authority_file = folder / "authority.pem"
        self.authority_file.write_text(self.authority.pem)
        self.socket = folder / "hub.sock"
        behind = {} if hub is None else {"FLOORHUB_CA_FILE": str(self.authority_file), **hub}
        book = PortBook(site.folder.ports)
        self.port = book.choose("edge", 0).number
        self.status_port = book.choose("edge-status", 0).number
        self.hub = site.add_hub("behind", FLOORHUB_SOCKET=str(self.socket), FLOORHUB_ROLES="api", **behind)
        self.process = site.start(
            "edge",
            [sys.executable, "-m", "hub", "edge"],
            {
                "FLOORHUB_TLS_CERTIFICATE": str(self.certificate),
                "FLOORHUB_TLS_KEY": str(self.key),
                "FLOORHUB_TLS_HOST": "127.0.0.1",
                "FLOORHUB_TLS_PORT": str(self.port),
                "FLOORHUB_SOCKET": str(self.socket),
                "FLOORHUB_MQTT_URL": str(site.stack.mqtt_url),
                "FLOORHUB_HOSTS": f"{NAME},localhost",
                "FLOORHUB_CORS_ORIGINS": "https://shop.example",
                "FLOORHUB_EDGE_STATUS_PORT": str(self.status_port),
                **settings,
            },
            "edge.log",
        )
        self.url = f"https://localhost:{self.port}"
        self.trust = self.authority.context()

    def wait_ready(self) -> None:
        """Until the edge reaches the hub and the broker."""
        until(self._is_ready, lambda: f"the edge: {self.process.tail()}\n{self.hub.tail()}", READY_S)

    def _is_ready(self) -> bool:
        for process in (self.process, self.hub):
            assert process.process.poll() is None, process.tail()
        try:
            return get(f"{self.status_url}/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def status_url(self) -> str:
        """Where the edge says how it is."""
        return f"http://127.0.0.1:{self.status_port}"

    def figures(self) -> dict[str, float]:
        """Its metrics by their name with labels."""
        lines = get(f"{self.status_url}/metrics").text.splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}

    def refused(self, reason: str) -> float:
        """How many it has turned away for this reason."""
        return self.figures()[f'floorhub_edge_refused_total{{reason="{reason}"}}']

    def standing(self, state: str) -> float:
        """How many connections are in this state."""
        return self.figures()[f'floorhub_edge_connections{{state="{state}"}}']

    def at_the_hub(self) -> int:
        """How many connections the hub has at its Unix socket, as Linux says."""
        lines = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
        return sum(line[5] == _CONNECTED and line[-1] == str(self.socket) for line in lines)

    def http(self, **options: Any) -> httpx.Client:
        """The administrator's HTTP through the edge. Close it."""
        headers = {"Authorization": f"Bearer {self.site.key}"}
        return httpx.Client(
            **{
                "base_url": self.url,
                "verify": self.trust,
                "trust_env": False,
                "timeout": 70,
                "headers": headers,
                **options,
            }
        )

    def plain(self) -> socket.socket:
        """A connection on which TLS has not begun. Close it."""
        return socket.create_connection(("127.0.0.1", self.port), DEADLINE_S)

    def connect(self) -> ssl.SSLSocket:
        """A connection with TLS. Close it."""
        return self.trust.wrap_socket(self.plain(), server_hostname="localhost")

    def exchange(self, *parts: bytes) -> bytes:
        """Send these one after the other; all that comes until the edge closes the connection."""
        with contextlib.closing(self.connect()) as connection:
            for part in parts:
                connection.sendall(part)
            return until_end(connection)

    def stream(self, client: dict[str, Any]) -> ssl.SSLSocket:
        """The events of a client, whose first part has come. Close it."""
        basic = b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
        head = f"GET /api/events/{client['id']}?session=s HTTP/1.1\r\nHost: localhost\r\n"
        connection = self.connect()
        connection.sendall(f"{head}Authorization: Basic {basic}\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
        return connection

    def reload(self) -> None:
        """Ask it to look at its certificate now."""
        os.kill(self.process.process.pid, signal.SIGHUP)


def until_end(connection: socket.socket) -> bytes:
    """All that comes until the other side ends the connection, in whichever way."""
    came = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
        while part := connection.recv(65_536):
            came += part
    return came


@contextmanager
def open_edge(site: Site, hub: Mapping[str, str] | None = None, **settings: str) -> Iterator[EdgeSite]:
    """An edge with its hub, ready, for as long as the block lasts."""
    # A socket's path has at most 107 bytes.
    with tempfile.TemporaryDirectory(prefix="floorhub-edge-") as folder:
        edge = EdgeSite(site, Path(folder), hub, **settings)
        try:
            edge.wait_ready()
            yield edge
        finally:
            edge.process.stop()
            edge.hub.stop()

"""What `floorhub up --listen` starts for other machines, and what it tells about them."""

import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from hub.programs.cli.output import either
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.lan import CA_FILE, HTTPS_PORT, PUBLIC_MQTT_URL, PUBLIC_URL, Lan
from hub.programs.embedded.patience import Say
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.stack import Stack
from hub.programs.embedded.supervision import Program
from schemas.fingerprints import grouped

EDGE_STATUS_PORT = 8444
SOCKET = "hub.sock"
"""Of the hub, in the data folder, for the edge."""
_LONGEST_SOCKET = 100
"""Bytes of a path that a Unix socket can have."""


class Network:
    """The listeners for other machines beside the broker's: the edge, where this version has one, else the hub
    itself."""

    def __init__(self, lan: Lan, stack: Stack, folder: DataFolder, say: Say) -> None:
        self._lan = lan
        self._stack = stack
        self._folder = folder
        self._ports = PortBook(folder.ports)
        self._say = say
        self._tls: dict[str, str] = {}
        self._public: dict[str, str] = {}

    @property
    def pinned(self) -> bool:
        """Whether the hub's accounts at the broker have one connection each."""
        return self._lan.broker_pins() is not None

    @property
    def noted(self) -> dict[str, str]:
        """How other machines are served, as settings."""
        return {**self._tls, **self._public}

    def hub_settings(self) -> dict[str, str]:
        """Variables for the hub, with ports that are free now."""
        broker = self._stack.broker
        tls = broker.options.tls if broker is not None else None
        if tls is None:
            return {}
        port = self._port("https", HTTPS_PORT, (tls.bind,))
        self._tls = self._lan.tls_settings(port)
        self._public = self._lan.public_settings(port, tls.port)
        if self._socket is None:
            return self.noted
        return {**self._public, "FLOORHUB_SOCKET": str(self._socket)}

    def start(self, shared: Mapping[str, str]) -> Program | None:
        """Start the edge in front of the hub; None when the hub serves the network itself. `shared`: settings that both
        have."""
        if self._socket is None or not self._tls:
            return None
        settings = {
            **shared,
            **self._tls,
            "FLOORHUB_SOCKET": str(self._socket),
            "FLOORHUB_MQTT_URL": self._stack.mqtt_url or "",
            "FLOORHUB_EDGE_STATUS_PORT": str(self._port("edge-status", EDGE_STATUS_PORT)),
        }
        return self._stack.start_child("edge", [sys.executable, "-m", "hub", "edge"], settings)

    def tick(self) -> None:
        """Keep the certificate fresh. Call it a few times a second."""
        self._lan.tick(self._renewed)

    def lines(self) -> list[str]:
        """Where other machines find the hub, and how they know that it is the right one."""
        url, mqtt_url = self._public.get(PUBLIC_URL), self._public.get(PUBLIC_MQTT_URL)
        if not url:
            return []
        told = [either(f"Network:  {url}   (MQTT: {mqtt_url})", f"네트워크: {url}   (MQTT: {mqtt_url})")]
        if self._lan.issued is not None:
            shown = grouped(self._lan.issued.fingerprint)
            told.append(
                either(f"Trust:    {url}/trust   (fingerprint {shown})", f"신뢰:    {url}/trust   (지문 {shown})")
            )
        elif CA_FILE in self._public:
            told.append(either(f"Trust:    {url}/trust", f"신뢰:    {url}/trust"))
        return told

    @property
    def _socket(self) -> Path | None:
        """Where the hub and the edge meet; None without an edge. A long path is none that a socket can have."""
        if find_spec("hub.programs.edge") is None:
            return None
        place = self._folder.root / SOCKET
        return place if len(bytes(place)) < _LONGEST_SOCKET else None

    def _renewed(self) -> None:
        """The certificate changed; whoever serves HTTPS looks at its files by itself."""
        if self._stack.broker is not None:
            self._stack.broker.renew_certificate()

    def _port(self, name: str, wanted: int, hosts: tuple[str, ...] | None = None) -> int:
        chosen = self._ports.choose(name, wanted) if hosts is None else self._ports.choose(name, wanted, hosts)
        if chosen.why:
            self._say(chosen.why)
        return chosen.number

"""A Mosquitto with the shipped configuration, and how to get in."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from broker_config import render
from hub.programs.embedded.accounts import Accounts, load_or_create
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.mosquitto import BrokerOptions, EmbeddedBroker
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook


@dataclass(frozen=True)
class RunningBroker:
    """The broker, and the accounts that the hub and its operators have there."""

    embedded: EmbeddedBroker
    accounts: Accounts

    @property
    def url(self) -> str:
        return self.embedded.url

    @property
    def port(self) -> int:
        """Where it speaks plain MQTT."""
        return self.embedded.options.mqtt_port


def known_client(name: str, secret: str, *, disabled: bool = False) -> render.Client:
    """A client that the broker knows."""
    return render.Client(name, render.hash_password(secret), disabled)


@contextmanager
def running_broker(
    folder: DataFolder,
    clients: Iterable[render.Client],
    tls: render.Tls | None = None,
    pinned: Mapping[str, str] | None = None,
) -> Iterator[RunningBroker]:
    """A broker on ports of its own that knows our accounts and these clients, for as long as the block lasts. `pinned`:
    the only client id of an account."""
    ports = PortBook(folder.ports)
    mqtt, websocket = (ports.choose(name, 0).number for name in ("mqtt", "websocket"))
    accounts = load_or_create(folder.keys / "broker-accounts.json")
    hashed = {role: render.hash_password(secret) for role, secret in accounts.passwords().items()}
    embedded = EmbeddedBroker(folder, Packages(), BrokerOptions(mqtt, websocket, tls=tls))
    embedded.start(render.render_dynsec(hashed, list(clients), pinned))
    try:
        yield RunningBroker(embedded, accounts)
    finally:
        embedded.stop()

"""Real services in a data folder of their own; unpacked packages are shared with everything else on the machine."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.programs.embedded.accounts import Accounts
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.mosquitto import EmbeddedBroker
from hub.programs.embedded.packages import Packages
from tests.support.broker_client import SECRETS, BrokerClient, Connect
from tests.support.embedded_broker import RunningBroker, known_client, running_broker
from tests.support.folders import open_folder

_connections = itertools.count()


@pytest.fixture(scope="session")
def packages() -> Packages:
    """Where unpacked packages lie on this machine."""
    return Packages()


@contextmanager
def _new_folder() -> Iterator[DataFolder]:
    # Long and with spaces on purpose.
    with open_folder("test with spaces") as base:
        yield DataFolder.prepare(base / ("a rather long folder name " * 4).strip())


@pytest.fixture
def data_folder() -> Iterator[DataFolder]:
    """An empty, prepared data folder."""
    with _new_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_data_folder() -> Iterator[DataFolder]:
    """A data folder for the tests of one module."""
    with _new_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def running(shared_data_folder: DataFolder) -> Iterator[RunningBroker]:
    clients = [known_client(name, secret, disabled=name == "gone") for name, secret in SECRETS.items()]
    with running_broker(shared_data_folder, clients) as running:
        yield running


@pytest.fixture(scope="module")
def own_accounts(running: RunningBroker) -> Accounts:
    return running.accounts


@pytest.fixture(scope="module")
def broker(running: RunningBroker) -> EmbeddedBroker:
    return running.embedded


@pytest.fixture
def connect(broker: EmbeddedBroker, own_accounts: Accounts) -> Iterator[Connect]:
    """Connect as a client (`alice`, `bob`) or as one of our own accounts (`hub`, `ops`, `admin`)."""
    opened: list[BrokerClient] = []

    def open_connection(who: str, **options: object) -> BrokerClient:
        account = getattr(own_accounts, who, None)
        username, password = (account.username, account.password) if account else (who, SECRETS[who])
        client_id = f"{username}-{next(_connections)}" if account else who
        websockets = options.get("transport") == "websockets"
        port = broker.options.websocket_port if websockets else broker.options.mqtt_port
        client = BrokerClient(port, client_id, username, password, **options)  # type: ignore[arg-type]
        assert client.connect() == 0
        opened.append(client)
        return client

    yield open_connection
    for client in opened:
        client.close()

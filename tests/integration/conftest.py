"""Real services in a data folder of their own; unpacked packages are shared with everything else on the machine."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker_config import render
from hub.programs.embedded import accounts
from hub.programs.embedded.accounts import Accounts
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.mosquitto import BrokerOptions, EmbeddedBroker
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from tests.support.broker_client import SECRETS, BrokerClient, Connect

_connections = itertools.count()


@pytest.fixture(scope="session")
def packages() -> Packages:
    """Where unpacked packages lie on this machine."""
    return Packages()


def _new_root() -> Path:
    # Not pytest's tmp_path: its parents are closed to the user that runs Postgres. Long and with spaces on purpose.
    base = Path(tempfile.mkdtemp(prefix="floorhub test "))
    base.chmod(0o755)
    return base / ("a rather long folder name " * 4).strip()


@pytest.fixture
def data_folder() -> Iterator[DataFolder]:
    """An empty, prepared data folder."""
    root = _new_root()
    yield DataFolder.prepare(root)
    shutil.rmtree(root.parent)


@pytest.fixture(scope="module")
def shared_data_folder() -> Iterator[DataFolder]:
    """A data folder for the tests of one module."""
    root = _new_root()
    yield DataFolder.prepare(root)
    shutil.rmtree(root.parent)


@pytest.fixture(scope="module")
def own_accounts(shared_data_folder: DataFolder) -> Accounts:
    return accounts.load_or_create(shared_data_folder.keys / "broker-accounts.json")


@pytest.fixture(scope="module")
def broker(shared_data_folder: DataFolder, packages: Packages, own_accounts: Accounts) -> Iterator[EmbeddedBroker]:
    book = PortBook(shared_data_folder.ports)
    options = BrokerOptions(book.choose("mqtt", 0).number, book.choose("websocket", 0).number)
    hashed = {role: render.hash_password(secret) for role, secret in own_accounts.passwords().items()}
    clients = [render.Client(name, render.hash_password(secret), name == "gone") for name, secret in SECRETS.items()]
    running = EmbeddedBroker(shared_data_folder, packages, options)
    running.start(render.render_dynsec(hashed, clients))
    yield running
    running.stop()


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

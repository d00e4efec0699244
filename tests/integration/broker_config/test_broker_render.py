"""`floorhub broker render`: a real Mosquitto on the files it writes, with a database that has clients."""

import asyncio
import json
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from broker_config.render import hash_password
from hub.database.engine import Database
from hub.programs.embedded import ports, service_user
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import LOOPBACK, PortBook
from hub.programs.embedded.processes import Child, ChildSpec
from tests.support.factories import add_client
from tests.support.paths import ROOT

SECRETS = {"FLOORHUB_MQTT_PASSWORD": "hub-secret", "FLOORHUB_MQTT_ADMIN_PASSWORD": "admin-secret"}
DEADLINE_S = 60
START_S = 20


@dataclass
class Site:
    """A folder, open to the user that runs the broker, and what the program is called with."""

    folder: Path
    database_url: str
    options: list[str]
    port: int

    def render(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the program with these further arguments."""
        argv = [sys.executable, "-m", "hub", "broker", "render", str(self.folder / "broker"), *self.options, *arguments]
        settings = {"FLOORHUB_DATABASE_URL": self.database_url, "PYTHONPATH": str(ROOT), **environment}
        return subprocess.run(argv, env=settings, capture_output=True, text=True, timeout=DEADLINE_S, check=False)

    def start_broker(self) -> Child:
        """A broker on the rendered files, ready."""
        program = Packages().program("mosquitto", "mosquitto")
        child = Child.start(
            ChildSpec(
                name="Mosquitto",
                argv=[str(program.path), "-c", str(self.folder / "broker" / "mosquitto.conf")],
                log=self.folder / "log",
                note=self.folder / "note",
                env=program.env,
                user=service_user.find_or_create(),
            )
        )
        child.wait_ready(lambda: ports.listens(child.pid, self.port), START_S)
        return child


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="floorhub-render-"))
    folder.chmod(0o755)
    book = PortBook(folder / "ports.json")
    mqtt, websocket = (book.choose(name, 0, LOOPBACK).number for name in ("mqtt", "websocket"))
    plugin = Packages().program("mosquitto", "mosquitto").find_library("mosquitto_dynamic_security.so")
    options = ["--port", str(mqtt), "--websocket-port", str(websocket), "--plugin", str(plugin)]
    user = service_user.find_or_create()
    options += [] if user is None else ["--owner", user.name]
    yield Site(folder, database_url, options, mqtt)
    shutil.rmtree(folder)


async def connects(port: int, username: str, password: str, identifier: str) -> bool:
    """Whether the broker takes this account."""
    client = aiomqtt.Client(
        "127.0.0.1", port, username=username, password=password, identifier=identifier, timeout=DEADLINE_S
    )
    try:
        async with client:
            return True
    except aiomqtt.MqttError:
        return False


async def test_a_broker_takes_the_hub_and_the_clients_of_the_database_and_nobody_else(
    site: Site, database: Database
) -> None:
    for name in ("pc-1", "pc-2"):
        hashed = hash_password(f"{name}-secret")
        await add_client(
            database, name, mqtt_password=hashed.password, mqtt_salt=hashed.salt, mqtt_iterations=hashed.iterations
        )

    done = await asyncio.to_thread(site.render, "--json", **SECRETS)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["clients"] == 2
    broker = site.start_broker()
    try:
        accepted = {
            (who, how): await connects(site.port, who, how, identifier)
            for who, how, identifier in [
                ("pc-1", "pc-1-secret", "pc-1"),
                ("pc-2", "pc-1-secret", "pc-2"),
                ("pc-2", "pc-2-secret", "pc-1"),
                ("_hub", "hub-secret", "_hub-one"),
                ("_admin", "admin-secret", "_admin-one"),
                ("_ops", "", "_ops-one"),
            ]
        }
    finally:
        broker.stop()
    assert [key for key, yes in accepted.items() if yes] == [
        ("pc-1", "pc-1-secret"),
        ("_hub", "hub-secret"),
        ("_admin", "admin-secret"),
    ]


def test_only_the_brokers_user_can_read_what_it_writes(site: Site) -> None:
    assert site.render(**SECRETS).returncode == 0

    folder = site.folder / "broker"
    user = service_user.find_or_create()
    for file in (folder, *folder.iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        assert user is None or file.stat().st_uid == user.uid, file
    assert "hub-secret" not in "".join(file.read_text() for file in folder.iterdir() if file.is_file())


def test_without_secrets_from_outside_it_keeps_some_of_its_own(site: Site) -> None:
    data = site.folder / "data"

    first, second = (site.render(FLOORHUB_DATA_DIR=str(data)) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    kept = data / "keys" / "broker-accounts.json"
    assert str(kept) in first.stdout
    assert {account["username"] for account in json.loads(kept.read_text()).values()} == {"_hub", "_admin", "_ops"}


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "FLOORHUB_MQTT_PASSWORD"),
        (["--tls-certificate", "cert.pem"], SECRETS, "--tls-key"),
        (["--owner", "nobody-of-that-name"], SECRETS, "nobody-of-that-name"),
    ],
)
def test_what_is_missing_is_said(site: Site, arguments: list[str], environment: dict[str, str], said: str) -> None:
    done = site.render(*arguments, **environment)

    assert done.returncode == 2
    assert said in done.stderr


def test_an_old_schema_is_refused(site: Site, empty_database_url: str) -> None:
    site.database_url = empty_database_url

    done = site.render(**SECRETS)

    assert done.returncode == 2
    assert "floorhub migrate" in done.stderr

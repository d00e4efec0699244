"""`floorhub broker render`: a real Mosquitto on the files it writes, with a database that has clients."""

import asyncio
import json
import stat
import subprocess
import sys
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
from tests.support.folders import open_folder
from tests.support.paths import ROOT

SECRETS = {"FLOORHUB_MQTT_PASSWORD": "hub-secret", "FLOORHUB_MQTT_ADMIN_PASSWORD": "admin-secret"}
DEADLINE_S = 60
START_S = 20


@dataclass
class Deployment:
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
def deployment(database_url: str) -> Iterator[Deployment]:
    plugin = Packages().program("mosquitto", "mosquitto").find_library("mosquitto_dynamic_security.so")
    user = service_user.find_or_create()
    with open_folder("render") as folder:
        book = PortBook(folder / "ports.json")
        mqtt, websocket = (book.choose(name, 0, LOOPBACK).number for name in ("mqtt", "websocket"))
        options = ["--port", str(mqtt), "--websocket-port", str(websocket), "--plugin", str(plugin)]
        options += [] if user is None else ["--owner", user.name]
        yield Deployment(folder, database_url, options, mqtt)


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
    deployment: Deployment, database: Database
) -> None:
    for name in ("pc-1", "pc-2"):
        hashed = hash_password(f"{name}-secret")
        await add_client(
            database, name, mqtt_password=hashed.password, mqtt_salt=hashed.salt, mqtt_iterations=hashed.iterations
        )

    done = await asyncio.to_thread(deployment.render, "--json", **SECRETS)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["clients"] == 2
    broker = deployment.start_broker()
    try:
        accepted = {
            (who, how): await connects(deployment.port, who, how, identifier)
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


def test_only_the_brokers_user_can_read_what_it_writes(deployment: Deployment) -> None:
    assert deployment.render(**SECRETS).returncode == 0

    folder = deployment.folder / "broker"
    user = service_user.find_or_create()
    for file in (folder, *folder.iterdir()):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        assert user is None or file.stat().st_uid == user.uid, file
    assert "hub-secret" not in "".join(file.read_text() for file in folder.iterdir() if file.is_file())


def test_without_secrets_from_outside_it_keeps_some_of_its_own(deployment: Deployment) -> None:
    data = deployment.folder / "data"

    first, second = (deployment.render(FLOORHUB_DATA_DIR=str(data)) for _ in range(2))

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
def test_what_is_missing_is_said(
    deployment: Deployment, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    done = deployment.render(*arguments, **environment)

    assert done.returncode == 2
    assert said in done.stderr


def test_an_old_schema_is_refused(deployment: Deployment, empty_database_url: str) -> None:
    deployment.database_url = empty_database_url

    done = deployment.render(**SECRETS)

    assert done.returncode == 2
    assert "floorhub migrate" in done.stderr

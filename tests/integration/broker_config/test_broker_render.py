"""`floorhub broker render`: a real Mosquitto on the files it writes, with a database that has clients."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
import pytest

from broker_config.render import hash_password
from hub.core.clients.rules.certificates import MachineAuthority
from hub.database.engine import Database
from hub.errors import SetupError
from hub.keys import create_seeds, machine_authority_seed
from hub.programs.cli import broker_files
from hub.programs.embedded import ports, service_user
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import LOOPBACK, PortBook
from hub.programs.embedded.processes import Child, ChildSpec
from tests.support.factories import add_client
from tests.support.folders import open_folder
from tests.support.paths import ROOT

SECRETS = {
    "FLOORHUB_MQTT_PASSWORD": "6Kq0c-hub-Zt81_vNwe94xR2",
    "FLOORHUB_MQTT_ADMIN_PASSWORD": "x7Wp3-admin-Qe52_rLm08yT",
}
TLS = ("--tls-certificate", "cert.pem", "--tls-key", "key.pem")
DEADLINE_S = 60
START_S = 20


def settings_after(name: str, folder: Path, **environment: str) -> dict[str, str]:
    """What a block of the docs writes to the hub's settings, which lie in `folder`, as a shell reads them."""
    text = (ROOT / "docs" / "how-to" / "deploy.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- example: {name} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
    assert block is not None
    script = f"umask 022\n{block[1]}\nset -a; . /etc/floorhub/hub.env; env -0".replace("/etc/floorhub", str(folder))
    given = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(["bash", "-euc", script], env=given, capture_output=True, timeout=DEADLINE_S, check=True)
    pairs = (entry.partition("=") for entry in done.stdout.decode().split("\0"))
    return {key: value for key, _, value in pairs if key.startswith("FLOORHUB_") and key not in environment}


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
    for name in ("mosquitto.conf", "acl"):
        text = (deployment.folder / "broker" / name).read_text()
        assert text.startswith("# Written by floorhub from broker_config/")
        assert "Edits are lost" in text.partition("\n\n")[0]
        assert "yours to change" not in text  # true of the template only
    broker = deployment.start_broker()
    try:
        accepted = {
            (who, how): await connects(deployment.port, who, how, identifier)
            for who, how, identifier in [
                ("pc-1", "pc-1-secret", "pc-1"),
                ("pc-2", "pc-1-secret", "pc-2"),
                ("pc-2", "pc-2-secret", "pc-1"),
                ("_hub", SECRETS["FLOORHUB_MQTT_PASSWORD"], "_hub-one"),
                ("_admin", SECRETS["FLOORHUB_MQTT_ADMIN_PASSWORD"], "_admin-one"),
                ("_ops", "", "_ops-one"),
            ]
        }
    finally:
        broker.stop()
    assert [key for key, yes in accepted.items() if yes] == [
        ("pc-1", "pc-1-secret"),
        ("_hub", SECRETS["FLOORHUB_MQTT_PASSWORD"]),
        ("_admin", SECRETS["FLOORHUB_MQTT_ADMIN_PASSWORD"]),
    ]


async def test_what_the_site_adds_is_read_last_and_stays(deployment: Deployment) -> None:
    assert deployment.render(**SECRETS).returncode == 0
    more = PortBook(deployment.folder / "ports.json").choose("more", 0, LOOPBACK).number
    own = deployment.folder / "broker" / "conf.d" / "site.conf"
    own.write_text(f"listener {more} 127.0.0.1\n")
    own.chmod(0o644)
    assert deployment.render(**SECRETS).returncode == 0  # as after an upgrade

    broker = deployment.start_broker()
    try:
        broker.wait_ready(lambda: ports.listens(broker.pid, more), START_S)
        hub = SECRETS["FLOORHUB_MQTT_PASSWORD"]
        assert await connects(more, "_hub", hub, "_hub-one")
        assert not await connects(more, "_hub", "another-password-altogether", "_hub-two"), "our rules hold there, too"
    finally:
        broker.stop()


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
    accounts = json.loads(kept.read_text())
    assert {account["username"] for account in accounts.values()} == {"_hub", "_admin", "_ops"}
    # Which of them a hub needs, and as what: as it is told, and as the docs pass them on.
    assert "hub.password as FLOORHUB_MQTT_PASSWORD, admin.password as FLOORHUB_MQTT_ADMIN_PASSWORD" in first.stdout
    given = settings_after("accounts", deployment.folder, FLOORHUB_DATA_DIR=str(data))
    assert given["FLOORHUB_MQTT_PASSWORD"] == accounts["hub"]["password"]
    assert given["FLOORHUB_MQTT_ADMIN_PASSWORD"] == accounts["admin"]["password"]


def test_the_documented_settings_are_those_of_hub_and_broker(deployment: Deployment) -> None:
    given = settings_after("settings", deployment.folder)
    assert set(given) == {"FLOORHUB_DATABASE_URL", "FLOORHUB_MQTT_URL", *SECRETS}
    assert len({given[name] for name in SECRETS}) == 2
    assert stat.S_IMODE((deployment.folder / "hub.env").stat().st_mode) == 0o600

    done = deployment.render(**{name: given[name] for name in SECRETS})

    assert done.returncode == 0, done.stderr
    assert "accounts: admin, hub" in done.stdout


def test_machines_are_asked_for_certificates_of_the_hub_whose_keys_are_there(
    deployment: Deployment, tmp_path: Path
) -> None:
    seeds = create_seeds(tmp_path / "keys")

    done = deployment.render(*TLS, "--machine-certificates", "--data-dir", str(tmp_path), **SECRETS)

    assert done.returncode == 0, done.stderr
    authority = deployment.folder / "broker" / "machines.pem"
    assert authority.read_text() == MachineAuthority(machine_authority_seed(seeds["root"])).pem
    conf = (deployment.folder / "broker" / "mosquitto.conf").read_text()
    listener = conf.partition("listener 8883")[2]
    assert "require_certificate true" in listener
    assert f"cafile {authority}" in listener
    assert "use_identity_as_username" not in conf
    assert "listener 8884" not in conf


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "FLOORHUB_MQTT_PASSWORD"),
        (["--tls-certificate", "cert.pem"], SECRETS, "--tls-key"),
        (["--owner", "nobody-of-that-name"], SECRETS, "nobody-of-that-name"),
        (["--machine-certificates"], SECRETS, "needs --tls-certificate and --tls-key"),
        ([*TLS, "--machine-certificates"], SECRETS, "--data-dir"),
        ([*TLS, "--machine-certificates", "--data-dir", "/nonexistent"], SECRETS, "start the hub once"),
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


WEAK = [
    *("", " ", "changeme", "short-Xk29", "a" * 30, "0101010101" * 4),
    *("changeme-0123456789-changeme", "Password-Password-1234567"),
]


@pytest.mark.parametrize("name", sorted(SECRETS))
@pytest.mark.parametrize("password", WEAK)
def test_passwords_that_are_easy_to_guess_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, password: str
) -> None:
    for known, secret in SECRETS.items():
        monkeypatch.setenv(known, secret)
    assert set(broker_files.passwords(None)[0]) == {"hub", "admin"}
    monkeypatch.setenv(name, password)

    with pytest.raises(SetupError, match=f"{name} is too easy to guess") as refused:
        broker_files.passwords(None)

    assert not password.strip() or password not in str(refused.value)
    assert "추측하기 쉽습니다" in refused.value.korean


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 50_000, '{"hub": {"password": ""}}'])
def test_damaged_accounts_are_named_and_not_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    for known in SECRETS:
        monkeypatch.delenv(known, raising=False)
    file = tmp_path / "keys" / "broker-accounts.json"
    file.parent.mkdir(mode=0o700)
    file.write_text(content)
    file.chmod(0o600)

    with pytest.raises(EmbeddedError, match="is damaged") as refused:
        broker_files.passwords(tmp_path)

    assert str(file) in refused.value.korean
    assert file.read_text() == content


@pytest.mark.parametrize(("bind", "said"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("hub", True)])  # noqa: S104
def test_listeners_without_tls_that_others_reach_are_told(
    capfd: pytest.CaptureFixture[str], bind: str, said: bool
) -> None:
    broker_files.tell_exposed(bind, 1883, 9001)

    assert ("TLS" in capfd.readouterr().err) is said

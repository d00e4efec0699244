"""`floorhub-agent doctor` beside a real site: obstacles are planted one by one, and each is found and named."""

import contextlib
import json
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from broker_config.render import Client, hash_password, render_dynsec
from device_agent.checks.machine import judge_space
from hub.keys import SigningKeys, load_signing_keys, write_secret_file
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.mosquitto import BrokerOptions, EmbeddedBroker
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import LOOPBACK, PortBook
from hub.programs.embedded.printer import HOSTS, EmbeddedPrinter, find_programs
from schemas import signing
from schemas.findings import Level
from schemas.signing import Signer
from tests.support.folders import open_data_folder
from tests.support.paths import ROOT
from tests.support.site import Site
from tests.support.waiting import until

NOBODY_LISTENS = "127.0.0.1:1"
DEADLINE_S = 60


class Patient:
    """One client's configuration, which a test spoils, and the doctor's word on it."""

    def __init__(self, site: Site, folder: Path) -> None:
        client = site.client()
        self.client_id = str(client["id"])
        self.file = folder / "agent.toml"
        self.keys: dict[str, Any] = {
            "client_id": self.client_id,
            "hub_url": site.url,
            "mqtt_url": site.stack.mqtt_url,
            "secret": client["secret"],
            "root_key": client["root_key"],
            "data": str(folder / "data"),
        }
        self.tables = f'[[printers]]\nname = "office"\nuri = "{site.stack.printer_url}"\n'
        self.environment: dict[str, str] = {}

    def write(self) -> None:
        """Write the configuration as it stands."""
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in self.keys.items())
        write_secret_file(self.file, f"{lines}\n{self.tables}")

    def ask(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the doctor as a program of its own."""
        return subprocess.run(
            [sys.executable, "-m", "device_agent", "doctor", "--config", str(self.file), *options],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **self.environment},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def obstacles(self) -> dict[str, str]:
        """Code and sentence of each obstacle; the exit code must agree."""
        done = self.ask("--json")
        assert done.stderr == ""
        found = {f["code"]: f["message"] for f in json.loads(done.stdout)["findings"] if f["level"] == "fail"}
        assert done.returncode == (1 if found else 0)
        return found


@pytest.fixture
def patient(site: Site, tmp_path: Path) -> Patient:
    made = Patient(site, tmp_path)
    made.write()
    return made


def test_a_healthy_client_has_no_obstacle_and_nothing_is_left_behind(patient: Patient) -> None:
    patient.tables += '\n[actions.beep]\nargv = ["true"]\n'
    patient.write()

    done = patient.ask("--json")

    assert done.returncode == 0, done.stdout
    findings = json.loads(done.stdout)["findings"]
    checks = [finding["check"] for finding in findings]
    assert checks == [
        *("config", "data", "space", "journal", "hub", "clock"),
        *("broker", "account", "keys"),
        *("printer", "action"),
    ]
    assert {finding["level"] for finding in findings} == {"ok"}
    assert [file.name for file in patient.file.parent.iterdir()] == ["agent.toml"]


def test_a_running_agent_keeps_its_connection(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)
    config = site.folder.agent / f"{client['id']}.toml"

    done = subprocess.run(
        [sys.executable, "-m", "device_agent", "doctor", "--config", str(config), "--json"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    codes = {finding["code"] for finding in json.loads(done.stdout)["findings"]}
    assert {"journal_in_use", "account_in_use"} <= codes
    assert site.print_page(client["id"], wait=30)["status"] == "completed"
    assert "connection_lost" not in agent.tail()


def test_an_agent_that_refuses_the_hubs_keys_is_named_beside_it_and_from_the_hub(site: Site, patient: Patient) -> None:
    foreign_root(patient, patient.file)
    patient.write()
    agent = site.start_agent("foreign", patient.file)
    until(lambda: "keys_refused" in patient.obstacles(), agent.tail)
    site.wait_online(patient.client_id, agent)
    assert "bad_signature" in patient.obstacles()["keys_refused"]
    command = site.send(patient.client_id, "status", {})

    def refused() -> Any:
        explained = site.http.get(f"/api/commands/{command['id']}/explain").json()
        return explained if explained["cause"] == "keys_refused" else None

    assert until(refused, "the cause")["details"] == {"reason": "bad_signature"}
    agent.stop()
    assert "keys_refused" not in patient.obstacles()


def test_an_agent_that_the_broker_refuses_is_named_beside_it(site: Site, patient: Patient) -> None:
    agent = site.start_agent("refused", patient.file)
    site.wait_online(patient.client_id, agent)
    assert patient.obstacles() == {}

    site.http.post(f"/api/clients/{patient.client_id}/disable").raise_for_status()

    until(lambda: "account_refused" in patient.obstacles(), agent.tail)
    assert patient.client_id in patient.obstacles()["account_refused"]
    site.http.post(f"/api/clients/{patient.client_id}/enable").raise_for_status()
    site.wait_online(patient.client_id, agent)
    assert patient.obstacles() == {}


def test_a_hub_whose_list_is_below_the_agents_is_named(site: Site, patient: Patient) -> None:
    """As after a restore of a hub whose clock is wrong."""
    agent = site.start_agent("ahead", patient.file)
    site.wait_online(patient.client_id, agent)
    agent.stop()
    keys = SigningKeys(patient.file.parent)
    root = load_signing_keys(site.folder.keys)
    seed = {name: bytes.fromhex((site.folder.keys / f"{name}.key").read_text()) for name in ("root", "command")}
    keys.load({"root": seed["root"], "command": secrets.token_bytes(32)}, root.data)
    assert keys.root_public_key == root.root_public_key
    newer = keys.key_list(datetime.now(UTC) + timedelta(days=1))
    with contextlib.closing(sqlite3.connect(patient.file.parent / "data/journal.db")) as journal, journal:
        journal.execute("UPDATE settings SET keys = ?", (newer,))

    assert "is older than" in patient.obstacles()["keys_unusable"]


def wrong_key(patient: Patient, _: Path) -> str:
    patient.keys["max_unfinished"] = 0
    return "config_invalid"


def foreign_root(patient: Patient, _: Path) -> str:
    patient.keys["root_key"] = signing.encode_key(Signer(secrets.token_bytes(32)).public_key)
    return "root_key_wrong"


def wrong_secret(patient: Patient, _: Path) -> str:
    patient.keys["secret"] = "not-the-secret"
    return "account_refused"


def no_hub(patient: Patient, _: Path) -> str:
    patient.keys["hub_url"] = f"http://{NOBODY_LISTENS}"
    return "hub_unreachable"


def no_broker(patient: Patient, _: Path) -> str:
    patient.keys["mqtt_url"] = f"mqtt://{NOBODY_LISTENS}"
    return "broker_unreachable"


def no_printer(patient: Patient, _: Path) -> str:
    patient.tables = f'[[printers]]\nname = "office"\nuri = "ipp://{NOBODY_LISTENS}/ipp/print"\n'
    return "printer_unreachable"


def no_label_printer(patient: Patient, _: Path) -> str:
    patient.tables += f'[[printers]]\nname = "labels"\nuri = "socket://{NOBODY_LISTENS}"\n'
    return "printer_unreachable"


def missing_folder(patient: Patient, folder: Path) -> str:
    patient.tables += f'[[printers]]\nname = "files"\nuri = "folder:{folder / "missing"}"\n'
    return "printer_folder_unwritable"


def data_on_a_read_only_disk(patient: Patient, _: Path) -> str:
    patient.keys["data"] = "/proc/self/floorhub"  # nobody can write there, root included
    return "data_unwritable"


def damaged_journal(patient: Patient, folder: Path) -> str:
    (folder / "data").mkdir()
    (folder / "data" / "journal.db").write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 64)
    return "journal_damaged"


def newer_journal(patient: Patient, folder: Path) -> str:
    (folder / "data").mkdir(exist_ok=True)
    with sqlite3.connect(folder / "data" / "journal.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    return "journal_newer"


def missing_program(patient: Patient, folder: Path) -> str:
    patient.tables += f'[actions.gate]\nargv = ["{folder / "open-gate"}"]\n'
    return "program_missing"


def missing_program_for_reboots(patient: Patient, folder: Path) -> str:
    patient.tables += f'[machine]\nreboot = ["{folder / "reboot"}"]\n'
    return "program_missing"


def program_without_permission(patient: Patient, folder: Path) -> str:
    program = folder / "open-gate"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o644)
    patient.tables += f'[actions.gate]\nargv = ["{program}"]\n'
    return "program_not_executable"


PLANTS = [
    *(wrong_key, foreign_root, wrong_secret, no_hub, no_broker, no_printer, no_label_printer, missing_folder),
    *(
        data_on_a_read_only_disk,
        damaged_journal,
        newer_journal,
        missing_program,
        missing_program_for_reboots,
        program_without_permission,
    ),
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_obstacle_is_found_and_named(
    patient: Patient, tmp_path: Path, plant: Callable[[Patient, Path], str]
) -> None:
    code = plant(patient, tmp_path)
    patient.write()

    assert list(patient.obstacles()) == [code]


def test_a_configuration_that_others_can_read_is_named_and_the_rest_is_checked(patient: Patient) -> None:
    patient.keys["root_key"] = signing.encode_key(Signer(secrets.token_bytes(32)).public_key)
    patient.write()
    patient.file.chmod(0o644)

    found = patient.obstacles()
    assert list(found) == ["config_not_private", "root_key_wrong"]
    assert "`floorhub key show`" in found["root_key_wrong"]


def test_a_missing_configuration_is_named(patient: Patient) -> None:
    patient.file.unlink()

    assert list(patient.obstacles()) == ["config_unreadable"]


def test_a_retired_client_is_refused(site: Site, patient: Patient) -> None:
    assert site.http.delete(f"/api/clients/{patient.client_id}").status_code == 200
    until(lambda: "account_refused" in patient.obstacles(), "refused")


@pytest.mark.parametrize(("shift", "direction"), [("+20m", "ahead of"), ("-20m", "behind")])
def test_a_wrong_clock_is_named_with_its_direction(patient: Patient, shift: str, direction: str) -> None:
    program = Packages().program("faketime", "faketime")
    (library,) = program.root.glob("usr/lib/*/faketime/libfaketime.so.1")
    patient.environment = {"LD_PRELOAD": str(library), "FAKETIME": shift, "DONT_FAKE_MONOTONIC": "1"}

    sentence = patient.obstacles()["clock_wrong"]

    assert f"20 minutes {direction} the hub's" in sentence


def test_a_printer_without_pdf_is_named_with_what_it_prints(patient: Patient, own_folder: DataFolder) -> None:
    programs = find_programs(Packages())
    assert not isinstance(programs, str), programs
    port = PortBook(own_folder.ports).choose("printer", 0, HOSTS).number
    printer = EmbeddedPrinter(own_folder, programs, port, formats="image/pwg-raster,image/urf")
    patient.tables = f'[[printers]]\nname = "photo"\nuri = "{printer.start()}"\n'
    patient.write()
    try:
        found = patient.obstacles()
    finally:
        printer.stop()
    assert list(found) == ["printer_no_pdf"]
    assert "image/pwg-raster" in found["printer_no_pdf"]


def test_a_broker_without_pinned_ids_and_without_a_hub_is_named(patient: Patient, own_folder: DataFolder) -> None:
    rules = render_dynsec({}, [Client(patient.client_id, hash_password(patient.keys["secret"]))])
    for client in rules["clients"]:
        del client["clientid"]
    ports = PortBook(own_folder.ports)
    numbers = [ports.choose(name, 0, LOOPBACK).number for name in ("mqtt", "websocket")]
    broker = EmbeddedBroker(own_folder, Packages(), BrokerOptions(*numbers))
    patient.keys["mqtt_url"] = broker.start(rules)
    patient.write()
    try:
        assert list(patient.obstacles()) == ["client_id_not_pinned", "keys_missing"]
    finally:
        broker.stop()


def test_it_speaks_korean_where_the_person_does(patient: Patient) -> None:
    patient.keys["mqtt_url"] = f"mqtt://{NOBODY_LISTENS}"
    patient.write()
    patient.environment = {"LANG": "ko_KR.UTF-8", "PYTHONUTF8": "1"}

    done = patient.ask()

    assert done.returncode == 1
    assert f"{NOBODY_LISTENS}의 브로커에 연결할 수 없습니다" in done.stdout
    assert done.stdout.endswith("문제 1건.\n")


@pytest.mark.parametrize(
    ("free_mib", "level"), [(99, Level.FAIL), (100, Level.WARN), (599, Level.WARN), (600, Level.OK)]
)
def test_space_is_judged_by_what_documents_need(free_mib: int, level: Level) -> None:
    assert judge_space(Path("/data"), free_mib * 1024 * 1024).level is level


@pytest.fixture
def own_folder() -> Iterator[DataFolder]:
    """A data folder for a broker or printer beside the site's."""
    with open_data_folder("doctor") as folder:
        yield folder

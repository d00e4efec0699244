"""`floorhub up --listen` with FLOORHUB_MACHINE_CERTIFICATES: machines show the broker a certificate, and renew it."""

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_agent.own_certificate import FILE
from hub.core.clients.rules.certificates import MachineAuthority
from hub.keys import machine_authority_seed, read_seeds
from hub.programs.cli.clients import write_agent_config
from hub.programs.embedded.data_folder import DataFolder
from schemas import signing
from schemas.signing import Signer
from tests.support.pairing import pair
from tests.support.site import Process, agent_process
from tests.support.up import Up, listening
from tests.support.waiting import until

HERE = "127.0.0.3"


@pytest.fixture(autouse=True)
def _printer_is_well() -> None:
    """This module has a printer of its own."""


@pytest.fixture(scope="module")
def up(cluster: DataFolder) -> Iterator[Up]:
    with listening(cluster, "certificates", HERE, {"FLOORHUB_MACHINE_CERTIFICATES": "true"}) as running:
        yield running


def paired(up: Up, folder: Path, client_id: str) -> dict[str, Any]:
    """A machine, and its configuration."""
    folder.mkdir()
    made = up.http.post("/api/pairings", json={"client_id": client_id}).json()
    done = pair(folder, made["link"], "--no-printers")
    assert done.returncode == 0, done.stdout + done.stderr
    return tomllib.loads((folder / "agent.toml").read_text())


def ended(up: Up, settings: dict[str, Any]) -> dict[str, Any]:
    """Its certificate as if it had been away for a long time."""
    authority = MachineAuthority(machine_authority_seed(read_seeds(up.data / "keys")["root"]))
    public = Signer(signing.decode_key(settings["machine_key"])).public_key
    made = authority.issue(public, settings["client_id"], datetime.now(UTC), timedelta(seconds=-60))
    return {"certificate": made.pem, "expires_at": made.expires_at}


def completes(up: Up, client_id: str, agent: Process) -> None:
    body = {"client_id": client_id, "action": "status", "payload": {}}
    sent = up.http.post("/api/commands", params={"wait": 30}, json=body).json()
    assert sent["status"] == "completed", f"{sent}\n{agent.tail()}"


def test_a_paired_machine_connects_and_one_that_was_only_added_is_told_what_to_do(up: Up, tmp_path: Path) -> None:
    paired(up, tmp_path / "paired", "has-one")
    agent = agent_process(tmp_path / "paired" / "agent.toml", tmp_path / "agent.log").start()
    try:
        completes(up, "has-one", agent)
    finally:
        agent.stop()

    noted = json.loads((up.data / "hub.json").read_text())["network"]
    file = tmp_path / "agent.toml"
    urls = {"hub_url": noted["FLOORHUB_PUBLIC_URL"], "mqtt_url": noted["FLOORHUB_PUBLIC_MQTT_URL"]}
    urls["extra"] = f'ca_file = "{up.data}/authority/authority.pem"\n'
    client = up.http.post("/api/clients", json={"id": "has-none", "kind": "printer_pc"}).json()
    write_agent_config(file, client_id="has-none", secret=client["secret"], root_key=client["root_key"], **urls)
    other = agent_process(file, tmp_path / "other.log").start()
    try:
        until(lambda: "floorhub pair has-none --replace" in other.log.read_text(), other.tail)
    finally:
        other.stop()

    found = {each["code"]: each for each in json.loads(up.floorhub("doctor", "-o", "json").stdout)["findings"]}
    assert found["machines_without_key"]["level"] == "warn"
    assert "has-none" in found["machines_without_key"]["message"]
    assert "has-one" not in found["machines_without_key"]["message"]
    assert "machine_certificates_ok" in found


def test_a_machine_whose_certificate_has_ended_gets_another_by_itself(up: Up, tmp_path: Path) -> None:
    settings = paired(up, tmp_path / "long-away", "long-away")
    old = ended(up, settings)
    file = tmp_path / "long-away" / "agent.toml"
    file.write_text(file.read_text().replace(json.dumps(settings["certificate"]), json.dumps(old["certificate"])))
    assert tomllib.loads(file.read_text())["certificate"] == old["certificate"]
    stored = file.parent / settings["data"] / FILE
    stored.parent.mkdir(exist_ok=True)
    stored.write_bytes(msgspec.json.encode(old))

    agent = agent_process(file, tmp_path / "agent.log").start()
    try:
        completes(up, "long-away", agent)
    finally:
        agent.stop()
    assert "certificate_renewed" in agent.log.read_text()
    now = json.loads(stored.read_bytes())
    assert datetime.fromisoformat(now["expires_at"]) > datetime.now(UTC) + timedelta(days=25)

    again = agent_process(file, tmp_path / "again.log").start()
    try:
        completes(up, "long-away", again)
    finally:
        again.stop()
    assert "certificate_renewed" not in again.log.read_text()


def test_who_is_revoked_gets_no_further_certificate(up: Up, tmp_path: Path) -> None:
    settings = paired(up, tmp_path / "stolen", "stolen")
    agent = agent_process(tmp_path / "stolen" / "agent.toml", tmp_path / "agent.log").start()
    try:
        completes(up, "stolen", agent)
        assert up.http.post("/api/clients/stolen/disable").status_code == 200
        until(lambda: "credentials_refused" in agent.log.read_text(), agent.tail)
    finally:
        agent.stop()

    stored = tmp_path / "stolen" / settings["data"] / FILE
    stored.write_bytes(msgspec.json.encode(ended(up, settings)))
    again = agent_process(tmp_path / "stolen" / "agent.toml", tmp_path / "again.log").start()
    try:
        until(lambda: "certificate_not_renewed" in again.log.read_text(), again.tail)
    finally:
        again.stop()

"""`floorhub up --listen`: another machine joins over TLS only; here it is a second address of this one."""

import json
import ssl
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hub.programs.embedded.data_folder import DataFolder
from schemas.fingerprints import fingerprint_of_file, grouped
from tests.support.broker_client import BrokerClient
from tests.support.revoking import ENDINGS, taken_away
from tests.support.site import Process
from tests.support.up import Up, listening

HERE = "127.0.0.2"


@pytest.fixture(autouse=True)
def _printer_is_well() -> None:
    """This module has a printer of its own."""


@pytest.fixture(scope="module")
def started(cluster: DataFolder) -> Iterator[Up]:
    """The hub of a shop."""
    with listening(cluster, "the network", HERE, {}) as running:
        yield running


@pytest.fixture(scope="module")
def data(started: Up) -> Path:
    return started.data


@pytest.fixture(scope="module")
def up(started: Up) -> Process:
    return started.process


@pytest.fixture(scope="module")
def network(data: Path) -> dict[str, str]:
    """Where other machines find the hub, as it noted it."""
    noted: dict[str, str] = json.loads((data / "hub.json").read_text())["network"]
    return noted


def found_by_doctor(started: Up) -> dict[str, dict[str, Any]]:
    """What `floorhub doctor` finds, by code."""
    said = started.floorhub("doctor", "-o", "json")
    assert said.returncode == 0, said.stdout + said.stderr
    return {finding["code"]: finding for finding in json.loads(said.stdout)["findings"]}


def test_an_agent_on_another_machine_works_over_tls_only(
    started: Up, data: Path, network: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "agent.toml"
    added = started.floorhub("client", "add", "second", "--kind", "printer_pc", "--config", str(config))
    assert added.returncode == 0, added.stderr
    assert "Only this machine can use https://127.0.0.2:" in added.stderr  # the network of this test
    lines = f'\n[[printers]]\nname = "out"\nuri = "folder:{tmp_path}/printed"\n'
    (tmp_path / "printed").mkdir()
    config.write_text(f"{config.read_text()}{lines}")
    argv = [sys.executable, "-m", "device_agent", "run", "--config", str(config)]
    agent = Process("agent", argv, {}, tmp_path / "agent.log").start()
    try:
        sent = started.floorhub("print", "--test-page", "--client", "second", "--printer", "out", "--wait", "60")
        assert sent.returncode == 0, sent.stdout + sent.stderr + agent.tail()
    finally:
        agent.stop()

    written = tomllib.loads(config.read_text())
    assert written["hub_url"] == network["FLOORHUB_PUBLIC_URL"]
    assert written["mqtt_url"] == network["FLOORHUB_PUBLIC_MQTT_URL"]
    assert {written[name].partition(":")[0] for name in ("hub_url", "mqtt_url")} == {"https", "mqtts"}
    assert written["ca"] == (data / "authority" / "authority.pem").read_text()
    assert len(list((tmp_path / "printed").glob("*.pdf"))) == 1
    without = found_by_doctor(started)["machines_without_key_yet"]
    assert (without["level"], without["values"]["names"]) == ("ok", "second")


def test_the_authority_is_shown_with_one_fingerprint_everywhere(
    started: Up, data: Path, up: Process, network: dict[str, str], tmp_path: Path
) -> None:
    authority = data / "authority" / "authority.pem"
    shown = grouped(fingerprint_of_file(authority))
    url = network["FLOORHUB_PUBLIC_URL"]
    trusted = ssl.create_default_context(cafile=str(authority))

    with httpx.Client(verify=trusted, trust_env=False) as browser:
        page = browser.get(f"{url}/trust", headers={"Accept-Language": "ko"})
        binary = browser.get(f"{url}/trust/authority.crt")
        text = browser.get(f"{url}/trust/authority.pem")
    (tmp_path / "downloaded.pem").write_text(text.text)

    assert f"fingerprint {shown}" in up.log.read_text()
    assert (page.status_code, shown in page.text, "인증서 내려받기" in page.text) == (200, True, True)
    assert ssl.DER_cert_to_PEM_cert(binary.content).strip() == authority.read_text().strip()
    assert fingerprint_of_file(tmp_path / "downloaded.pem") == fingerprint_of_file(authority)
    found = found_by_doctor(started)
    assert found["authority_ok"]["values"]["fingerprint"] == shown
    assert found["network_ok"]["values"]["url"] == url
    assert {"rules_ok", "broker_ok", "certificate_ok"} <= set(found)


def test_the_command_line_says_whom_it_does_not_trust(started: Up, data: Path, network: dict[str, str]) -> None:
    address = {"FLOORHUB_URL": network["FLOORHUB_PUBLIC_URL"]}

    without = started.floorhub("client", "list", **address)
    trusting = started.floorhub("client", "list", **address, FLOORHUB_CA_FILE=str(data / "authority" / "authority.pem"))

    assert (without.returncode, trusting.returncode) == (4, 0)
    assert "Set FLOORHUB_CA_FILE to the hub's certificate authority" in without.stderr
    assert "front-desk" in trusting.stdout


@pytest.mark.parametrize("way", ["tcp", "websockets"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_whose_key_is_taken_away_is_refused_and_gone_from_the_network(
    started: Up, data: Path, network: dict[str, str], ending: str, way: str
) -> None:
    """`websockets` is the edge's `/mqtt`."""
    url = urlsplit(network["FLOORHUB_PUBLIC_MQTT_URL" if way == "tcp" else "FLOORHUB_PUBLIC_URL"])
    authority = data / "authority" / "authority.pem"
    client_id = f"{ending}-{way}".replace(" ", "-")
    with httpx.Client(
        base_url=network["FLOORHUB_PUBLIC_URL"],
        verify=ssl.create_default_context(cafile=str(authority)),
        trust_env=False,
    ) as machine:

        def connect(secret: str) -> BrokerClient:
            assert url.port is not None
            return BrokerClient(
                url.port,
                client_id,
                client_id,
                secret,
                transport=way,
                host=HERE,
                ca_file=authority,  # type: ignore[arg-type]
            )

        taken_away(ending, started.http, client_id, connect, machine)

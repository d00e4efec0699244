"""`floorhub up --listen`: another machine joins over TLS only; here it is a second address of this one."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.programs.embedded.data_folder import DataFolder
from schemas.fingerprints import fingerprint_of_file, grouped
from tests.support.folders import open_folder
from tests.support.paths import ROOT
from tests.support.postgres import copy_cluster
from tests.support.site import Process
from tests.support.waiting import until

HERE = "127.0.0.2"


@pytest.fixture(autouse=True)
def _printer_is_well() -> None:
    """This module has a printer of its own."""


@pytest.fixture(scope="module")
def data(cluster: DataFolder) -> Iterator[Path]:
    with open_folder("the network", in_memory=True) as folder:
        copy_cluster(cluster, DataFolder.prepare(folder))  # an empty database, which is faster than to make one
        yield folder


@pytest.fixture(scope="module")
def up(data: Path) -> Iterator[Process]:
    """The hub of a shop."""
    packages = {name: value for name, value in os.environ.items() if name in ("FLOORHUB_PACKAGES", "HOME")}
    argv = [sys.executable, "-m", "hub", "up", "--listen", HERE]
    environment = {**packages, "FLOORHUB_DATA_DIR": str(data), "LANG": "C.UTF-8"}
    process = Process("floorhub up", argv, environment, data.parent / f"{data.name}.log").start()

    def is_up() -> bool:
        assert process.process.poll() is None, process.log.read_text()
        return "Stop with Ctrl-C" in process.log.read_text() and "Trust:" in process.log.read_text()

    try:
        until(is_up, process.tail)
        yield process
    finally:
        process.stop()
        process.log.unlink()


@pytest.fixture(scope="module")
def network(data: Path, up: Process) -> dict[str, str]:
    """Where other machines find the hub, as it noted it."""
    noted: dict[str, str] = json.loads((data / "hub.json").read_text())["network"]
    return noted


def floorhub(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        env={"PATH": os.environ["PATH"], "FLOORHUB_DATA_DIR": str(data), "LANG": "C.UTF-8", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def found_by_doctor(data: Path) -> dict[str, dict[str, Any]]:
    """What `floorhub doctor` finds, by code."""
    said = floorhub(data, "doctor", "-o", "json")
    assert said.returncode == 0, said.stdout + said.stderr
    return {finding["code"]: finding for finding in json.loads(said.stdout)["findings"]}


def test_an_agent_on_another_machine_works_over_tls_only(
    data: Path, up: Process, network: dict[str, str], tmp_path: Path
) -> None:
    authority = data / "authority" / "authority.pem"
    config = tmp_path / "agent.toml"
    urls = ("--hub-url", network["FLOORHUB_PUBLIC_URL"], "--mqtt-url", network["FLOORHUB_PUBLIC_MQTT_URL"])
    added = floorhub(data, "client", "add", "second", "--kind", "printer_pc", "--config", str(config), *urls)
    assert added.returncode == 0, added.stderr
    lines = f'ca_file = "{authority}"\n\n[[printers]]\nname = "out"\nuri = "folder:{tmp_path}/printed"\n'
    (tmp_path / "printed").mkdir()
    config.write_text(f"{config.read_text()}{lines}")
    argv = [sys.executable, "-m", "device_agent", "run", "--config", str(config)]
    agent = Process("agent", argv, {}, tmp_path / "agent.log").start()
    try:
        sent = floorhub(data, "print", "--test-page", "--client", "second", "--printer", "out", "--wait", "60")
        assert sent.returncode == 0, sent.stdout + sent.stderr + agent.tail()
    finally:
        agent.stop()

    assert {url.partition(":")[0] for url in urls if "://" in url} == {"https", "mqtts"}
    assert len(list((tmp_path / "printed").glob("*.pdf"))) == 1


def test_the_authority_is_shown_with_one_fingerprint_everywhere(
    data: Path, up: Process, network: dict[str, str], tmp_path: Path
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
    found = found_by_doctor(data)
    assert found["authority_ok"]["values"]["fingerprint"] == shown
    assert found["network_ok"]["values"]["url"] == url
    assert {"rules_ok", "broker_ok", "certificate_ok"} <= set(found)


def test_the_command_line_says_whom_it_does_not_trust(data: Path, up: Process, network: dict[str, str]) -> None:
    address = {"FLOORHUB_URL": network["FLOORHUB_PUBLIC_URL"]}

    without = floorhub(data, "client", "list", **address)
    trusting = floorhub(data, "client", "list", **address, FLOORHUB_CA_FILE=str(data / "authority" / "authority.pem"))

    assert (without.returncode, trusting.returncode) == (4, 0)
    assert "Set FLOORHUB_CA_FILE to the hub's certificate authority" in without.stderr
    assert "front-desk" in trusting.stdout

"""What pairing leaves on a machine: files for their owner only, and the systemd unit."""

import sys
from pathlib import Path

import pytest

from device_agent.config import ConfigError, parse
from device_agent.pairing import files, service_unit
from device_agent.pairing.claim import Identity
from device_agent.pairing.problems import PairingError
from tests.support.agent_config import LEAST, ROOT_KEY
from tests.support.certificates import CERTIFICATE
from tests.support.paths import ROOT

IDENTITY = Identity(
    client_id="pc-1",
    name="PC",
    secret="fhc_secret",
    root_key=ROOT_KEY,
    hub_url="https://hub.local:8443",
    mqtt_url="mqtts://hub.local:8883",
    ca=CERTIFICATE,
)


def test_the_unit_is_the_one_that_is_documented(tmp_path: Path) -> None:
    name = "floorhub-agent.service"
    shipped = (ROOT / "device_agent" / "pairing" / name).read_text()
    assert shipped == (ROOT / "packaging" / "systemd" / name).read_text()
    assert "/etc/floorhub/agent.toml" in shipped
    config = tmp_path / "my agent%.toml"
    unit = service_unit.text(config)
    escaped = str(config).replace("%", "%%").replace(" ", r"\x20")
    assert f"LoadCredential=agent.toml:{escaped}\n" in unit
    assert f"ExecStart={sys.prefix}/bin/floorhub-agent run --config %d/agent.toml" in unit


def test_the_configuration_is_one_that_the_agent_reads(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    assert files.write_configuration(file, IDENTITY, CERTIFICATE, "", b"k" * 32) is None
    settings = files.check(file)
    assert (settings.client_id, settings.secret, settings.ca_file) == ("pc-1", "fhc_secret", CERTIFICATE)
    assert settings.data == str(tmp_path / "pc-1-data")
    assert file.stat().st_mode & 0o777 == 0o600
    assert "fhc_secret" not in repr(IDENTITY)


def test_a_folder_that_takes_no_file_is_found_before_the_code_is_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PairingError, match="cannot be written"):
        files.require_writable(tmp_path / "file" / "agent.toml")


def test_a_machine_keeps_its_key(tmp_path: Path) -> None:
    seed = files.machine_key(tmp_path)
    assert files.machine_key(tmp_path) == seed
    (tmp_path / files.KEY_NAME).write_text("damaged")
    with pytest.raises(PairingError, match="is damaged"):
        files.machine_key(tmp_path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ca": "no certificate"}, "ca: it holds no certificate"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "ca: it is damaged"),
        ({"ca": CERTIFICATE, "ca_file": "ca.pem"}, "give either ca or ca_file"),
    ],
)
def test_an_authority_that_cannot_be_used_is_told(more: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        parse({**LEAST, **more}, tmp_path)
    assert parse({**LEAST, "ca": CERTIFICATE}, tmp_path).ca_file == CERTIFICATE

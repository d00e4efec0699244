"""The configuration file: what is accepted, and which key an error names."""

from pathlib import Path
from typing import Any

import pytest

from device_agent.config import AgentConfig, ConfigError, load, parse
from tests.support.agent_config import LEAST
from tests.support.paths import ROOT

DOCS = ROOT / "docs" / "reference" / "agent-configuration.md"


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    config = parse(LEAST, tmp_path)
    assert config.journal == tmp_path / "data" / "journal.db"
    assert config.cache == tmp_path / "data" / "documents"
    assert config.root_key_bytes == b"k" * 32


def test_printers_and_own_actions_are_read(tmp_path: Path) -> None:
    table = LEAST | {
        "printers": [{"name": "labels", "uri": "ipp://10.0.0.5/ipp/print", "tls_verify": False}],
        "actions": {"open_gate": {"argv": ["/usr/local/bin/open-gate"], "timeout_s": 5}},
        "allowed_actions": ["print"],
    }
    config = parse(table, tmp_path)
    assert [printer.name for printer in config.printers] == ["labels"]
    assert config.actions["open_gate"].timeout_s == 5
    assert config.allowed_actions == ["print"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client_id": None}, "client_id"),
        ({"client_id": "PC 1"}, "client_id: use a-z"),
        ({"client_id": "pc-1\n"}, "client_id: use a-z"),
        ({"hub_url": "ftp://hub"}, "hub_url: it must look like http"),
        ({"hub_url": "http://user:pw@hub"}, "hub_url"),
        ({"mqtt_url": "mqtt://"}, "mqtt_url: it must look like mqtt://host:port"),
        ({"mqtt_url": "mqtt://hub:99999"}, "mqtt_url"),
        ({"root_key": "short"}, "root_key: it must be the hub's root key"),
        ({"secret": ""}, "secret: give either"),
        ({"secret_file": "x"}, "secret: give either"),
        ({"max_unfinished": 0}, "max_unfinished: Expected"),
        ({"max_unfinished": "many"}, "max_unfinished: Expected `int`"),
        ({"typo": 1}, "typo"),
        ({"ca_file": "none.pem"}, "ca_file: there is no file"),
        ({"printers": [{"name": "a"}]}, "printers[0]: "),
        ({"printers": [{"name": "a", "uri": "ipp://x"}] * 2}, "printers[1].name: 'a' is used twice"),
        ({"actions": {"x": {"argv": []}}}, "actions"),
        ({"actions": {"1x": {"argv": ["true"]}}}, "actions.1x: use a-z"),
        ({"actions": {"a.b": {"argv": ["true"]}}}, "actions.a.b: use a-z"),
        ({"actions": {"Open Gate": {"argv": ["true"]}}}, "actions.Open Gate: use a-z"),
        ({"actions": {"x" * 64: {"argv": ["true"]}}}, "at most 63 characters"),
    ],
)
def test_an_error_names_the_key(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    table = {key: value for key, value in (LEAST | change).items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        parse(table, tmp_path)
    assert said in str(caught.value)


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text("".join(f'{key} = "{value}"\n' for key, value in LEAST.items()))
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="secret: others can read this file; run chmod 600"):
        load(file)
    file.chmod(0o600)
    assert load(file).secret == "s"


def test_a_secret_file_must_be_private_and_not_empty(tmp_path: Path) -> None:
    table = {key: value for key, value in LEAST.items() if key != "secret"} | {"secret_file": "secret"}
    with pytest.raises(ConfigError, match=r"secret_file: .* cannot be read"):
        parse(table, tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("hidden\n")
    secret.chmod(0o640)
    with pytest.raises(ConfigError, match="secret_file: others can read"):
        parse(table, tmp_path)
    secret.chmod(0o600)
    config = parse(table, tmp_path)
    assert config.secret == "hidden"
    assert "hidden" not in repr(config)
    secret.write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        parse(table, tmp_path)


@pytest.mark.parametrize(("text", "said"), [("= 1", "is not TOML"), (None, "cannot be read")])
def test_an_unreadable_file_is_named(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "agent.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigError, match=f"agent.toml {said}"):
        load(file)


def test_every_key_is_documented() -> None:
    page = DOCS.read_text(encoding="utf-8")
    missing = [key for key in AgentConfig.__struct_fields__ if f"`{key}`" not in page]
    assert missing == []

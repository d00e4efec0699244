"""Files that people edit, as editors of Windows write them: each is read, or named with its line and what to do."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from device_agent.checks.machine import check_config
from device_agent.config import ConfigError, load
from tests.support.agent_config import LEAST
from tests.support.certificates import CERTIFICATE

SCHEMA = '{"type": "object"}'
Form = Callable[[str], bytes]
READ: dict[str, Form] = {
    "plain": lambda text: text.encode(),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "mark": lambda text: text.encode("utf-8-sig"),
    "mark_crlf": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "ctrl_z": lambda text: text.encode() + b"\x1a",
    "nul": lambda text: text.encode() + b"\x00",
}
NAMED: dict[str, Form] = {
    "utf_16": lambda text: text.encode("utf-16"),
    "utf_16_be": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "utf_16_without_mark": lambda text: text.encode("utf-16-le"),
    "utf_32": lambda text: text.encode("utf-32"),
    "cp949": lambda text: "# 라벨\n".encode("cp949") + text.encode(),
    "nul_inside": lambda text: text.encode().replace(b"\n", b"\x00\n", 1),
}
FILES = ("agent.toml", "secret", "ca.pem", "schema.json", "printer.pem")


def site(folder: Path) -> dict[str, str]:
    """What each file of an agent holds."""
    table = {key: value for key, value in LEAST.items() if key != "secret"}
    lines = [f'{key} = "{value}"' for key, value in table.items()]
    lines += ['secret_file = "secret"', 'ca_file = "ca.pem"', "[[printers]]", 'name = "laser"']
    lines += ['uri = "ipps://10.0.0.5/ipp/print"', f'ca_file = "{folder / "printer.pem"}"', "[actions.open_gate]"]
    lines += ['argv = ["true"]', 'payload_schema = "schema.json"', ""]
    return {
        "agent.toml": "\n".join(lines),
        "secret": "the-secret\n",
        "ca.pem": CERTIFICATE,
        "schema.json": SCHEMA + "\n",
        "printer.pem": CERTIFICATE,
    }


def write(folder: Path, **changed: bytes) -> Path:
    for name, text in site(folder).items():
        file = folder / name
        file.write_bytes(changed.get(name.partition(".")[0], text.encode()))
        file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    return folder / "agent.toml"


@pytest.mark.parametrize("form", READ)
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read(name: str, form: str, tmp_path: Path) -> None:
    config = write(tmp_path, **{name.partition(".")[0]: READ[form](site(tmp_path)[name])})
    loaded = load(config)
    assert (loaded.client_id, loaded.secret) == (LEAST["client_id"], "the-secret")
    assert loaded.actions["open_gate"].payload_schema == {"type": "object"}
    (finding,), _ = check_config(config)
    assert finding.code == "config_ok"


@pytest.mark.parametrize("form", NAMED)
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", ["C", "ko_KR.UTF-8"])
def test_a_file_is_named(name: str, form: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", language)
    config = write(tmp_path, **{name.partition(".")[0]: NAMED[form](site(tmp_path)[name])})
    with pytest.raises(ConfigError) as caught:
        load(config)
    findings, _ = check_config(config)
    for said in (str(caught.value), findings[0].sentence(korean=language != "C")):
        assert str(tmp_path / name) in said
        assert ("줄" if language != "C" else "line 1") in said
        assert "UTF-8" in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("secret", b"\xef\xbb\xbf\r\n", "is empty"),
        ("secret", b"secret = the-secret\n", "must hold the secret and nothing else"),
        ("ca", b"", "holds no certificate"),
        ("ca", b"-----BEGIN CERTIFICATE-----\n", "holds no certificate"),
    ],
)
def test_a_file_without_what_it_is_for_is_named(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        load(write(tmp_path, **{name: content}))


def test_an_error_in_a_file_with_a_mark_has_its_true_line(tmp_path: Path) -> None:
    text = site(tmp_path)["agent.toml"].replace('ca_file = "ca.pem"', "ca_file = ca.pem")
    config = write(tmp_path, agent=text.replace("\n", "\r\n").encode("utf-8-sig"))
    with pytest.raises(ConfigError, match="at line 6"):
        load(config)

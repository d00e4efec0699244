"""Files and settings that people edit for the hub's programs, as editors of Windows write them."""

import json
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.__main__ import _tidy_settings
from hub.config import Settings
from hub.core.broker.subject import _address
from hub.errors import SetupError
from hub.keys import load_signing_keys
from hub.programs.cli import broker_files
from hub.programs.cli.main import app
from hub.programs.embedded import accounts
from schemas.text import TextError
from schemas.tls import certificates, trusting
from tests.support.certificates import CERTIFICATE

Form = Callable[[str], bytes]


def with_mark(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode("utf-8-sig")


def utf_16(text: str) -> bytes:
    return text.encode("utf-16")


def cp949(text: str) -> bytes:
    return "# 라벨\n".encode("cp949") + text.encode()


def floorhub(*arguments: str, **environment: str) -> Result:
    """The program against a hub that is not there."""
    away = {"FLOORHUB_URL": "http://127.0.0.1:9", "FLOORHUB_KEY": "k", "LANG": "C"}
    return CliRunner().invoke(app, arguments, env={**away, **environment})


@pytest.mark.parametrize(
    ("form", "code", "said"), [(with_mark, 4, "does not answer"), (utf_16, 2, "UTF-16: save it as")]
)
def test_a_list_of_commands(form: Form, code: int, said: str, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(form('[{"client_id": "pc-1",\n "action": "status"}]\n'))
    done = floorhub("batch", "send-list", str(file))
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_a_list_in_cp949_is_named_in_korean(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_bytes('[{"client_id": "pc-1",\n "reference": "라벨"}]\n'.encode("cp949"))
    done = floorhub("batch", "send-list", str(file), LANG="ko_KR.UTF-8")
    assert done.exit_code == 2
    assert "2번째 줄이 UTF-8이 아닙니다(CP949일 수 있습니다). 파일을 UTF-8로 저장하십시오" in done.stderr


@pytest.mark.parametrize(
    ("form", "code", "said"), [(with_mark, 4, "does not answer"), (cp949, 2, "line 1 is not UTF-8")]
)
def test_a_file_of_faults(form: Form, code: int, said: str, tmp_path: Path) -> None:
    file = tmp_path / "faults.toml"
    file.write_bytes(form("seed = 1\n"))
    done = floorhub("simulate", "--faults", str(file), "--clients", "1", "--broker", "mqtt://127.0.0.1:9")
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_settings_from_a_file_of_windows_are_as_they_were_meant() -> None:
    environment = {"\ufeffFLOORHUB_URL": "http://hub\r", "FLOORHUB_KEY": "k \r", "HOME": "/root\r"}
    _tidy_settings(environment)
    assert environment["FLOORHUB_URL"] == "http://hub"
    assert environment["FLOORHUB_KEY"] == "k "
    assert environment["HOME"] == "/root\r"


@pytest.mark.parametrize(("form", "said"), [(with_mark, ""), (utf_16, "UTF-16"), (cp949, "UTF-8")])
def test_a_key_of_the_administrator(form: Form, said: str, tmp_path: Path) -> None:
    (tmp_path / "admin.key").write_bytes(form("fh_0\n"))
    done = floorhub("client", "list", FLOORHUB_KEY="", FLOORHUB_DATA=str(tmp_path))
    assert (said or "does not answer") in done.stderr
    assert done.exit_code == (2 if said else 4)


def test_a_signing_key_with_a_mark_is_the_same_key(tmp_path: Path) -> None:
    before = load_signing_keys(tmp_path)
    for name in ("root.key", "command.key"):
        (tmp_path / name).write_bytes(with_mark((tmp_path / name).read_text() + "\n"))
    assert load_signing_keys(tmp_path).root_public_key == before.root_public_key
    (tmp_path / "root.key").write_bytes(utf_16("ab" * 32))
    with pytest.raises(SetupError, match="UTF-16"):
        load_signing_keys(tmp_path)


def test_accounts_of_the_broker_stay_when_their_file_was_edited(tmp_path: Path) -> None:
    file = tmp_path / "broker-accounts.json"
    before = accounts.load_or_create(file)
    file.write_bytes(with_mark(json.dumps(json.loads(file.read_text()), indent=1) + "\n"))
    assert accounts.load_or_create(file) == before


@pytest.mark.parametrize(
    "form", [with_mark, lambda text: "발급자: 시험\n".encode() + text.encode()], ids=["mark", "words"]
)
def test_an_authority_is_trusted_whatever_else_its_file_holds(form: Form, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(form(CERTIFICATE * 2))
    context = trusting(tmp_path / "ca.pem")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert [dict(one["subject"][0])["commonName"] for one in context.get_ca_certs()] == ["floorhub test"]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"-----BEGIN CERTIFICATE-----\nAA", utf_16(CERTIFICATE)])
def test_a_file_without_an_authority_trusts_nobody(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(TextError):
        certificates(tmp_path / "ca.pem")
    with pytest.raises(OSError, match=r"ca\.pem"):
        trusting(tmp_path / "ca.pem")
    settings = Settings(database_url="postgresql://x", data_dir=tmp_path, mqtt_ca_file=tmp_path / "ca.pem")  # type: ignore[arg-type]
    with pytest.raises(SetupError, match="FLOORHUB_MQTT_CA_FILE"):
        _address(settings, "hub", "_hub", settings.mqtt_password)


@pytest.mark.parametrize(("form", "said"), [(with_mark, "byte order mark"), (utf_16, "UTF-16")])
def test_a_certificate_that_the_broker_could_not_read_is_named(form: Form, said: str, tmp_path: Path) -> None:
    (tmp_path / "good.pem").write_text(CERTIFICATE)
    (tmp_path / "bad.pem").write_bytes(form(CERTIFICATE))
    assert broker_files.tls(tmp_path / "good.pem", tmp_path / "good.pem", 1, 2) is not None
    with pytest.raises(SetupError, match=said):
        broker_files.tls(tmp_path / "good.pem", tmp_path / "bad.pem", 1, 2)

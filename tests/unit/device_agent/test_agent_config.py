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
        ({"hub_url": ["http://hub", "ftp://hub"]}, "hub_url: it must look like http"),
        ({"hub_url": []}, "hub_url"),
        ({"hub_url": 7}, "hub_url"),
        ({"mqtt_url": "mqtt://"}, "mqtt_url: it must look like mqtt://host:port"),
        ({"mqtt_url": "mqtt://hub:99999"}, "mqtt_url"),
        ({"root_key": "short"}, "root_key: it must be the hub's root key"),
        ({"secret": ""}, "secret: give either"),
        ({"secret_file": "x"}, "secret: give either"),
        ({"max_unfinished": 0}, "max_unfinished: write a whole number, at least 1"),
        ({"max_unfinished": "many"}, "max_unfinished: write a whole number, not text"),
        ({"typo": 1}, "there is no field `typo` in the configuration. Known fields: actions, allowed_actions"),
        ({"hub_uri": "http://x"}, "there is no field `hub_uri` in the configuration; did you mean `hub_url`?"),
        ({"clientId": "x"}, "did you mean `client_id`?"),
        (
            {"printers": [{"name": "a", "url": "ipp://x"}]},
            "printers[0]: there is no field `url` here; did you mean `uri`?",
        ),
        ({"printers": [{"name": "a", "url": "ipp://x"}]}, "Known fields: ca_file, default, name"),
        ({"printers": {"name": "a"}}, "printers: write a list in brackets"),
        (
            {"printers": [{"name": "a", "uri": 7}]},
            'printers[0].uri: write text in quotes, such as "x", not a whole number',
        ),
        ({"machine": {"reboots": True}}, "machine: there is no field `reboots` here; did you mean `reboot`?"),
        ({"machine": {"reboot": "yes"}}, "machine.reboot: write true or false or a list in brackets"),
        ({"actions": {"a": {"argv": ["x"]}, "b": {"argv": "/bin/echo"}}}, "actions.b.argv: write a list in brackets"),
        (
            {"actions": {"a": {"argv": ["x"], "timeout": 5}}},
            "actions.a: there is no field `timeout` here; did you mean `timeout_s`?",
        ),
        ({"actions": {"a": ["x"]}}, "actions.a: write a table, not a list"),
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


PRINTER = {"name": "labels", "uri": "ipp://x"}


@pytest.mark.parametrize(
    "name", ["HP_Laser", "꺼짐", "", " labels", "labels\n", "-a", "_a", ".a", "a b", "a/b", "x" * 64]
)
def test_a_name_that_commands_cannot_have_is_named_with_the_rule_in_words(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = LEAST | {"printers": [PRINTER, {"name": name, "uri": "ipp://y"}]}
    for lang, said in (
        ("C", ("use small letters a-z, digits 0-9, '_', '.' and '-'", "title")),
        ("ko_KR.UTF-8", ("소문자 a-z", "title")),
    ):
        monkeypatch.setenv("LANG", lang)
        with pytest.raises(ConfigError) as caught:
            parse(table, tmp_path)
        message = str(caught.value)
        assert message.startswith("printers[1].name: ")
        assert repr(name) in message
        assert all(word in message for word in said)
        assert "regex" not in message
        assert ("이름입니다" in message) == (lang != "C")


@pytest.mark.parametrize("name", ["a", "0", "hp_laser", "floor-2.left", "x" * 63])
def test_names_that_commands_can_have(name: str, tmp_path: Path) -> None:
    assert parse(LEAST | {"printers": [{**PRINTER, "name": name}]}, tmp_path).printers[0].name == name


def test_a_title_is_in_any_script(tmp_path: Path) -> None:
    config = parse(LEAST | {"printers": [{**PRINTER, "title": "1층 송장 프린터"}]}, tmp_path)
    assert config.printers[0].title == "1층 송장 프린터"


@pytest.mark.parametrize("title", ["", "   ", "a\nb", "a\x1b[31m", "x" * 101, "\u202eabc", "\u3164"])
def test_a_title_shows_itself_and_nothing_else(title: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"printers\[0\]\.title: "):
        parse(LEAST | {"printers": [{**PRINTER, "title": title}]}, tmp_path)


def test_there_is_one_default_printer(tmp_path: Path) -> None:
    both = [{**PRINTER, "default": True}, {"name": "a4", "uri": "ipp://y", "default": True}]
    with pytest.raises(ConfigError, match=r"printers\[1\]\.default: 'labels' is the default printer already"):
        parse(LEAST | {"printers": both}, tmp_path)


def test_several_hubs_are_read(tmp_path: Path) -> None:
    urls = ["https://one:8443", "https://two:8443"]
    assert parse(LEAST | {"hub_url": urls}, tmp_path).hub_urls == urls
    assert parse(LEAST, tmp_path).hub_urls == [LEAST["hub_url"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client_id": None}, "필수 항목 `client_id`이(가) 없습니다"),
        ({"typo": 1}, "설정에는 `typo` 항목이 없습니다. 쓸 수 있는 항목: actions, allowed_actions"),
        ({"printers": [{"name": "a", "url": "x"}]}, "printers[0]: 여기에는 `url` 항목이 없습니다. `uri`을(를) 쓰려고"),
        ({"max_unfinished": "many"}, "max_unfinished: 정수 형식으로 쓰십시오(지금은 문자열)"),
        ({"max_unfinished": 0}, "max_unfinished: 정수 형식으로 쓰십시오(1 이상)"),
        ({"actions": {"b": {"argv": "/bin/echo"}}}, "actions.b.argv: 대괄호로 묶은 목록"),
        ({"actions": {"b": {"argv": []}}}, "actions.b.argv: 1개 이상 쓰십시오"),
        ({"actions": {"b": {}}}, "actions.b: 필수 항목 `argv`이(가) 없습니다"),
        ({"client_id": "PC 1"}, "client_id: a-z"),
        ({"hub_url": "ftp://hub"}, "hub_url: http://host:port 또는 https://host:port 형식이어야 합니다"),
        ({"mqtt_url": "mqtt://u:p@hub"}, "사용자와 비밀번호는 쓰지 않습니다"),
        ({"root_key": "short"}, "root_key: 허브의 루트 키"),
        ({"secret": ""}, "secret_file(모드 0600인 파일)과 secret 중 하나만"),
        ({"ca_file": "none.pem"}, "none.pem 파일이 없습니다"),
        ({"printers": [PRINTER, PRINTER]}, "이름이 두 번 쓰였습니다"),
        ({"actions": {"1x": {"argv": ["true"]}}}, "actions.1x: a-z"),
    ],
)
def test_an_error_is_korean_for_who_reads_korean(
    change: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
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

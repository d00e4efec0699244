"""`floorhub-agent printers`: names for commands from queues' names, and what it says where there is no CUPS."""

import json
import socket
import tomllib
from pathlib import Path

import pytest

from device_agent import printers
from device_agent.actions.config import PRINTER_NAME
from device_agent.config import parse
from device_agent.ipp.message import Group, GroupTag, Tag, attribute
from tests.support.agent_config import LEAST


@pytest.mark.parametrize(
    ("queue", "name"),
    [
        ("office", "office"),
        ("HP_LaserJet", "hp_laserjet"),
        ("Zebra ZT410 (left)", "zebra-zt410-left"),
        ("라벨", "printer"),
        ("라벨_2F", "2f"),
        ("Büro", "buro"),
        ("--", "printer"),
        ("x" * 127, "x" * 60),
        ("a\x1b[2J", "a-2j"),
    ],
)
def test_a_queue_s_name_becomes_one_that_commands_can_have(queue: str, name: str) -> None:
    assert printers.name_for(queue, ()) == name
    assert PRINTER_NAME.fullmatch(name)


def test_two_queues_never_get_the_same_name() -> None:
    assert printers.name_for("Office", ["office"]) == "office-2"
    assert printers.name_for("OFFICE", ["office", "office-2"]) == "office-3"
    assert printers.name_for("x" * 63, ["x" * 60]) == "x" * 60 + "-2"


@pytest.fixture
def nowhere() -> str:
    """The address of a CUPS that does not run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"ipp://127.0.0.1:{free.getsockname()[1]}"


def configured(folder: Path) -> Path:
    """A configuration with a folder printer."""
    file = folder / "agent.toml"
    lines = "".join(f'{key} = "{value}"\n' for key, value in LEAST.items())
    file.write_text(f'{lines}\n[[printers]]\nname = "labels"\ntitle = "라벨"\nuri = "folder:{folder}"\n')
    file.chmod(0o600)
    return file


@pytest.mark.parametrize(
    ("lang", "words"), [("C.UTF-8", "No CUPS answers at"), ("ko_KR.UTF-8", "CUPS가 응답하지 않습니다")]
)
def test_no_cups_and_nothing_configured_is_said_with_what_works_without(
    lang: str, words: str, nowhere: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", lang)
    assert printers.run(nowhere, None, None, "text") == 1
    out = capsys.readouterr().out
    assert words in out
    assert nowhere in out
    assert 'uri = "ipp://' in out
    assert printers.run(nowhere, None, None, "toml") == 1
    shown = capsys.readouterr()
    assert (shown.out.strip(), words in shown.err) == ("", True)


def test_configured_printers_are_shown_also_without_cups(
    nowhere: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    assert printers.run(nowhere, configured(tmp_path), None, "text") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  labels (default): idle" in lines
    assert "      라벨" in lines
    assert printers.run(nowhere, configured(tmp_path), None, "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["name"], one["title"], one["state"]) for one in told["configured"]] == [("labels", "라벨", "idle")]
    assert (told["cups"]["queues"], told["cups"]["server"], told["toml"]) == ([], nowhere, "")
    assert told["cups"]["problem"]


@pytest.mark.parametrize("server", ["localhost", "ftp://x", "ipp://", "ipp://a b"])
def test_a_server_that_is_no_address_is_said(
    server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for lang, said in (("C.UTF-8", "it must look like ipp://host:631"), ("ko_KR.UTF-8", "ipp://host:631 형식이어야")):
        monkeypatch.setenv("LANG", lang)
        assert printers.run(server, None, None, "text") == 2
        error = capsys.readouterr().err
        assert error.startswith(f"floorhub-agent: --server: {server!r}")
        assert said in error


def test_a_wrong_configuration_is_said(tmp_path: Path, nowhere: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert printers.run(nowhere, tmp_path / "none.toml", None, "text") == 2
    assert "none.toml" in capsys.readouterr().err


def queue(name: str, **more: object) -> printers.Queue:
    known = {"title": "", "location": "", "model": "", "device": "", "state": "idle", "reasons": [], "message": ""}
    known |= {"accepting_jobs": True, "default": False, "configured_as": None}
    uri = f"ipp://localhost:631/printers/{printers._in_path(name)}"
    return printers.Queue(**{**known, "name": name, "uri": uri, **more})  # type: ignore[arg-type]


def test_the_lines_are_a_configuration_whatever_the_queues_are_called(tmp_path: Path) -> None:
    hostile = 'a"]\n[machine]\nreboot = true #\\'
    queues = [
        queue("HP_Laser", title='Office "1"', default=True),
        queue("hp_laser"),
        queue("라벨", title="송장\\라벨"),
        queue("per%cent?", title=""),
        queue(hostile, title=printers.label(hostile, 100)),
    ]
    table = tomllib.loads(printers._toml(queues, ()))
    config = parse(LEAST | table, tmp_path)
    assert set(table) == {"printers"}
    assert [printer.name for printer in config.printers] == [
        "hp_laser",
        "hp_laser-2",
        "printer",
        "per-cent",
        "a-machine-reboot-true",
    ]
    assert [printer.default for printer in config.printers] == [True, False, False, False, False]
    assert config.printers[0].title == 'Office "1"'
    assert config.printers[2].uri == "ipp://localhost:631/printers/라벨"
    assert config.printers[3].uri == "ipp://localhost:631/printers/per%25cent%3F"


def test_a_login_in_a_device_s_address_is_not_shown() -> None:
    uri = attribute("device-uri", Tag.URI, "ipps://desk:hidden@10.9.8.7/ipp/print")
    group = Group(GroupTag.PRINTER, (attribute("printer-name", Tag.NAME, "a"), uri))
    assert printers._queue(group, "ipp://localhost:631", {}).device == "ipps://10.9.8.7/ipp/print"


def test_a_default_that_is_configured_stays_the_only_one() -> None:
    mine = [printers.PrinterConfig(name="a", uri="ipp://x", default=True)]
    assert "default" not in printers._toml([queue("b", default=True)], mine)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ipp://localhost/printers/A", "ipp://127.0.0.1:631/printers/A", True),
        ("ipp://[::1]:631/printers/A/", "ipp://localhost/printers/A", True),
        ("ipp://localhost/printers/라벨", "ipp://localhost/printers/%EB%9D%BC%EB%B2%A8", True),
        ("ipp://localhost/printers/A", "ipp://localhost/printers/B", False),
        ("ipp://other/printers/A", "ipp://localhost/printers/A", False),
    ],
)
def test_a_queue_is_known_however_its_address_is_written(one: str, other: str, *, same: bool) -> None:
    assert (printers._place(one) == printers._place(other)) == same

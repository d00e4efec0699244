"""`floorhub-agent printers` beside a real CUPS: what it lists is what agent.toml needs."""

import json
import tomllib
from pathlib import Path

import pytest

from device_agent import printers
from device_agent.config import parse
from tests.integration.device_agent.printing.queues import cups_before
from tests.support.agent_config import LEAST
from tests.support.cups import Cups
from tests.support.printing import PrinterTestbed


def config_file(folder: Path, cups: Cups) -> Path:
    """A configuration with one of the queues, by another spelling of its address."""
    file = folder / "agent.toml"
    lines = "".join(f'{key} = "{value}"\n' for key, value in LEAST.items())
    uri = f"{cups.uri}/printers/Office".replace("127.0.0.1", "localhost")
    file.write_text(f'{lines}\n[[printers]]\nname = "desk"\nuri = "{uri}"\n')
    file.chmod(0o600)
    return file


def test_queues_are_listed_with_their_state_device_and_default(
    printer: PrinterTestbed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    with cups_before(printer) as (cups, uri):
        cups.add_raw_queue("라벨_2F", "ipp://user:hidden@10.9.8.7/ipp/print", "2층 라벨")
        cups.make_default("라벨_2F")
        cups.stop_queue("라벨_2F")
        outputs = {}
        for form in ("text", "json", "toml"):
            assert printers.run(cups.uri, None, None, form) == 0
            outputs[form] = capsys.readouterr().out
        assert printers.run(cups.uri, config_file(tmp_path, cups), None, "json") == 0
        beside = json.loads(capsys.readouterr().out)

    told = json.loads(outputs["json"])
    office, label = told["cups"]["queues"]
    assert (office["name"], office["uri"], office["state"], office["default"]) == ("Office", uri, "idle", False)
    assert office["device"] == printer.embedded.url
    assert (label["name"], label["title"], label["state"], label["default"]) == ("라벨_2F", "2층 라벨", "stopped", True)
    assert "hidden" not in json.dumps(outputs)
    assert "라벨_2F (default): stopped (paused)" in outputs["text"]
    assert outputs["toml"].strip() in outputs["text"]

    configured = parse(LEAST | tomllib.loads(outputs["toml"]), tmp_path).printers
    assert [(one.name, one.title, one.uri, one.default) for one in configured] == [
        ("office", "Office", uri, False),
        ("2f", "2층 라벨", f"{cups.uri}/printers/라벨_2F", True),
    ]
    assert [queue["configured_as"] for queue in beside["cups"]["queues"]] == ["desk", None]
    assert [(one["name"], one["state"]) for one in beside["configured"]] == [("desk", "idle")]
    assert [one["name"] for one in tomllib.loads(beside["toml"])["printers"]] == ["2f"]


def test_a_cups_without_queues_says_so(
    printer: PrinterTestbed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", "C.UTF-8")
    with cups_before(printer) as (cups, _):
        cups.remove_queue("Office")
        assert printers.run(cups.uri, None, None, "text") == 0
    assert "none: add one with lpadmin" in capsys.readouterr().out

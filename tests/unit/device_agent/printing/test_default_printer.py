"""Commands that name no printer go to the client's default one, and a printer prints one document at a time."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.action import PrintDriver
from device_agent.actions.printing.folder import FolderPrinter
from device_agent.actions.registry import Drivers
from device_agent.core.events import StopReason
from device_agent.core.gate import PayloadError
from tests.support.printing import Context, begin, cancel, payload, until


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / name for name in ("a4", "labels")}
    for folder in found.values():
        folder.mkdir()
    return found


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "order.pdf"
    file.write_bytes(b"%PDF-1.4\n")
    return file


def driver(folders: dict[str, Path], default: str | None) -> PrintDriver:
    configs = [PrinterConfig(name=name, uri=f"folder:{folder}") for name, folder in folders.items()]
    return PrintDriver({config.name: FolderPrinter(config) for config in configs}, default)


def to(name: str | None, document: Path) -> dict[str, Any]:
    """A payload for that printer; None: it names none."""
    asked = payload(document)
    del asked["printer"]
    return asked if name is None else {**asked, "printer": name}


def jobs(folder: Path) -> list[str]:
    log = folder / "effects.jsonl"
    return [json.loads(line)["job_name"] for line in log.read_text("utf-8").splitlines()] if log.exists() else []


@pytest.mark.parametrize("left_out", [{}, {"printer": None}], ids=["missing", "null"])
async def test_the_default_printer_prints_what_names_none(
    folders: dict[str, Path], document: Path, left_out: dict[str, Any]
) -> None:
    prints = driver(folders, "labels")
    prints.check("print", {**to(None, document), **left_out})
    outcome = await prints.execute("print", {**to(None, document), **left_out}, Context(document, "0192-none"))
    await prints.execute("print", to("a4", document), Context(document, "0192-named"))
    assert (outcome.status, outcome.data["printer"]) == ("completed", "labels")
    assert (jobs(folders["labels"]), jobs(folders["a4"])) == (["floorhub-0192-none-1"], ["floorhub-0192-named-1"])


async def test_an_only_printer_is_the_default_one(folders: dict[str, Path], document: Path) -> None:
    del folders["a4"]
    outcome = await driver(folders, None).execute("print", to(None, document), Context(document))
    assert outcome.data["printer"] == "labels"


def test_without_a_default_several_printers_are_named_and_what_to_do(folders: dict[str, Path], document: Path) -> None:
    with pytest.raises(PayloadError) as caught:
        driver(folders, None).check("print", to(None, document))
    assert caught.value.code == "printer_unknown"
    assert "a4, labels" in caught.value.message
    assert "default = true" in caught.value.message


async def test_after_a_restart_the_printer_that_was_the_default_is_asked(
    folders: dict[str, Path], document: Path
) -> None:
    first, later = Context(document), Context(document)
    await driver(folders, "labels").execute("print", to(None, document), first)
    later.remembered = first.remembered
    outcome = await driver(folders, "a4").evidence("print", to(None, document), later)
    assert (outcome.status, outcome.data["printer"]) == ("completed", "labels")

    del folders["labels"]  # and where it is gone, nobody can be asked
    outcome = await driver(folders, "a4").evidence("print", to(None, document), later)
    assert (outcome.status, outcome.code) == ("unknown", "printer_unknown")


async def test_a_printer_prints_one_document_at_a_time_whatever_it_is_called_by(
    folders: dict[str, Path], document: Path
) -> None:
    prints = driver(folders, "labels")
    first, second = Context(document, "0192-first"), Context(document, "0192-second")
    first.let_begin.clear()
    printing = begin(prints.execute("print", to("labels", document), first))
    await first.begins_asked.wait()
    waiting = begin(prints.execute("print", to(None, document), second))
    assert await until(second, "untouched") == ["printer-busy"]
    assert not second.begins_asked.is_set()
    first.let_begin.set()
    assert [(await printing).status, (await waiting).status] == ["completed", "completed"]
    assert jobs(folders["labels"]) == ["floorhub-0192-first-1", "floorhub-0192-second-1"]


@pytest.mark.parametrize(("reason", "status"), [(StopReason.CANCELLED, "cancelled"), (None, None)])
async def test_what_waits_for_its_printer_can_be_stopped_and_has_printed_nothing(
    folders: dict[str, Path], document: Path, reason: StopReason | None, status: str | None
) -> None:
    prints = driver(folders, "labels")
    first, second = Context(document, "0192-first"), Context(document, "0192-second")
    first.let_begin.clear()
    printing = begin(prints.execute("print", to("labels", document), first))
    await first.begins_asked.wait()
    waiting = begin(prints.execute("print", to(None, document), second))
    await until(second, "untouched")
    outcome = await cancel(waiting, second, reason)
    assert (outcome and outcome.status) == status
    first.let_begin.set()
    await printing
    assert jobs(folders["labels"]) == ["floorhub-0192-first-1"]
    third = await asyncio.wait_for(prints.execute("print", to("labels", document), Context(document, "0192-third")), 5)
    assert third.status == "completed"


async def test_people_see_which_printer_is_the_default_and_what_it_is_called(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    configs = [
        PrinterConfig(name="labels", uri=f"folder:{folders['labels']}", title="송장 라벨", default=True),
        PrinterConfig(name="a4", uri=f"folder:{folders['a4']}"),
    ]
    both = await Drivers(configs, {}, version="1", folder=tmp_path).describe()
    assert [(one["name"], one["default"], one.get("title")) for one in both["printers"]] == [
        ("labels", True, "송장 라벨"),
        ("a4", False, None),
    ]
    only = await Drivers(configs[1:], {}, version="1", folder=tmp_path).describe()
    assert only["printers"][0]["default"] is True

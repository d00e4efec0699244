"""What is asked for besides the document reaches the device: its own record of the job, and what came out of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.folder import FolderPrinter
from device_agent.core.outcome import Outcome
from device_agent.ipp.client import IppClient
from device_agent.ipp.message import Attribute, Group, Range
from tests.integration.device_agent.printing.queues import Queue, cups_before
from tests.support.cups import document, pages, texts
from tests.support.printing import Context, PrinterTestbed, payload
from tests.support.waiting import eventually

ALL = {
    "pages": "2-3,5,7-",
    "copies": 2,
    "collate": False,
    "sides": "two-sided-short-edge",
    "media": "a4",
    "media_source": "manual",
    "color": "monochrome",
    "orientation": "landscape",
    "quality": "high",
}
CONTENT = [f"page {number}" for number in range(1, 9)]
TOLD = {
    "page-ranges": [Range(2, 3), Range(5, 5), Range(7, 2**31 - 1)],
    "copies": [2],
    "multiple-document-handling": ["separate-documents-uncollated-copies"],
    "sides": ["two-sided-short-edge"],
    "media-size.x-dimension": [21000],
    "media-size.y-dimension": [29700],
    "media-source": ["manual"],
    "print-color-mode": ["monochrome"],
    "orientation-requested": [4],
    "print-quality": [5],
    "print-scaling": ["fit"],
    "number-up": [2],
}
AT_THE_QUEUE = (*(name for name in TOLD if not name.startswith("media-")), "media-col")


def members(item: Attribute, within: str = "") -> dict[str, list[Any]]:
    """An attribute's values, those of a collection by its members' names."""
    if not isinstance(item.values[0].data, tuple):
        return {f"{within}{item.name}": [value.data for value in item.values]}
    inner = "" if item.name == "media-col" else f"{item.name}."
    return {name: values for each in item.values[0].data for name, values in members(each, inner).items()}


def recorded(job: Group) -> dict[str, list[Any]]:
    return {name: values for item in job.attributes for name, values in members(item).items()}


async def record(uri: str, outcome: Outcome) -> dict[str, list[Any]]:
    """What the device keeps of the job."""
    async with IppClient(uri) as client:
        return recorded(await client.get_job(outcome.data["job_id"], AT_THE_QUEUE))


async def test_a_printer_records_what_it_lists_and_the_result_names_the_rest(
    printer: PrinterTestbed, tmp_path: Path
) -> None:
    file = tmp_path / "order.pdf"
    file.write_bytes(document(CONTENT))
    asked = payload(file, **ALL, scaling="fit", number_up=2)
    outcome = await printer.printer().print_document(print_request.parse(asked), Context(file))
    assert (outcome.status, outcome.data["ignored"]) == ("completed", ["number_up", "scaling"])
    told = await record(printer.embedded.url, outcome)
    assert told == {name: value for name, value in TOLD.items() if name not in ("print-scaling", "number-up")}


async def test_a_printer_s_trays_are_named_when_it_has_no_such_tray(printer: PrinterTestbed, pdf: Path) -> None:
    asked = payload(pdf, media_source="tray-9", fidelity="exact")
    outcome = await printer.printer().print_document(print_request.parse(asked), Context(pdf))
    assert (outcome.status, outcome.code) == ("failed", "options_unsupported")
    assert "does not list tray-9; its trays: auto, main, manual, by-pass-tray" in outcome.message
    assert printer.effects() == []


async def lists_trays(uri: str) -> bool:
    """Whether CUPS has found out about the printer, which it does some time after `lpadmin`."""
    async with IppClient(uri) as client:
        return bool((await client.get_printer(["media-source-supported"])).attributes)


@pytest.mark.parametrize(
    ("pages_asked", "told", "came_out"),
    [
        ("3-6", [Range(2, 3)], ["page 3", "page 4", "page 5", "page 6"]),
        ("7-", [Range(4, 2**31 - 1)], ["page 7", "page 8"]),
    ],
)
async def test_a_queue_of_cups_does_all_of_it(
    pages_asked: str, told: list[Range], came_out: list[str], printer: PrinterTestbed, tmp_path: Path
) -> None:
    with cups_before(printer) as (cups, uri):
        await eventually(lambda: lists_trays(uri))
        queue = Queue(uri, printer, tmp_path, cups)
        asked = {**ALL, "pages": pages_asked, "scaling": "fit", "number_up": 2, "fidelity": "exact"}
        outcome, _ = await queue.print(document(CONTENT), "0192-all", **asked)
        assert (outcome.status, outcome.data.get("ignored")) == ("completed", None), outcome
        at_the_queue = await record(uri, outcome)
        async with IppClient(printer.embedded.url) as client:
            (job,) = await client.get_jobs("completed", AT_THE_QUEUE)
    assert at_the_queue == {**TOLD, "page-ranges": told}
    at_the_printer = recorded(job)
    assert {name: at_the_printer[name] for name in ("media-source", "media-size.x-dimension", "print-quality")} == {
        "media-source": ["manual"],
        "media-size.x-dimension": [21000],
        "print-quality": [5],
    }
    (effect,) = printer.effects()
    assert (effect["copies"], effect["sides"]) == (2, "two-sided-short-edge")
    assert (texts(printer.printed(effect)), pages(printer.printed(effect))) == (came_out, len(came_out) // 2)


async def test_pages_that_fill_no_whole_side_come_out_one_on_each(printer: PrinterTestbed, tmp_path: Path) -> None:
    with cups_before(printer) as (cups, uri):
        await eventually(lambda: lists_trays(uri))
        queue = Queue(uri, printer, tmp_path, cups)
        outcome, _ = await queue.print(document(CONTENT), "0192-some", pages="2-3,5", number_up=2)
    assert (outcome.status, outcome.data.get("ignored")) == ("completed", ["number_up"]), outcome
    (effect,) = printer.effects()
    printed = printer.printed(effect)
    assert (texts(printed), pages(printed)) == (["page 2", "page 3", "page 5"], 3)


async def test_a_folder_that_stands_in_for_a_printer_notes_it(tmp_path: Path, pdf: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    printer = FolderPrinter(PrinterConfig(name="office", uri=f"folder:{folder}"))
    await printer.print_document(print_request.parse(payload(pdf, **ALL)), Context(pdf))
    (line,) = (folder / "effects.jsonl").read_text("utf-8").splitlines()
    effect = json.loads(line)
    assert {name: effect[name] for name in ALL} == ALL

"""The folder that stands in for a printer: one file and one line for each document, and never any doubt."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.folder import FolderPrinter
from tests.support.printing import Context, begin, cancel, payload

REQUEST = print_request.parse(payload(copies=2, duplex=True, title="주문"))


def folder_printer(folder: Path) -> FolderPrinter:
    return FolderPrinter(PrinterConfig(name="office", uri=f"folder:{folder}"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = tmp_path / "out put"
    out.mkdir()
    return out


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    file = tmp_path / "order.pdf"
    file.write_bytes(b"%PDF-1.4 order")
    return file


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def effects(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "effects.jsonl").read_text("utf-8").splitlines()]


async def test_a_document_becomes_a_file_and_a_line(folder: Path, pdf: Path) -> None:
    printer = folder_printer(folder)
    for command in ("a", "b"):
        outcome = await printer.print_document(REQUEST, Context(pdf, command))
        assert outcome.status == "completed"
    files = names_in(folder)
    assert files == ["1-floorhub-a-1.pdf", "2-floorhub-b-1.pdf", "effects.jsonl"]
    assert (folder / files[0]).read_bytes() == b"%PDF-1.4 order"
    first, second = effects(folder)
    assert (first["number"], first["job_name"], first["copies"]) == (1, "floorhub-a-1", 2)
    assert (first["sides"], first["title"]) == ("two-sided-long-edge", "주문")
    assert first["sha256"] == hashlib.sha256(b"%PDF-1.4 order").hexdigest()
    assert second["file"] == "2-floorhub-b-1.pdf"


@pytest.mark.parametrize("said", ["asked", "stored"])
async def test_a_text_that_is_called_a_pdf_is_not_printed(folder: Path, tmp_path: Path, said: str) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"hello not a pdf")
    wanted = payload(text, **({"content_type": "application/pdf"} if said == "asked" else {}))
    wanted["document"] |= {"content_type": "application/pdf"} if said == "stored" else {}
    outcome = await folder_printer(folder).print_document(print_request.parse(wanted), Context(text))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "document_mislabelled", False)
    assert names_in(folder) == []


async def test_every_option_is_noted(folder: Path, pdf: Path) -> None:
    asked = {"media": "a4", "orientation": "landscape", "color": "color", "sides": "one-sided", "copies": 3}
    outcome = await folder_printer(folder).print_document(print_request.parse(payload(pdf, **asked)), Context(pdf))
    assert outcome.status == "completed"
    (effect,) = effects(folder)
    assert {name: effect[name] for name in asked} == asked


async def test_the_same_attempt_is_never_printed_twice(folder: Path, pdf: Path) -> None:
    for _ in range(2):
        await folder_printer(folder).print_document(REQUEST, Context(pdf))
    assert names_in(folder) == ["1-floorhub-0192-a-1.pdf", "effects.jsonl"]
    assert len(effects(folder)) == 1


async def test_evidence_is_the_file(folder: Path, pdf: Path) -> None:
    printer = folder_printer(folder)
    before = await printer.evidence(REQUEST, Context())
    assert (before.status, before.retryable) == ("failed", True)
    await printer.print_document(REQUEST, Context(pdf))
    assert (await printer.evidence(REQUEST, Context())).status == "completed"


@pytest.mark.parametrize("left", [b"", b'{"number": 1, "job_name": "floorhub-0192-a-1", "cop'])
async def test_a_line_that_a_crash_cut_off_is_written_by_the_evidence(folder: Path, pdf: Path, left: bytes) -> None:
    printer = folder_printer(folder)
    await printer.print_document(REQUEST, Context(pdf))
    (folder / "effects.jsonl").write_bytes(left)
    assert (await printer.evidence(REQUEST, Context())).status == "completed"
    lines = (folder / "effects.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[-1])["job_name"] == "floorhub-0192-a-1"
    assert (await printer.evidence(REQUEST, Context())).status == "completed"
    assert (folder / "effects.jsonl").read_text("utf-8").splitlines() == lines


async def test_a_missing_folder_may_be_tried_again(tmp_path: Path, pdf: Path) -> None:
    printer = folder_printer(tmp_path / "gone")
    outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "printer_unreachable", True)
    assert (await printer.describe())["state"] == "unreachable"
    assert (await printer.evidence(REQUEST, Context())).status == "unknown"


async def test_nothing_half_written_stays(folder: Path, tmp_path: Path) -> None:
    unreadable = tmp_path / "folder.pdf"
    unreadable.mkdir()
    outcome = await folder_printer(folder).print_document(REQUEST, Context(unreadable))
    assert (outcome.status, outcome.retryable) == ("failed", True)
    assert names_in(folder) == []


async def test_a_cancel_before_the_document_came_is_certain(folder: Path) -> None:
    context = Context(document=None)
    task = begin(folder_printer(folder).print_document(REQUEST, context))
    await context.document_asked.wait()
    outcome = await cancel(task, context)
    assert outcome is not None
    assert outcome.status == "cancelled"


async def test_a_cancel_while_it_is_written_tells_how_it_ended(folder: Path, pdf: Path) -> None:
    context = Context(pdf)
    task = begin(folder_printer(folder).print_document(REQUEST, context))
    await context.document_given.wait()
    outcome = await cancel(task, context) if not task.done() else task.result()
    assert outcome is not None
    assert outcome.status == "completed"
    assert len(effects(folder)) == 1


@pytest.mark.parametrize("uri", ["folder:relative/path", "folder:"])
def test_a_folder_must_be_absolute(uri: str) -> None:
    with pytest.raises(ValueError, match="absolute"):
        FolderPrinter(PrinterConfig(name="office", uri=uri))

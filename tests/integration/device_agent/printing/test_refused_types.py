"""A printer refuses the type of a document: the sentence names what was sent and what the printer takes."""

from pathlib import Path

import pytest

from device_agent.actions.printing import ipp as driver
from device_agent.actions.printing import request as print_request
from device_agent.ipp import client as ipp
from device_agent.ipp.message import Attribute, Group, GroupTag, Message, Tag, attribute
from device_agent.ipp.states import JobState
from tests.integration.device_agent.printing.odd_printer import reply
from tests.integration.device_agent.printing.scripted_printer import Answer, ScriptedPrinter
from tests.support.printing import Context, payload

LISTED = ("application/octet-stream", "application/pdf", "image/jpeg")


def _that_lists(
    *formats: str, operations: tuple[int, ...] = (ipp.PRINT_JOB,), prints: JobState = JobState.COMPLETED
) -> ScriptedPrinter:
    there = ScriptedPrinter(prints)
    about: list[Attribute] = [attribute("operations-supported", Tag.ENUM, *operations)]
    about += [attribute("document-format-supported", Tag.MIME_TYPE, *formats)] if formats else []
    there.instead[ipp.GET_PRINTER_ATTRIBUTES] = lambda request: reply(request, 0, Group(4, tuple(about)))
    return there


def _refuses(request: Message) -> Answer:
    said = attribute("status-message", Tag.TEXT, "no such filter")
    return reply(request, ipp.FORMAT_NOT_SUPPORTED, Group(GroupTag.OPERATION, (said,)))


def _document(file: Path, content_type: str) -> Path:
    file.write_bytes(b"%PDF-1.4\n" if content_type == "application/pdf" else b"^XA^XZ")
    return file


@pytest.mark.parametrize(
    ("content_type", "formats", "names", "takes"),
    [
        # Not in its list: nothing is sent.
        ("application/x-hwp", LISTED, "print application/x-hwp;", f"it prints: {', '.join(LISTED)}"),
        # In its list, and refused all the same.
        ("application/pdf", LISTED, "print application/pdf;", "it prints: application/octet-stream, image/jpeg."),
        ("application/octet-stream", LISTED, "application/octet-stream;", "it prints: application/pdf, image/jpeg."),
        # Told to the printer by another name.
        ("application/vnd.zebra.zpl", LISTED, "zebra.zpl (sent as application/octet-stream);", "application/pdf"),
        # It lists nothing, or only this.
        ("application/pdf", (), "print application/pdf;", "does not say which types it prints"),
        ("application/pdf", ("application/pdf",), "print application/pdf;", "names no other types"),
        ("text/x", tuple(f"image/x-{n:02}" for n in range(25)), "print text/x;", "image/x-19 and 5 more"),
    ],
)
async def test_both_types_are_named(
    pdf: Path, content_type: str, formats: tuple[str, ...], names: str, takes: str
) -> None:
    there = _that_lists(*formats)
    there.instead[ipp.PRINT_JOB] = _refuses
    request = print_request.parse(payload(pdf, content_type=content_type))
    async with there.running() as printer:
        outcome = await printer.print_document(request, Context(_document(pdf, content_type)))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "document_format_unsupported", False)
    assert names in outcome.message, outcome
    assert takes in outcome.message, outcome
    assert ("The printer says: no such filter" in outcome.message) is (ipp.PRINT_JOB in there.heard)


async def test_a_validation_and_a_late_document_name_them_too(pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = _that_lists(*LISTED, operations=(ipp.PRINT_JOB, ipp.VALIDATE_JOB))
    there.instead[ipp.VALIDATE_JOB] = _refuses
    async with there.running() as printer:
        request = print_request.parse(payload(pdf, fidelity="exact"))
        outcome = await printer.print_document(request, Context(pdf))
    assert outcome.code == "document_format_unsupported", outcome
    assert "does not print application/pdf; it prints: application/octet-stream, image/jpeg" in outcome.message

    monkeypatch.setattr(driver, "LARGE", 1)
    there = _that_lists(*LISTED, operations=(ipp.PRINT_JOB, ipp.CREATE_JOB, ipp.SEND_DOCUMENT))
    there.instead[ipp.SEND_DOCUMENT] = _refuses
    async with there.running() as printer:
        outcome = await printer.print_document(print_request.parse(payload(pdf)), Context(pdf))
    assert (outcome.status, outcome.code) == ("failed", "document_format_unsupported"), outcome
    assert "not taken: the printer does not print application/pdf; it prints: application/oct" in outcome.message


async def test_a_job_that_ends_because_of_its_type_names_them(pdf: Path) -> None:
    """A queue that looks into the document only after it took the job; also after the agent's restart."""
    there = _that_lists(*LISTED, prints=JobState.ABORTED)

    def ended(request: Message) -> Answer:
        group = there.jobs[1].group()
        reason = attribute("job-state-reasons", Tag.KEYWORD, "unsupported-document-format")
        return reply(request, 0, Group(group.tag, (*group.attributes, reason)))

    there.instead[ipp.GET_JOB_ATTRIBUTES] = ended
    request, context = print_request.parse(payload(pdf, content_type="application/pdf")), Context(pdf)
    async with there.running() as printer:
        first = await printer.print_document(request, context)
        again = await printer.evidence(request, context.after_restart())
    for outcome in (first, again):
        assert outcome.code == "document_unprintable", outcome
        assert "The document is application/pdf; it prints: application/octet-stream, image/jpeg" in outcome.message

"""What was asked of a printer and cannot be done is said, or refused before anything is printed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.core.outcome import Outcome
from device_agent.documents import DocumentError
from device_agent.ipp import client as ipp
from device_agent.ipp.message import Attribute, Group, GroupTag, Message, Range, Tag, attribute
from tests.integration.device_agent.printing.odd_printer import printer_that, reply
from tests.support.printing import FAST, Context, payload, restarted

LISTS = (
    attribute("document-format-supported", Tag.MIME_TYPE, "application/PDF; version=1.7", "application/octet-stream"),
    attribute("operations-supported", Tag.ENUM, ipp.PRINT_JOB, ipp.VALIDATE_JOB, ipp.CANCEL_JOB),
    attribute("sides-supported", Tag.KEYWORD, "one-sided", "two-sided-long-edge"),
)
ONE_COPY = attribute("copies-supported", Tag.RANGE, Range(1, 1))
MANY_COPIES = attribute("copies-supported", Tag.RANGE, Range(1, 99))
UNSUPPORTED = Group(GroupTag.UNSUPPORTED, (attribute("sides", Tag.UNSUPPORTED, None),))


class Device:
    """A printer with these lists. `answers` gives other answers to single operations."""

    def __init__(
        self, *lists: Attribute, answers: dict[int, Callable[[Message], tuple[int, bytes]]] | None = None
    ) -> None:
        self.lists = (*LISTS, *lists)
        self.answers = answers or {}
        self.heard: list[Message] = []
        self.state = 9

    def answer(self, request: Message) -> tuple[int, bytes]:
        if request.code == ipp.CANCEL_JOB:
            self.state = 7
        if request.code in self.answers:
            return self.answers[request.code](request)
        if request.code == ipp.GET_PRINTER_ATTRIBUTES:
            return reply(request, 0, Group(GroupTag.PRINTER, self.lists))
        name = attribute("job-name", Tag.NAME, Context().job_name)
        job = (attribute("job-id", Tag.INTEGER, 7), attribute("job-state", Tag.ENUM, self.state), name)
        return reply(request, 0, Group(GroupTag.JOB, job))

    async def print(self, pdf: Path, **asked: Any) -> Outcome:
        async with printer_that(self.answer, self.heard) as client:
            printer = IppPrinter(PrinterConfig(name="office", uri=client.uri), FAST)
            return await printer.print_document(print_request.parse(payload(pdf, **asked)), Context(pdf))

    async def evidence(self, pdf: Path, **asked: Any) -> Outcome:
        async with printer_that(self.answer, self.heard) as client:
            printer = IppPrinter(PrinterConfig(name="office", uri=client.uri), FAST)
            return await printer.evidence(print_request.parse(payload(pdf, **asked)), restarted())

    @property
    def jobs(self) -> list[Message]:
        return [request for request in self.heard if request.code == ipp.PRINT_JOB]

    @property
    def asked_for(self) -> dict[str, Any]:
        """The options and the operation attributes of the job."""
        (job,) = self.jobs
        return {item.name: item.values[0].data for group in job.groups for item in group.attributes}


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    file = tmp_path / "order.pdf"
    file.write_bytes(b"%PDF-1.7\n")
    return file


@pytest.mark.parametrize("lists", [(ONE_COPY,), ()], ids=["one copy", "no word of copies"])
async def test_copies_that_a_printer_does_not_make_are_said(lists: tuple[Attribute, ...], pdf: Path) -> None:
    device = Device(*lists)
    outcome = await device.print(pdf, copies=3)
    assert outcome.status == "completed"
    assert (outcome.data["ignored"], outcome.data["copies_made"]) == (["copies"], 1)
    assert device.asked_for.get("copies", 1) == 1


async def test_what_was_not_done_is_said_after_a_restart_as_well(pdf: Path) -> None:
    outcome = await Device(ONE_COPY).evidence(pdf, copies=3, color="color")
    assert (outcome.status, outcome.data["ignored"]) == ("completed", ["color", "copies"])
    assert outcome.data["copies_made"] == 1


async def test_a_printer_makes_as_many_copies_as_it_can(pdf: Path) -> None:
    device = Device(MANY_COPIES)
    outcome = await device.print(pdf, copies=150)
    assert (outcome.data["ignored"], outcome.data["copies_made"], device.asked_for["copies"]) == (["copies"], 99, 99)
    device = Device(MANY_COPIES)
    outcome = await device.print(pdf, copies=3, sides="two-sided-long-edge")
    assert "ignored" not in outcome.data
    assert (device.asked_for["copies"], device.asked_for["sides"]) == (3, "two-sided-long-edge")
    assert "ipp-attribute-fidelity" not in device.asked_for


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"copies": 2}, "copies: 2 are asked for, and the printer makes at most 1 of them"),
        ({"sides": "two-sided-short-edge"}, "sides: the printer does not list two-sided-short-edge"),
        ({"media": "iso_a3_297x420mm"}, "media: the printer does not list iso_a3_297x420mm"),
        ({"orientation": "landscape"}, "orientation: the printer does not list landscape"),
        ({"color": "color", "copies": 2}, "color: the printer does not list color; copies: 2"),
    ],
)
async def test_exactly_or_not_at_all(asked: dict[str, Any], said: str, pdf: Path) -> None:
    device = Device(ONE_COPY)
    outcome = await device.print(pdf, fidelity="exact", **asked)
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "options_unsupported", False)
    assert outcome.message.startswith(said)
    assert "Nothing was printed" in outcome.message
    assert device.jobs == []


async def test_what_can_be_done_exactly_is_printed(pdf: Path) -> None:
    device = Device(MANY_COPIES)
    outcome = await device.print(pdf, fidelity="exact", copies=2, sides="two-sided-long-edge")
    assert outcome.status == "completed"
    assert device.asked_for["ipp-attribute-fidelity"] is True
    assert device.asked_for["document-format"] == "application/PDF; version=1.7"


@pytest.mark.parametrize("code", [0x0001, 0x040B], ids=["would ignore it", "would refuse it"])
async def test_a_printer_s_own_word_counts_more_than_its_lists(code: int, pdf: Path) -> None:
    device = Device(answers={ipp.VALIDATE_JOB: lambda request: reply(request, code, UNSUPPORTED)})
    outcome = await device.print(pdf, fidelity="exact", sides="two-sided-long-edge")
    assert (outcome.status, outcome.code) == ("failed", "options_unsupported")
    assert "sides" in outcome.message
    assert device.jobs == []


async def test_a_printer_that_refuses_at_the_last_moment_says_what_for(pdf: Path) -> None:
    device = Device(answers={ipp.PRINT_JOB: lambda request: reply(request, 0x040B, UNSUPPORTED)})
    outcome = await device.print(pdf, fidelity="exact", sides="two-sided-long-edge")
    assert (outcome.status, outcome.code) == ("failed", "options_unsupported")
    assert "sides" in outcome.message


async def test_a_job_that_is_taken_and_changed_all_the_same_is_called_off(pdf: Path) -> None:
    job = Group(GroupTag.JOB, (attribute("job-id", Tag.INTEGER, 7), attribute("job-state", Tag.ENUM, 5)))
    device = Device(answers={ipp.PRINT_JOB: lambda request: reply(request, 0x0001, job, UNSUPPORTED)})
    device.state = 5
    outcome = await device.print(pdf, fidelity="exact", sides="two-sided-long-edge")
    assert (outcome.status, outcome.code) == ("failed", "options_unsupported")
    assert outcome.data["ignored"] == ["sides"]
    assert ipp.CANCEL_JOB in [request.code for request in device.heard]


async def test_a_text_is_not_printed_as_a_pdf(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"hello not a pdf")
    device = Device()
    with pytest.raises(DocumentError) as problem:
        await device.print(text, content_type="application/pdf")
    assert (problem.value.code, problem.value.retryable, device.jobs) == ("document_mislabelled", False, [])

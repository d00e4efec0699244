"""A large document goes to a job that was created first. A job without its document is never called printed."""

from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.printing import ipp as driver
from device_agent.actions.printing import request as print_request
from device_agent.ipp import client as ipp
from device_agent.ipp.message import Message
from device_agent.ipp.states import JobState
from tests.integration.device_agent.printing.odd_printer import reply
from tests.integration.device_agent.printing.scripted_printer import Answer, ScriptedPrinter, once
from tests.support.printing import Context, begin, cancel, payload
from tests.support.waiting import eventually

REQUEST = print_request.parse(payload())


@pytest.fixture(autouse=True)
def _in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "LARGE", 1000)


class Closing(ScriptedPrinter):
    """Its answer to Create-Job gets lost, so often; and it ends what is left without a document as completed."""

    def __init__(self, losses: int, *, does: bool) -> None:
        super().__init__()
        self.losses = losses
        self.does = does
        self.instead[ipp.CREATE_JOB] = self._create
        self.instead[ipp.GET_JOB_ATTRIBUTES] = self._close

    def _create(self, request: Message) -> Answer | None:
        if not self.losses:
            return None
        self.losses -= 1
        if self.does:
            self.usual(request)
        return 500, b""

    def _close(self, request: Message) -> None:
        job = self.jobs.get(request.groups[0].integer("job-id") or 0)
        if job and not job.documents:
            job.state = JobState.COMPLETED


@pytest.mark.parametrize("does", [True, False])
async def test_a_lost_answer_to_the_creation_does_not_lose_the_document(pdf: Path, does: bool) -> None:
    there = Closing(1, does=does)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, there.documents, len(there.jobs)) == ("completed", 1, 1), outcome


async def test_a_created_job_that_ended_without_a_document_is_not_ours(pdf: Path) -> None:
    there = Closing(1, does=True)

    def time_out(_: Message) -> None:
        for job in there.jobs.values():
            job.state = job.state if job.documents else JobState.COMPLETED

    there.instead[ipp.GET_PRINTER_ATTRIBUTES] = time_out
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, outcome.data["job_id"], there.documents) == ("completed", 2, 1), outcome


async def test_answers_to_the_creation_that_always_get_lost_end_and_may_be_tried_anew(pdf: Path) -> None:
    there = Closing(99, does=False)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "printer_lost", True)
    assert there.heard.count(ipp.CREATE_JOB) == 3


async def test_nothing_counts_as_begun_before_the_document_goes_out(pdf: Path) -> None:
    """A restart in between begins the attempt anew."""
    there = ScriptedPrinter()
    context = Context(pdf)
    told: dict[int, list[Any]] = {}

    def note(request: Message) -> None:
        told[request.code] = [kind for kind, _ in context.told]

    there.instead |= {ipp.CREATE_JOB: note, ipp.SEND_DOCUMENT: note}
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, context)
    assert outcome.status == "completed", outcome
    assert told == {ipp.CREATE_JOB: ["untouched"], ipp.SEND_DOCUMENT: ["untouched", "resumed"]}


async def test_a_document_that_may_not_have_got_there_is_not_called_printed_after_a_restart(pdf: Path) -> None:
    there = Closing(0, does=True)
    context = Context(pdf)
    there.instead[ipp.SEND_DOCUMENT] = lambda request: reply(request, 0x0507)
    there.instead.pop(ipp.GET_JOB_ATTRIBUTES)
    async with there.running() as printer:
        task = begin(printer.print_document(REQUEST, context))
        await eventually(lambda: ipp.SEND_DOCUMENT in there.heard)
        await cancel(task, context, None)
        there.jobs[1].state = JobState.COMPLETED
        again = Context()
        again.remembered = context.remembered
        outcome = await printer.evidence(REQUEST, again)
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost"), outcome


async def test_a_refused_document_is_not_called_printed(pdf: Path) -> None:
    """Whatever the printer says of the job that stays without it."""
    there = Closing(0, does=True)
    there.instead[ipp.SEND_DOCUMENT] = lambda request: reply(request, ipp.FORMAT_NOT_SUPPORTED)
    there.instead[ipp.CANCEL_JOB] = lambda request: reply(request, ipp.NOT_POSSIBLE)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "printer_rejected", False)


async def test_a_cancel_before_the_document_goes_out_is_certain(pdf: Path) -> None:
    there = ScriptedPrinter()
    there.instead[ipp.CREATE_JOB] = lambda request: reply(request, 0x0507)
    context = Context(pdf)
    async with there.running() as printer:
        task = begin(printer.print_document(REQUEST, context))
        await eventually(lambda: ipp.CREATE_JOB in there.heard)
        outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, there.documents) == ("cancelled", 0)


async def test_a_printer_that_creates_no_jobs_though_it_says_so_gets_the_document_at_once(pdf: Path) -> None:
    there = ScriptedPrinter()
    there.instead[ipp.CREATE_JOB] = lambda request: reply(request, ipp.OPERATION_NOT_SUPPORTED)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, there.documents) == ("completed", 1), outcome


@pytest.mark.parametrize("status", [0x0505, 0x0506, 0x0507])
async def test_a_printer_that_is_busy_gets_the_document_later(pdf: Path, status: int) -> None:
    there = ScriptedPrinter()
    there.instead[ipp.SEND_DOCUMENT] = once(lambda request: reply(request, status))
    context = Context(pdf)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, context)
    assert (outcome.status, there.documents) == ("completed", 1), outcome
    assert context.heard("held") == [["printer-busy"]]

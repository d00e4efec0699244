"""A large document goes to a job that was created first. A job without its document is never called printed."""

import asyncio
from pathlib import Path

import pytest

from device_agent.actions.printing import ipp as driver
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.core.events import StopReason
from device_agent.ipp import client as ipp
from device_agent.ipp.message import Group, GroupTag, Message, Tag, attribute
from device_agent.ipp.states import ENDED, JobState
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
    assert (outcome.status, there.documents) == ("completed", 1), outcome
    left = [job.state in ENDED for job in there.jobs.values() if not job.documents]
    assert left == [True] * does, "an empty job would wait in front of others"


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
    told: dict[int, bool] = {}

    def note(request: Message) -> None:
        told[request.code] = context.begins_asked.is_set()

    there.instead |= {ipp.CREATE_JOB: note, ipp.SEND_DOCUMENT: note}
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, context)
    assert outcome.status == "completed", outcome
    assert told == {ipp.CREATE_JOB: False, ipp.SEND_DOCUMENT: True}


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
        outcome = await printer.evidence(REQUEST, context.after_restart())
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost"), outcome


async def test_a_refused_document_is_not_called_printed(pdf: Path) -> None:
    """Whatever the printer says of the job that stays without it."""
    there = Closing(0, does=True)
    there.instead[ipp.SEND_DOCUMENT] = lambda request: reply(request, ipp.FORMAT_NOT_SUPPORTED)
    there.instead[ipp.CANCEL_JOB] = lambda request: reply(request, ipp.NOT_POSSIBLE)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "document_format_unsupported", False)


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


@pytest.mark.parametrize("reason", [StopReason.CANCELLED, StopReason.TIMED_OUT])
async def test_a_stop_while_the_document_goes_out_reaches_the_printer_after_a_lost_creation(
    pdf: Path, reason: StopReason
) -> None:
    """The answer to the first Create-Job got lost: what was certain then is not certain any more."""
    there = Closing(1, does=True)
    there.instead.pop(ipp.GET_JOB_ATTRIBUTES)
    there.instead[ipp.SEND_DOCUMENT] = lambda request: reply(request, 0x0507)
    context = Context(pdf)
    async with there.running() as printer:
        task = begin(printer.print_document(REQUEST, context))
        await eventually(lambda: ipp.SEND_DOCUMENT in there.heard)
        outcome = await cancel(task, context, reason)
    assert there.cancelled == [1, 2]
    assert outcome is not None
    assert "the printer cancelled job 2" in outcome.message


@pytest.mark.parametrize("reason", [StopReason.CANCELLED, StopReason.TIMED_OUT])
async def test_a_stopped_job_that_ended_without_its_document_is_not_called_printed(
    pdf: Path, reason: StopReason
) -> None:
    there = ScriptedPrinter()
    there.instead[ipp.SEND_DOCUMENT] = lambda request: reply(request, 0x0507)

    def complete(request: Message) -> Answer:
        there.jobs[1].state = JobState.COMPLETED
        return reply(request, ipp.NOT_POSSIBLE)

    there.instead[ipp.CANCEL_JOB] = complete
    context = Context(pdf)
    async with there.running() as printer:
        task = begin(printer.print_document(REQUEST, context))
        await eventually(lambda: ipp.SEND_DOCUMENT in there.heard)
        outcome = await cancel(task, context, reason)
    assert outcome is not None
    assert (outcome.status, outcome.code, there.documents) == ("unknown", "printer_lost", 0), outcome


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_document_that_the_web_server_turned_away_is_not_called_printed(pdf: Path, status: int) -> None:
    there = Closing(0, does=True)
    there.instead[ipp.SEND_DOCUMENT] = lambda _: (status, b"")
    there.instead[ipp.CANCEL_JOB] = lambda request: reply(request, ipp.NOT_POSSIBLE)
    async with there.running() as printer:
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert (outcome.status, there.documents) == ("unknown", 0), outcome


async def test_a_restart_leaves_no_empty_jobs_behind(pdf: Path) -> None:
    there = ScriptedPrinter()
    reached = asyncio.Event()

    async def stop_before_the_document(printer: IppPrinter) -> None:
        context = Context(pdf)
        context.let_begin.clear()
        task = begin(printer.print_document(REQUEST, context))
        await context.begins_asked.wait()
        await cancel(task, context, None)
        reached.set()

    async with there.running() as printer:
        for _ in range(2):
            await stop_before_the_document(printer)
        outcome = await printer.print_document(REQUEST, Context(pdf))
    assert reached.is_set()
    states = [job.state for job in there.jobs.values()]
    assert (outcome.status, states) == ("completed", [JobState.CANCELED, JobState.CANCELED, JobState.COMPLETED])


class Ignoring(Closing):
    """It lists sides, and says of each job that it would ignore them."""

    def usual(self, request: Message) -> Answer:
        answer = super().usual(request)
        if request.code == ipp.GET_PRINTER_ATTRIBUTES:
            operations = attribute("operations-supported", Tag.ENUM, ipp.CREATE_JOB, ipp.SEND_DOCUMENT)
            sides = attribute("sides-supported", Tag.KEYWORD, "one-sided", "two-sided-long-edge")
            return reply(request, 0, Group(GroupTag.PRINTER, (operations, sides)))
        if request.code == ipp.CREATE_JOB:
            ignored = Group(GroupTag.UNSUPPORTED, (attribute("sides", Tag.KEYWORD, "two-sided-long-edge"),))
            return reply(request, 1, self.jobs[len(self.jobs)].group(), ignored)
        return answer


TWO_SIDED = payload(sides="two-sided-long-edge")


async def test_what_a_printer_would_ignore_is_told_although_its_first_answer_got_lost(pdf: Path) -> None:
    async with Ignoring(1, does=True).running() as printer:
        outcome = await printer.print_document(print_request.parse(TWO_SIDED), Context(pdf))
    assert (outcome.status, outcome.data.get("ignored")) == ("completed", ["sides"]), outcome


async def test_what_a_printer_said_it_would_ignore_is_told_after_a_restart(pdf: Path) -> None:
    context = Context(pdf)
    async with Ignoring(0, does=True).running() as printer:
        await printer.print_document(print_request.parse(TWO_SIDED), context)
        outcome = await printer.evidence(print_request.parse(TWO_SIDED), context.after_restart())
    assert (outcome.status, outcome.data.get("ignored")) == ("completed", ["sides"]), outcome


async def test_a_job_that_is_called_off_is_cancelled_once_the_printer_has_time(pdf: Path) -> None:
    there = Ignoring(0, does=True)
    there.instead.pop(ipp.GET_JOB_ATTRIBUTES)
    there.instead[ipp.CANCEL_JOB] = once(lambda request: reply(request, 0x0507))
    exact = print_request.parse({**TWO_SIDED, "fidelity": "exact"})
    async with there.running() as printer:
        outcome = await printer.print_document(exact, Context(pdf))
    assert (outcome.status, outcome.code, there.documents) == ("failed", "options_unsupported", 0), outcome
    assert there.cancelled == [1]

"""A printer that was reset gives numbers anew: another's job is never followed, called ours, or cancelled."""

import asyncio
from pathlib import Path

import pytest

from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.poll import Timing
from device_agent.ipp.client import GET_JOB_ATTRIBUTES, IppClient, JobTicket
from device_agent.ipp.message import Message
from device_agent.ipp.states import JobState
from tests.integration.device_agent.printing.scripted_printer import Job, ScriptedPrinter
from tests.support.printing import Context, PrinterTestbed, begin, cancel, payload
from tests.support.waiting import eventually

REQUEST = print_request.parse(payload())
LETTER = "Letter to mother"
UNHURRIED = Timing(poll_first_s=2, poll_most_s=2)
"""It asks again when the printer has been switched off and on, and somebody else has printed."""


@pytest.mark.parametrize("stops", [False, True])
async def test_another_prints_on_a_printer_that_was_switched_off_and_on(
    printer: PrinterTestbed, pdf: Path, stops: bool
) -> None:
    printer.behave(seconds=30)
    context = Context(pdf)
    task = begin(printer.printer(UNHURRIED).print_document(REQUEST, context))
    await eventually(lambda: "job_called" in context.remembered)
    printer.embedded.kill()
    printer.embedded.start()
    printer.behave(seconds=3 if stops else 0.1)
    async with IppClient(printer.embedded.url, user="alice") as alice:
        taken = await alice.print_job(JobTicket(name=LETTER, document_format="application/pdf"), pdf)
    assert taken.job_id == context.remembered["job_id"]
    outcome = await cancel(task, context) if stops else await task
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    await eventually(lambda: [effect["job_name"] for effect in printer.effects()] == [LETTER])


NAMELESS = ""


@pytest.mark.parametrize("has_uuids", [True, False])
@pytest.mark.parametrize("name", [LETTER, NAMELESS, "floorhub-0192-b-1", "floorhub-0192-a-12"])
@pytest.mark.parametrize("how", ["runs on", "is stopped", "asks after a restart"])
async def test_another_job_has_our_number(pdf: Path, how: str, name: str, has_uuids: bool) -> None:
    there = ScriptedPrinter(prints=JobState.PROCESSING)
    context = Context(pdf)
    async with there.running() as printer:
        task = begin(printer.print_document(REQUEST, context))
        await eventually(lambda: there.jobs)
        if has_uuids:
            there.jobs[1].uuid = "urn:uuid:ours"
            await eventually(lambda: context.remembered.get("job_uuid"))
        await eventually(lambda: "job_called" in context.remembered)
        user = "alice" if name else ""
        if how == "asks after a restart":
            await cancel(task, context, None)
        state = JobState.PROCESSING if how == "is stopped" else JobState.COMPLETED
        there.jobs[1] = Job(1, name, state, "urn:uuid:theirs" if has_uuids else "", user)
        if how == "runs on":
            outcome = await task
        elif how == "is stopped":
            stopped = await cancel(task, context)
            assert stopped is not None
            outcome = stopped
        else:
            again = Context()
            again.remembered = context.remembered
            async with asyncio.timeout(10):
                outcome = await printer.evidence(REQUEST, again)
    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)
    assert there.cancelled == []


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_printer_that_never_tells_names_is_believed_its_numbers(pdf: Path, restarts: bool) -> None:
    await completes(pdf, Job(1, NAMELESS, JobState.PROCESSING, user=""), restarts)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_printer_that_renames_jobs_is_believed_its_uuids(pdf: Path, restarts: bool) -> None:
    await completes(pdf, Job(1, "GUEST JOB", JobState.PROCESSING, uuid="urn:uuid:ours"), restarts)


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_printer_that_renames_jobs_is_believed_our_users(pdf: Path, restarts: bool) -> None:
    await completes(pdf, Job(1, "GUEST JOB", JobState.PROCESSING), restarts)


async def completes(pdf: Path, shown: Job, restarts: bool) -> None:
    """Our job, as the printer shows it from the beginning, is found to have ended."""
    there = ScriptedPrinter()

    def show(_: Message) -> None:
        there.jobs[1] = shown

    there.instead[GET_JOB_ATTRIBUTES] = show
    context = Context(pdf)
    async with there.running() as printer:
        task = begin(printer.print_document(REQUEST, context))
        await eventually(lambda: "job_called" in context.remembered)
        if restarts:
            await cancel(task, context, None)
        shown.state = JobState.COMPLETED
        again = Context()
        again.remembered = context.remembered
        outcome = await (printer.evidence(REQUEST, again) if restarts else task)
    assert outcome.status == "completed", outcome

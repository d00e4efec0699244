"""Printing through a real CUPS queue in front of the virtual printer. CUPS rewrites a PDF, so what is compared is what
it says: texts and pages, copies and sides."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.printing import request as print_request
from device_agent.core.outcome import Outcome
from device_agent.ipp.client import IppClient, JobTicket
from tests.integration.device_agent.printing.queues import TIMING, Queue, cups_before
from tests.support.cups import document, pages, texts
from tests.support.printing import Context, PrinterTestbed, begin, payload, until
from tests.support.waiting import eventually

JOBS = 6
SIDES = ("one-sided", "two-sided-long-edge", "two-sided-short-edge")


@pytest.fixture
def queue(printer: PrinterTestbed, tmp_path: Path) -> Iterator[Queue]:
    with cups_before(printer) as (cups, uri):
        yield Queue(uri, printer, tmp_path, cups)


@pytest.fixture
def forgetful_queue(printer: PrinterTestbed, tmp_path: Path) -> Iterator[Queue]:
    with cups_before(printer, "PreserveJobHistory No\n") as (cups, uri):
        yield Queue(uri, printer, tmp_path, cups)


async def test_jobs_come_out_with_their_texts_pages_copies_and_sides(queue: Queue) -> None:
    wanted = {}
    for number in range(JOBS):
        content = [f"order {number} page {page}" for page in range(1 + number % 3)]
        asked = {"copies": 1 + number % 2, "sides": SIDES[number % 3]}
        outcome, context = await queue.print(document(content), f"0192-{number}", **asked)
        assert outcome.status == "completed", outcome
        wanted[context.job_name] = (content, asked["copies"], asked["sides"])

    effects = queue.printer.effects()
    assert [effect["job_name"] for effect in effects] == list(wanted)
    for effect in effects:
        printed = queue.printer.printed(effect)
        content, copies, sides = wanted[effect["job_name"]]
        assert (texts(printed), pages(printed)) == (content, len(content))
        assert (effect["copies"], effect["sides"]) == (copies, sides)


async def test_an_empty_tray_behind_the_queue_holds_the_job_until_it_is_filled(queue: Queue) -> None:
    await queue.printer.fill_tray(0)
    context = queue.context(document(["waits"]), "0192-held")
    request = print_request.parse(payload(queue.folder / "0192-held"))
    printing = begin(queue.printer.printer(TIMING, queue.uri).print_document(request, context))
    assert any("media" in reason for reason in await until(context, "held"))
    assert queue.printer.effects() == []

    await queue.printer.fill_tray(250)

    assert (await printing).status == "completed"
    assert len(queue.printer.effects()) == 1


async def test_a_broken_document_ends_as_the_printer_saw_it_and_does_not_stay_in_the_queue(queue: Queue) -> None:
    outcome, context = await queue.print(b"%PDF-1.4 this is none", "0192-broken")
    # CUPS may reach the printer before its filter has failed, and then calls the job completed; so does the printer.
    at_the_printer = [effect["job_name"] for effect in queue.printer.effects()]
    assert at_the_printer == ([context.job_name] if outcome.status == "completed" else [])
    assert (outcome.status, outcome.code) in {("failed", "document_unprintable"), ("completed", "")}, outcome
    assert not outcome.retryable
    async with IppClient(queue.uri) as client:
        assert await client.get_jobs("not-completed", ["job-name"]) == []

    outcome, _ = await queue.print(document(["next"]), "0192-next")
    assert outcome.status == "completed", outcome
    assert texts(queue.printer.printed(queue.printer.effects()[-1])) == ["next"]


async def ended_unasked(queue: Queue, command_id: str) -> Context:
    """An attempt whose agent died when CUPS had taken the job, which has ended since and left CUPS's memory.

    About a second after a job's end CUPS keeps it in a file only: a test that asks sooner proves nothing.
    """
    context = queue.context(document(["once"]), command_id)
    ticket = JobTicket(name=context.job_name, document_format="application/pdf")
    async with IppClient(queue.uri) as client:
        taken = await client.print_job(ticket, queue.folder / command_id)
        await context.remember({"job_id": taken.job_id})
        await eventually(lambda: is_put_away(client, taken.job_id))
    await eventually(lambda: context.job_name in [effect["job_name"] for effect in queue.printer.effects()][-1:])
    return context


async def is_put_away(client: IppClient, job_id: int) -> bool:
    """Whether the job is gone, or CUPS would have to read its file to know its name. Such a question is not enough."""
    cheap = ("job-id", "job-name", "job-state")
    if any(job.integer("job-id") == job_id for job in await client.get_jobs("not-completed", cheap)):
        return False
    return not any(
        job.text("job-name") for job in await client.get_jobs("completed", cheap) if job.integer("job-id") == job_id
    )


async def evidence(queue: Queue, command_id: str, remembered: dict[str, Any]) -> Outcome:
    """What an agent that starts anew finds out."""
    context = Context(command_id=command_id)
    context.remembered = remembered
    request = print_request.parse(payload(queue.folder / command_id))
    async with asyncio.timeout(30):
        return await queue.printer.printer(TIMING, queue.uri).evidence(request, context)


@pytest.mark.parametrize("by", ["number", "name"])
async def test_a_job_that_ended_while_nobody_asked_is_completed(queue: Queue, by: str) -> None:
    context = await ended_unasked(queue, "0192-found")

    outcome = await evidence(queue, "0192-found", context.remembered if by == "number" else {})

    assert outcome.status == "completed", outcome
    assert outcome.data["job_id"] == context.remembered["job_id"]
    assert len(queue.printer.effects()) == 1


async def test_a_job_that_ended_before_cups_was_restarted_is_completed(queue: Queue) -> None:
    await ended_unasked(queue, "0192-found")
    queue.cups.stop()
    queue.cups.start()

    outcome = await evidence(queue, "0192-found", {})

    assert outcome.status == "completed", outcome


async def test_a_number_that_is_another_jobs_now_is_not_believed(queue: Queue) -> None:
    other = await ended_unasked(queue, "0192-other")
    context = await ended_unasked(queue, "0192-found")

    outcome = await evidence(queue, "0192-found", other.remembered)

    assert outcome.status == "completed", outcome
    assert outcome.data["job_id"] == context.remembered["job_id"]
    assert "under another name" in outcome.data["evidence"]


async def test_a_queue_that_keeps_no_ended_jobs_leaves_doubt_and_says_what_is_known(forgetful_queue: Queue) -> None:
    context = await ended_unasked(forgetful_queue, "0192-gone")

    outcome = await evidence(forgetful_queue, "0192-gone", context.remembered)

    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)
    number = context.remembered["job_id"]
    assert outcome.message.startswith(f"the printer took job {number} and has it no more: ")
    assert f"no longer knows job {number}" in outcome.data["evidence"]

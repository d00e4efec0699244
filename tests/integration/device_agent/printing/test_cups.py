"""Printing through a real CUPS queue in front of the virtual printer. CUPS rewrites a PDF, so what is compared is what
it says: texts and pages, copies and sides."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.poll import Timing
from device_agent.core.outcome import Outcome
from device_agent.ipp.client import IppClient
from hub.programs.embedded.ports import LOOPBACK, PortBook
from tests.support.cups import Cups, document, pages, texts
from tests.support.printing import Context, PrinterTestbed, begin, payload, until

TIMING = Timing(poll_first_s=0.05, poll_most_s=0.2, busy_s=5, lost_s=2, evidence_s=5, connect_s=2)
JOBS = 6
SIDES = ("one-sided", "two-sided-long-edge", "two-sided-short-edge")


@dataclass
class Queue:
    """A CUPS queue and the printer behind it."""

    uri: str
    printer: PrinterTestbed
    folder: Path

    async def print(self, content: bytes, command_id: str, **asked: object) -> tuple[Outcome, Context]:
        """Print through the queue, to the end."""
        context = self.context(content, command_id)
        request = print_request.parse(payload(self.folder / command_id, **asked))
        return await self.printer.printer(TIMING, self.uri).print_document(request, context), context

    def context(self, content: bytes, command_id: str) -> Context:
        file = self.folder / command_id
        file.write_bytes(content)
        return Context(file, command_id)


@pytest.fixture
def queue(printer: PrinterTestbed, tmp_path: Path) -> Iterator[Queue]:
    folder = printer.folder
    cups = Cups(folder, PortBook(folder.ports).choose("cups", 0, LOOPBACK).number)
    try:
        cups.start()
        yield Queue(cups.add_queue("Office", printer.embedded.url), printer, tmp_path)
    finally:
        cups.stop()


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
    assert (outcome.status, outcome.retryable) in {("failed", False), ("completed", False)}, outcome
    async with IppClient(queue.uri) as client:
        assert await client.get_jobs("not-completed", ["job-name"]) == []

    outcome, _ = await queue.print(document(["next"]), "0192-next")
    assert outcome.status == "completed", outcome
    assert texts(queue.printer.printed(queue.printer.effects()[-1])) == ["next"]


async def test_a_job_is_found_again_by_its_name(queue: Queue) -> None:
    _, context = await queue.print(document(["once"]), "0192-found")
    request = print_request.parse(payload(queue.folder / "0192-found"))

    async with asyncio.timeout(30):
        outcome = await queue.printer.printer(TIMING, queue.uri).evidence(request, context)

    assert outcome.status == "completed", outcome
    assert len(queue.printer.effects()) == 1

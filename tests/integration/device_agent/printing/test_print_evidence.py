"""After an interruption the printer is asked, and only what it says is claimed. Nothing is ever printed again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest

from device_agent.actions.printing import request as print_request
from device_agent.core.events import StopReason
from device_agent.core.outcome import Outcome
from tests.support.printing import FAST, Context, PrinterTestbed, begin, cancel, payload, restarted, until
from tests.support.waiting import eventually

REQUEST = print_request.parse(payload())


async def processing(printer: PrinterTestbed) -> bool:
    return (await printer.printer().describe())["state"] == "processing"


async def idle(printer: PrinterTestbed) -> bool:
    return (await printer.printer().describe())["state"] == "idle"


async def interrupted(printer: PrinterTestbed, pdf: Path) -> Context:
    """An attempt whose agent died while the printer works on it."""
    context = Context(pdf)
    task = begin(printer.printer().print_document(REQUEST, context))
    await eventually(lambda: processing(printer))
    assert await cancel(task, context, None) is None
    return context.after_restart()


async def test_a_finished_job_is_completed(printer: PrinterTestbed, pdf: Path) -> None:
    context = Context(pdf)
    await printer.printer().print_document(print_request.parse(payload(pdf, title="주문")), context)
    outcome = await printer.printer().evidence(REQUEST, restarted())
    assert outcome.status == "completed"
    assert context.job_name in outcome.data["evidence"]
    assert len(printer.effects()) == 1


async def test_a_running_job_is_followed_to_its_end(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=0.7)
    context = await interrupted(printer, pdf)
    outcome = await printer.printer().evidence(REQUEST, context)
    assert outcome.status == "completed"
    assert len(printer.effects()) == 1


async def test_a_finished_job_whose_document_may_be_cut_off_is_unknown(printer: PrinterTestbed, pdf: Path) -> None:
    """An agent that was killed in the middle of Print-Job: the printer prints what it has, and calls that completed."""
    await printer.printer().print_document(REQUEST, Context(pdf))
    for context in (Context(), restarted(sent=False)):
        outcome = await printer.printer().evidence(REQUEST, context)
        assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)
        assert "may not have got there in full" in outcome.message


async def test_a_sent_document_is_known_also_where_the_journal_could_not_be_written(
    printer: PrinterTestbed, pdf: Path
) -> None:
    """The disk failed while the page printed: the journal lacks what the mark says."""
    context = Context(pdf)
    await printer.printer().print_document(REQUEST, context)
    context.remembered = {}
    outcome = await printer.printer().evidence(REQUEST, context.after_restart())
    assert outcome.status == "completed"
    assert len(printer.effects()) == 1


async def test_an_aborted_job_failed(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(stderr="ERROR: fuser melted", seconds=0.5, exit=1)
    context = await interrupted(printer, pdf)
    outcome = await printer.printer().evidence(REQUEST, context)
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "job_aborted", False)
    assert "fuser melted" in outcome.message


async def test_a_job_cancelled_at_the_printer_is_cancelled(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=1)
    task = begin(printer.printer().print_document(REQUEST, first := Context(pdf)))
    await eventually(lambda: processing(printer))
    await cancel(task, first)
    outcome = await printer.printer().evidence(REQUEST, Context())
    assert (outcome.status, outcome.code) == ("cancelled", "job_cancelled_at_printer")


async def test_a_job_nobody_knows_is_unknown(printer: PrinterTestbed, pdf: Path) -> None:
    await printer.printer().print_document(REQUEST, Context(pdf, "0192-a1"))
    outcome = await printer.printer().evidence(REQUEST, Context(command_id="0192-a"))
    assert (outcome.status, outcome.retryable) == ("unknown", False)
    assert "listed 1 jobs, none of them named floorhub-0192-a-1" in outcome.data["evidence"]


async def test_attempt_1_is_not_attempt_12(printer: PrinterTestbed, pdf: Path) -> None:
    other = Context(pdf)
    other.job_name = "floorhub-0192-a-12"
    await printer.printer().print_document(REQUEST, other)
    assert (await printer.printer().evidence(REQUEST, Context())).status == "unknown"


async def test_a_printer_that_is_off_is_unknown(printer: PrinterTestbed) -> None:
    printer.embedded.kill()
    outcome = await printer.printer().evidence(REQUEST, Context())
    assert (outcome.status, outcome.retryable) == ("unknown", False)
    assert "without an answer" in outcome.data["evidence"]


async def resumed(printer: PrinterTestbed, context: Context) -> asyncio.Task[Outcome]:
    """The next process of the agent, which has found the job."""
    task = begin(printer.printer().evidence(REQUEST, context))
    await until(context, "found")
    return task


@pytest.mark.parametrize("reason", [StopReason.CANCELLED, StopReason.TIMED_OUT])
async def test_a_stop_reaches_the_printer_also_after_a_restart(
    printer: PrinterTestbed, pdf: Path, reason: StopReason
) -> None:
    printer.behave(seconds=2)
    context = await interrupted(printer, pdf)
    outcome = await cancel(await resumed(printer, context), context, reason)
    assert outcome is not None
    assert (outcome.status, outcome.data["job_state"]) == ("cancelled", "canceled")
    await eventually(lambda: idle(printer))


async def test_an_agent_that_ends_once_more_leaves_the_job_alone(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=1)
    context = await interrupted(printer, pdf)
    assert await cancel(await resumed(printer, context), context, None) is None
    assert (await printer.printer().evidence(REQUEST, context.after_restart())).status == "completed"


Fault = Literal["swallow the request", "cut the answer off", "hold the answer back"]


@contextlib.asynccontextmanager
async def line_to(printer: PrinterTestbed, fault: Fault) -> AsyncIterator[str]:
    """A way to the printer on which the first print request goes wrong. All other requests get through."""
    struck = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        printer_reader, printer_writer = await asyncio.open_connection("localhost", printer.embedded.port)
        with contextlib.closing(writer), contextlib.closing(printer_writer):
            answers = asyncio.create_task(pump(printer_reader, writer))
            requests = asyncio.create_task(pump(reader, printer_writer, answers))
            await asyncio.wait({answers, requests}, return_when=asyncio.FIRST_COMPLETED)
            if answers.cancelled() and fault == "cut the answer off":
                await eventually(printer.effects)
            elif answers.cancelled() and fault == "hold the answer back":
                await asyncio.wait({requests}, timeout=10)
            answers.cancel()
            requests.cancel()

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: asyncio.Task[None] | None = None
    ) -> None:
        while octets := await reader.read(65536):
            if answers is not None and b"\x02\x00\x00\x02" in octets and not struck.is_set():
                struck.set()
                answers.cancel()
                if fault == "swallow the request":
                    return
            writer.write(octets)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/ipp/print"


async def test_a_lost_answer_is_found_by_name_and_not_sent_again(printer: PrinterTestbed, pdf: Path) -> None:
    async with line_to(printer, "cut the answer off") as uri:
        outcome = await printer.printer(FAST, uri).print_document(REQUEST, Context(pdf))
    assert outcome.status == "completed", outcome
    assert "is named" in outcome.data["evidence"]
    assert len(printer.effects()) == 1


async def test_a_request_that_never_arrived_is_not_claimed_to_be_harmless(printer: PrinterTestbed, pdf: Path) -> None:
    async with line_to(printer, "swallow the request") as uri:
        outcome = await printer.printer(FAST, uri).print_document(REQUEST, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)
    assert "none of them named" in outcome.data["evidence"]
    assert printer.effects() == []


@pytest.mark.parametrize("reason", ["cancelled", "timed_out"])
async def test_a_stop_while_the_answer_is_awaited_finds_the_job(
    printer: PrinterTestbed, pdf: Path, reason: str
) -> None:
    """The number of the job is not known yet; its name is."""
    printer.behave(seconds=2)
    context = Context(pdf)
    async with line_to(printer, "hold the answer back") as uri:
        task = begin(printer.printer(FAST, uri).print_document(REQUEST, context))
        await eventually(lambda: processing(printer))
        outcome = await cancel(task, context, reason)
    assert outcome is not None
    assert (outcome.status, outcome.data["job_state"]) == ("cancelled", "canceled")

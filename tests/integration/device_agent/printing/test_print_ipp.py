"""Printing over IPP on a real printer: what is printed, what is said about it, and what is never claimed."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.poll import Timing
from device_agent.core.outcome import Outcome
from device_agent.documents import DocumentError
from device_agent.ipp.client import IppClient, JobTicket
from device_agent.ipp.errors import IppRefused
from tests.support.printing import CONTENT, FAST, Context, PrinterTestbed, begin, cancel, payload, until
from tests.support.waiting import eventually


async def test_the_document_arrives_byte_for_byte_with_its_options(printer: PrinterTestbed, pdf: Path) -> None:
    context = Context(pdf)
    request = print_request.parse(payload(pdf, copies=3, duplex="short", title="주문 42 Müller", media="a4"))
    outcome = await printer.printer().print_document(request, context)
    assert outcome.status == "completed", outcome
    (effect,) = printer.effects()
    assert printer.printed(effect) == CONTENT
    assert effect["copies"] == 3
    assert effect["sides"] == "two-sided-short-edge"
    assert effect["job_name"] == f"{context.job_name} 주문 42 Müller"
    assert effect["content_type"] == "application/pdf"
    assert outcome.data["job_name"] == context.job_name
    assert outcome.data["job_state"] == "completed"
    assert context.heard("held") == []


async def test_options_the_printer_cannot_do_are_named(printer: PrinterTestbed, pdf: Path) -> None:
    request = print_request.parse(payload(pdf, color="color"))
    outcome = await printer.printer().print_document(request, Context(pdf))
    assert (outcome.status, outcome.data["ignored"]) == ("completed", ["color"])


async def test_a_refused_job_names_what_the_printer_blames(printer: PrinterTestbed, pdf: Path) -> None:
    request = print_request.parse(payload(pdf, media="iso_a3_297x420mm"))
    outcome = await printer.printer().print_document(request, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "printer_rejected", False)
    assert "media" in outcome.message
    assert printer.effects() == []


async def test_a_large_document_goes_in_two_steps(printer: PrinterTestbed, tmp_path: Path) -> None:
    large = tmp_path / "large.pdf"
    content = b"%PDF-1.4\n" + bytes(range(256)) * 20_000
    large.write_bytes(content)
    outcome = await printer.printer().print_document(print_request.parse(payload(large)), Context(large))
    assert outcome.status == "completed", outcome
    (effect,) = printer.effects()
    assert printer.printed(effect) == content


async def test_an_empty_tray_holds_the_job_until_it_is_filled(printer: PrinterTestbed, pdf: Path) -> None:
    await printer.fill_tray(0)
    context = Context(pdf)
    task = begin(printer.printer().print_document(print_request.parse(payload(pdf)), context))
    assert "media-needed" in await until(context, "held")
    assert printer.effects() == []
    await printer.fill_tray(250)
    outcome = await task
    assert outcome.status == "completed", outcome
    assert [kind for kind, _ in context.told if kind != "progress"] == ["held", "resumed"]
    assert len(printer.effects()) == 1


async def test_a_jam_is_told_and_cleared(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(stderr="STATE: +media-jam,toner-low-warning", seconds=0.4)
    context = Context(pdf)
    outcome = await printer.printer().print_document(print_request.parse(payload(pdf)), context)
    assert (outcome.status, context.heard("held")) == ("completed", [["media-jam"]])
    printer.behave(stderr="STATE: -media-jam,toner-low-warning")
    cleared = Context(pdf, "0192-b")
    outcome = await printer.printer().print_document(print_request.parse(payload(pdf)), cleared)
    assert outcome.status == "completed"


async def test_progress_is_told_when_the_printer_counts(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(stderr="ATTR: job-impressions-completed=1", seconds=0.4)
    context = Context(pdf)
    outcome = await printer.printer().print_document(print_request.parse(payload(pdf)), context)
    assert any(data.get("impressions_completed") == 1 for data in context.heard("progress")), context.told
    assert outcome.data["impressions_completed"] == 1


async def test_a_printer_that_does_not_count_is_not_quoted_with_zero_pages(printer: PrinterTestbed, pdf: Path) -> None:
    outcome = await printer.printer().print_document(print_request.parse(payload(pdf)), Context(pdf))
    assert outcome.status == "completed"
    assert not [name for name in outcome.data if "impressions" in name or "pages" in name]


async def test_a_job_the_printer_gives_up_fails_in_the_printers_words(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(stderr="ERROR: fuser melted", exit=1)
    outcome = await printer.printer().print_document(print_request.parse(payload(pdf)), Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "job_aborted", False)
    assert "fuser melted" in outcome.message
    assert printer.effects() == []


async def test_a_busy_printer_is_waited_for(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=0.8)
    request = print_request.parse(payload(pdf))
    patient = Timing(poll_first_s=0.02, poll_most_s=0.1, busy_s=10)
    first, second = Context(pdf, "0192-a"), Context(pdf, "0192-b")
    running = begin(printer.printer(patient).print_document(request, first))
    await eventually(first.document_given.is_set)
    outcomes = await asyncio.gather(running, printer.printer(patient).print_document(request, second))
    assert [outcome.status for outcome in outcomes] == ["completed", "completed"]
    assert {"waiting_for": "printer_busy"} in first.heard("progress") + second.heard("progress")
    names = sorted(effect["job_name"] for effect in printer.effects())
    assert names == [first.job_name, second.job_name]


async def test_a_printer_that_stays_busy_is_waited_for_without_touching_it(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=3)
    request = print_request.parse(payload(pdf))
    other = Context(pdf, "0192-other")
    running = begin(printer.printer().print_document(request, other))
    await eventually(lambda: _processing(printer))
    context = Context(pdf)
    waiting = begin(printer.printer().print_document(request, context))
    assert await until(context, "untouched") == ["printer-busy"]
    assert context.remembered == {}
    assert [outcome.status for outcome in await asyncio.gather(running, waiting)] == ["completed", "completed"]
    assert [effect["job_name"] for effect in printer.effects()] == [other.job_name, context.job_name]


async def _processing(printer: PrinterTestbed) -> bool:
    return bool((await printer.printer().describe())["state"] == "processing")


async def _printing(printer: PrinterTestbed, pdf: Path, timing: Timing = FAST) -> tuple[asyncio.Task[Outcome], Context]:
    """A job that the printer is at work on."""
    context = Context(pdf)
    task = begin(printer.printer(timing).print_document(print_request.parse(payload(pdf)), context))
    await eventually(lambda: _processing(printer))
    return task, context


async def test_a_running_job_is_cancelled_at_the_printer(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=2)
    task, context = await _printing(printer, pdf)
    outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, outcome.data["job_state"]) == ("cancelled", "canceled")


@pytest.mark.fault("F24")
async def test_a_job_that_does_not_stop_in_time_is_unknown(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=20)
    task, context = await _printing(printer, pdf)
    outcome = await cancel(task, context, "timed_out")
    assert outcome is not None
    assert (outcome.status, outcome.retryable) == ("unknown", False)
    assert "did not confirm" in outcome.message


async def test_a_cancel_that_comes_too_late_says_completed(printer: PrinterTestbed, pdf: Path) -> None:
    """The driver has not looked since, so that for it the job still runs when the cancel comes."""
    context = Context(pdf)
    slow = Timing(poll_first_s=30, poll_most_s=30)
    task = begin(printer.printer(slow).print_document(print_request.parse(payload(pdf)), context))
    await eventually(printer.effects)
    await eventually(lambda: _idle(printer))
    outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, outcome.data["job_state"]) == ("completed", "completed")


async def _idle(printer: PrinterTestbed) -> bool:
    return (await printer.printer().describe())["state"] == "idle"


async def test_a_cancel_before_anything_was_sent_is_certain(printer: PrinterTestbed) -> None:
    context = Context(document=None)
    task = begin(printer.printer().print_document(print_request.parse(payload()), context))
    await context.document_asked.wait()
    outcome = await cancel(task, context)
    assert outcome is not None
    assert outcome.status == "cancelled"
    assert printer.effects() == []


@pytest.mark.parametrize("steps", [None, 0, 1, 2, 3, 5])
async def test_an_agent_that_ends_lets_the_printer_go_on(printer: PrinterTestbed, pdf: Path, steps: int | None) -> None:
    """Also when it is cancelled a second time, while the connection to the printer is being closed."""
    printer.behave(seconds=0.5)
    task, context = await _printing(printer, pdf)
    if steps is not None:
        task.cancel()
        for _ in range(steps):
            await asyncio.sleep(0)
    assert await cancel(task, context, None) is None
    outcome = await printer.printer().evidence(print_request.parse(payload(pdf)), context.after_restart())
    assert outcome.status == "completed", outcome
    assert len(printer.effects()) == 1


async def test_a_missing_document_costs_nothing(printer: PrinterTestbed, pdf: Path) -> None:
    wanted = payload(pdf)
    wanted["document"]["path"] = "/missing"
    with pytest.raises(DocumentError, match="no /missing"):
        await printer.printer().print_document(print_request.parse(wanted), Context(pdf))
    assert printer.effects() == []


async def test_a_printer_that_is_off_is_waited_for_and_printed_on_once(printer: PrinterTestbed, pdf: Path) -> None:
    printer.embedded.kill()
    context = Context(pdf)
    task = begin(printer.printer().print_document(print_request.parse(payload(pdf)), context))
    assert await until(context, "untouched") == ["printer-unreachable"]
    assert (await until(context, "progress"))["waiting_for"] == "printer_unreachable"
    printer.embedded.start()
    outcome = await task
    assert outcome.status == "completed", outcome
    assert [kind for kind, _ in context.told if kind != "progress"] == ["untouched", "resumed"]
    assert len(printer.effects()) == 1


async def test_a_cancel_while_the_printer_is_off_says_that_nothing_was_sent(printer: PrinterTestbed, pdf: Path) -> None:
    printer.embedded.kill()
    context = Context(pdf)
    task = begin(printer.printer().print_document(print_request.parse(payload(pdf)), context))
    await until(context, "untouched")
    outcome = await cancel(task, context)
    assert outcome is not None
    assert outcome.status == "cancelled"
    assert outcome.message.startswith("it was stopped before anything was sent to the printer. ")
    assert printer.embedded.url in outcome.message


async def test_the_number_of_the_job_is_remembered_before_its_end_is_waited_for(
    printer: PrinterTestbed, pdf: Path
) -> None:
    printer.behave(seconds=30)
    _, context = await _printing(printer, pdf)
    await eventually(lambda: context.remembered)
    assert context.remembered["job_id"] == 1
    await eventually(lambda: context.remembered.get("job_called") == context.job_name)
    assert context.remembered["job_uuid"].startswith("urn:uuid:")


async def test_a_format_the_printer_does_not_know(printer: PrinterTestbed, pdf: Path) -> None:
    request = print_request.parse(payload(pdf, content_type="application/x-hwp"))
    outcome = await printer.printer().print_document(request, Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "document_format_unsupported", False)
    assert "application/pdf" in outcome.message


@pytest.mark.fault("F24")
async def test_a_printer_that_dies_in_the_middle_leaves_doubt(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=30)
    task, _ = await _printing(printer, pdf)
    printer.embedded.kill()
    outcome = await task
    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)


async def test_a_printer_that_forgot_the_job_leaves_doubt(printer: PrinterTestbed, pdf: Path) -> None:
    printer.behave(seconds=30)
    task, _ = await _printing(printer, pdf, Timing(poll_first_s=0.02, poll_most_s=0.1))
    printer.embedded.kill()
    printer.embedded.start()
    outcome = await task
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    assert "does not know job" in outcome.message


async def test_encrypted_printing_needs_a_certificate_that_is_trusted(printer: PrinterTestbed, pdf: Path) -> None:
    uri = printer.embedded.url.replace("ipp:", "ipps:")
    request = print_request.parse(payload(pdf))
    # It makes its key when the first one asks.
    patient = msgspec.structs.replace(FAST, connect_s=60.0)
    refused = await printer.printer(patient, uri).print_document(request, Context(pdf))
    assert (refused.code, refused.retryable) == ("printer_unreachable", True)
    assert "certificate is not trusted" in refused.message
    assert printer.effects() == []
    outcome = await printer.printer(patient, uri, tls_verify=False).print_document(request, Context(pdf))
    assert outcome.status == "completed", outcome


async def test_a_printer_describes_itself(printer: PrinterTestbed) -> None:
    await printer.fill_tray(0)
    uri = printer.embedded.url.replace("ipp://", "ipp://shop:secret@")
    known = await printer.printer(FAST, uri).describe()
    assert (known["name"], known["uri"], known["state"]) == ("office", printer.embedded.url, "idle")
    assert known["reasons"] == [{"reason": "media-empty", "severity": "report"}]
    assert {"name": "Black Toner", "kind": "toner", "level": 75} in known["supplies"]
    assert known["accepting_jobs"] is True
    printer.embedded.kill()
    assert (await printer.printer().describe())["state"] == "unreachable"


async def test_a_job_can_be_asked_for_without_printing(printer: PrinterTestbed) -> None:
    async with IppClient(printer.embedded.url) as client:
        assert await client.validate_job(JobTicket(name="n", document_format="application/pdf")) == []
        with pytest.raises(IppRefused) as refusal:
            await client.validate_job(JobTicket(name="n", document_format="text/html"))
    assert refusal.value.unsupported == ["document-format"]
    assert printer.effects() == []

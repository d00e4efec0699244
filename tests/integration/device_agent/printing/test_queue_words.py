"""How CUPS and others word the end of a job, as seen on a real CUPS 2.4, and what is made of it."""

from pathlib import Path

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.actions.printing.job import SEE_DOCUMENT, JobFollower
from device_agent.actions.printing.own_job import OwnJob
from device_agent.ipp.client import CANCEL_JOB, GET_JOB_ATTRIBUTES, GET_PRINTER_ATTRIBUTES
from device_agent.ipp.message import Group, Message, Tag, attribute
from tests.integration.device_agent.printing.odd_printer import printer_that, reply
from tests.support.printing import FAST, Context, begin, payload, until

IDLE = Group(4, (attribute("printer-state", Tag.ENUM, 3), attribute("printer-state-reasons", Tag.KEYWORD, "none")))


def job(state: int, reason: str, said: str = "") -> Group:
    return Group(
        2,
        (
            attribute("job-state", Tag.ENUM, state),
            attribute("job-state-reasons", Tag.KEYWORD, reason),
            attribute("job-printer-state-message", Tag.TEXT, said),
        ),
    )


@pytest.mark.parametrize(
    ("state", "reason", "status", "code"),
    [
        (9, "processing-to-stop-point", "completed", ""),
        (8, "aborted-by-system", "failed", "job_aborted"),
        (7, "job-canceled-by-user", "cancelled", "job_cancelled_at_printer"),
        (7, "job-canceled-at-device", "cancelled", "job_cancelled_at_printer"),
        # The printer behind the queue gave the job up; nobody cancelled anything.
        (7, "processing-to-stop-point", "failed", "job_cancelled_at_printer"),
        # The document is to blame, and the printer is fine.
        (6, "job-completed-with-errors", "failed", "document_unprintable"),
        (6, "cups-filter-crashed", "failed", "document_unprintable"),
        (6, "document-unprintable-error", "failed", "document_unprintable"),
        (8, "document-format-error", "failed", "document_unprintable"),
        (8, "document-password-error", "failed", "document_unprintable"),
        (7, "unsupported-document-format", "failed", "document_unprintable"),
        (9, "document-format-error", "failed", "document_unprintable"),
        (5, "document-format-error", "failed", "document_unprintable"),
        (6, "aborted-by-system", "failed", "job_aborted"),
        # RFC 8011 5.3.8: it came out, and not as it should.
        (9, "job-completed-with-errors", "failed", "completed_with_errors"),
        (9, "job-completed-with-warnings", "completed", ""),
    ],
)
async def test_how_a_job_ended(state: int, reason: str, status: str, code: str) -> None:
    heard: list[Message] = []
    found = job(state, reason, "Print job canceled at printer.")
    async with printer_that(lambda request: reply(request, 0, found, IDLE), heard) as client:
        outcome = await JobFollower(client, "office", OwnJob("floorhub-0192-a-1", 7), Context(), FAST).to_the_end()
    assert (outcome.status, outcome.code, outcome.retryable) == (status, code, False)
    if status == "failed":
        assert "canceled at printer. (" in outcome.message or outcome.message.endswith("canceled at printer.")
    if code == "document_unprintable":
        assert outcome.message.endswith(SEE_DOCUMENT)
    # A broken document would stay in the queue for ever, in front of all others.
    assert any(request.code == CANCEL_JOB for request in heard) is (state in (5, 6))


async def test_a_stopped_job_without_an_error_waits_for_a_person() -> None:
    state = 6

    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, 0, job(state, "printer-stopped"), IDLE)

    context = Context()
    async with printer_that(answers) as client:
        task = begin(JobFollower(client, "office", OwnJob("floorhub-0192-a-1", 7), context, FAST).to_the_end())
        assert await until(context, "held") == ["stopped"]
        state = 9
        assert (await task).status == "completed"
    assert context.heard("resumed") == [None]


async def test_a_queue_that_cannot_reach_its_printer_is_held() -> None:
    """Its states say that all is well; only this sentence does not."""
    said = "The printer may not exist or is unavailable at this time."

    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, 0, job(5, "job-printing", said) if request.code == GET_JOB_ATTRIBUTES else IDLE)

    context = Context()
    async with printer_that(answers) as client:
        task = begin(JobFollower(client, "office", OwnJob("floorhub-0192-a-1", 7), context, FAST).to_the_end())
        assert await until(context, "held") == ["printer-unreachable"]
        task.cancel()


async def test_a_printer_that_takes_no_jobs_is_sent_none(pdf: Path) -> None:
    heard: list[Message] = []
    refusing = Group(
        4,
        (
            attribute("printer-is-accepting-jobs", Tag.BOOLEAN, False),
            attribute("printer-state-message", Tag.TEXT, "Rejecting Jobs"),
        ),
    )
    async with printer_that(lambda request: reply(request, 0, refusing), heard) as client:
        printer = IppPrinter(PrinterConfig(name="office", uri=client.uri), FAST)
        outcome = await printer.print_document(print_request.parse(payload(pdf)), Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "printer_stopped", True)
    assert outcome.message == "the printer says: Rejecting Jobs. Make it take jobs again."
    assert {request.code for request in heard} == {GET_PRINTER_ATTRIBUTES}

"""Printers that answer in ways a good one does not: the client says what is known, and never more."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.finding import find_job
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.actions.printing.job import SEE_DOCUMENT, JobFollower
from device_agent.actions.printing.own_job import OwnJob
from device_agent.actions.printing.poll import Timing
from device_agent.ipp import codec
from device_agent.ipp.client import (
    GET_JOB_ATTRIBUTES,
    GET_JOBS,
    GET_PRINTER_ATTRIBUTES,
    PRINT_JOB,
    IppClient,
    JobTicket,
)
from device_agent.ipp.errors import IppBusy, IppDecodeError, IppInterrupted, IppRefused, IppUnreachable
from device_agent.ipp.message import Group, Message, Tag, attribute
from device_agent.ipp.states import JobState, job_state
from tests.integration.device_agent.printing.odd_printer import Answer, printer_that, reply
from tests.support.printing import FAST, Context, payload


async def test_an_old_printer_is_asked_again_in_its_version() -> None:
    heard: list[Message] = []

    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, 0x0503 if request.version == (2, 0) else 0, Group(4, (attribute("a", Tag.NAME, "b"),)))

    async with printer_that(answers, heard) as client:
        assert (await client.get_printer(["a"])).text("a") == "b"
        await client.get_printer(["a"])
    assert [request.version for request in heard] == [(2, 0), (1, 1), (1, 1)]


async def test_a_printer_that_knows_no_version_is_not_asked_for_ever() -> None:
    heard: list[Message] = []
    async with printer_that(lambda request: reply(request, 0x0503), heard) as client:
        with pytest.raises(IppRefused):
            await client.get_printer(["a"])
    assert len(heard) == 2


async def test_another_refusal_is_final() -> None:
    """A print request that was refused must not go out a second time."""
    heard: list[Message] = []
    async with printer_that(lambda request: reply(request, 0x0400), heard) as client:
        with pytest.raises(IppRefused):
            await client.create_job(JobTicket(name="n", document_format="application/pdf"))
    assert len(heard) == 1


async def test_requests_open_as_the_specification_wants() -> None:
    """RFC 8011 4.1.4.1 and 4.1.5: charset, language and target come first, in that order."""
    heard: list[Message] = []
    async with printer_that(reply, heard) as client:
        await client.cancel_job(7)
    names = [item.name for item in heard[0].groups[0].attributes]
    assert names[:3] == ["attributes-charset", "attributes-natural-language", "printer-uri"]
    assert heard[0].groups[0].integer("job-id") == 7


async def test_queues_of_a_spooler_are_listed() -> None:
    queues = [Group(4, (attribute("printer-name", Tag.NAME, name),)) for name in ("Office", "Labels")]
    heard: list[Message] = []
    async with printer_that(lambda request: reply(request, 0, *queues), heard) as client:
        found = await client.cups_get_printers(["printer-name"])
    assert [queue.text("printer-name") for queue in found] == ["Office", "Labels"]
    assert heard[0].groups[0].values("printer-uri") == ()


@pytest.mark.parametrize("status", [0x0505, 0x0506, 0x0507])
async def test_busy_is_told_apart(status: int) -> None:
    async with printer_that(lambda request: reply(request, status)) as client:
        with pytest.raises(IppBusy):
            await client.cancel_job(1)


async def test_a_refusal_has_the_printers_words_and_what_it_blames() -> None:
    said = Group(1, (attribute("status-message", Tag.TEXT, "no A3 here"),))
    blamed = Group(5, (attribute("media", Tag.UNSUPPORTED, None),))
    async with printer_that(lambda request: reply(request, 0x040B, said, blamed)) as client:
        with pytest.raises(IppRefused, match="no A3 here") as refusal:
            await client.cancel_job(1)
    assert refusal.value.unsupported == ["media"]


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (lambda request: reply(request, request_id=request.request_id + 1), IppDecodeError),
        (lambda _: (200, b"<html>hello</html>"), IppDecodeError),
        (lambda _: (503, b""), IppInterrupted),
    ],
)
async def test_an_answer_that_is_none_leaves_doubt(answers: Answer, error: type[Exception]) -> None:
    async with printer_that(answers) as client:
        with pytest.raises(error):
            await client.cancel_job(1)


@pytest.mark.parametrize(("status", "advice"), [(401, "password"), (404, "path"), (426, "ipps://"), (302, "uri")])
async def test_what_the_web_server_refuses_comes_with_advice(status: int, advice: str) -> None:
    async with printer_that(lambda _: (status, b"")) as client:
        with pytest.raises(IppRefused, match=advice):
            await client.cancel_job(1)


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async with printer_that(lambda _: (200, bytes(codec.MAX_MESSAGE + 1))) as client:
        with pytest.raises(IppDecodeError, match="answer has more than"):
            await client.cancel_job(1)


@pytest.mark.parametrize("manner", ["silent", "one byte at a time"])
async def test_a_printer_costs_no_more_than_the_time_given(manner: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not reader.at_eof():
                if manner != "silent":
                    writer.write(b"\0")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read(1000)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(3), IppClient(f"ipp://127.0.0.1:{port}/", answer_s=0.3) as client:
            with pytest.raises(IppInterrupted):
                await client.get_printer(["a"])


async def test_nobody_there_means_nothing_was_sent() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with IppClient(f"ipp://127.0.0.1:{port}/") as client:
        with pytest.raises(IppUnreachable):
            await client.get_printer(["a"])


JOB = Group(2, (attribute("job-id", Tag.INTEGER, 7), attribute("job-state", Tag.ENUM, 9)))


@pytest.mark.parametrize("oddity", ["no end tag", "request-id 0", "a collection without end", "an integer of nothing"])
async def test_what_a_job_is_in_is_read_from_sloppy_answers(oddity: str) -> None:
    def answers(request: Message) -> tuple[int, bytes]:
        status, octets = reply(request, 0, JOB)
        if oddity == "no end tag":
            octets = octets[:-1]
        elif oddity == "request-id 0":
            octets = octets[:4] + bytes(4) + octets[8:]
        else:
            tag = b"\x34" if oddity == "a collection without end" else b"\x21"
            octets = octets[:8] + b"\x01" + tag + b"\x00\x01x\x00\x00" + octets[8:]
        return status, octets

    async with printer_that(answers) as client:
        assert job_state(await client.get_job(7, ("job-state",))) is JobState.COMPLETED


REFUSALS = (0x0400, 0x0401, 0x0403, 0x0406, 0x0407, 0x0501)


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_job_that_is_not_told_alone_is_looked_for_in_the_list(refusal: int) -> None:
    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, refusal) if request.code == GET_JOB_ATTRIBUTES else reply(request, 0, JOB)

    async with asyncio.timeout(5), printer_that(answers) as client:
        outcome = await JobFollower(client, "office", OwnJob(Context().job_name, 7), Context(), FAST).to_the_end()
    assert outcome.status == "completed", outcome


async def test_a_job_without_state_is_looked_for_in_the_list() -> None:
    stateless = Group(2, (attribute("job-id", Tag.INTEGER, 7),))

    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, 0, stateless if request.code == GET_JOB_ATTRIBUTES else JOB)

    async with asyncio.timeout(5), printer_that(answers) as client:
        outcome = await JobFollower(client, "office", OwnJob(Context().job_name, 7), Context(), FAST).to_the_end()
    assert outcome.status == "completed", outcome


async def test_a_printer_that_never_says_a_state_leaves_doubt_before_the_time_is_up() -> None:
    stateless = Group(2, (attribute("job-id", Tag.INTEGER, 7),))
    async with asyncio.timeout(5), printer_that(lambda request: reply(request, 0, stateless)) as client:
        outcome = await JobFollower(client, "office", OwnJob(Context().job_name, 7), Context(), FAST).to_the_end()
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    assert "does not say in which state" in outcome.message


@pytest.mark.parametrize(("refusal", "said"), [(0x0406, "does not know job 7 any more"), (0x0403, "refused for")])
async def test_a_refusal_is_not_called_silence(refusal: int, said: str) -> None:
    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, refusal) if request.code == GET_JOB_ATTRIBUTES else reply(request)

    async with asyncio.timeout(5), printer_that(answers) as client:
        outcome = await JobFollower(client, "office", OwnJob(Context().job_name, 7), Context(), FAST).to_the_end()
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    assert said in outcome.message
    assert "no word" not in outcome.message


@pytest.mark.parametrize("refusal", [0x0403, 0x0501, 0x0507])
async def test_a_printer_that_says_nothing_of_itself_is_followed_by_its_job(refusal: int) -> None:
    """Far longer than a silent one is waited for."""
    asked = 0

    def answers(request: Message) -> tuple[int, bytes]:
        nonlocal asked
        if request.code != GET_JOB_ATTRIBUTES:
            return reply(request, refusal)
        asked += 1
        state = JobState.COMPLETED if asked > 20 else JobState.PROCESSING
        return reply(request, 0, Group(2, (attribute("job-state", Tag.ENUM, state),)))

    async with asyncio.timeout(10), printer_that(answers) as client:
        outcome = await JobFollower(client, "office", OwnJob(Context().job_name, 7), Context(), FAST).to_the_end()
    assert outcome.status == "completed", outcome


async def test_a_printer_that_is_busy_with_others_is_not_silent_about_its_job() -> None:
    asked = 0

    def answers(request: Message) -> tuple[int, bytes]:
        nonlocal asked
        asked += request.code == GET_JOB_ATTRIBUTES
        return reply(request, 0, JOB) if asked > 20 else reply(request, 0x0507)

    async with asyncio.timeout(10), printer_that(answers) as client:
        outcome = await JobFollower(client, "office", OwnJob(Context().job_name, 7), Context(), FAST).to_the_end()
    assert outcome.status == "completed", outcome


@pytest.mark.parametrize("refusal", [0x0400, 0x040B, 0x0501])
async def test_a_printer_that_does_not_understand_a_question_prints_all_the_same(pdf: Path, refusal: int) -> None:
    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, refusal) if request.code == GET_PRINTER_ATTRIBUTES else reply(request, 0, JOB)

    async with printer_that(answers) as client:
        printer = IppPrinter(PrinterConfig(name="office", uri=client.uri), FAST)
        outcome = await printer.print_document(print_request.parse(payload(pdf)), Context(pdf))
        assert (await printer.describe())["state"] == "unknown"
    assert outcome.status == "completed", outcome


@pytest.mark.parametrize("refusal", [0x0411, 0x0418, 0x0419, 0x041A, 0x041B])
async def test_a_document_that_is_refused_for_what_it_is_has_its_own_code(pdf: Path, refusal: int) -> None:
    def answers(request: Message) -> tuple[int, bytes]:
        return reply(request, refusal if request.code == PRINT_JOB else 0)

    async with printer_that(answers) as client:
        printer = IppPrinter(PrinterConfig(name="office", uri=client.uri), FAST)
        outcome = await printer.print_document(print_request.parse(payload(pdf)), Context(pdf))
    assert (outcome.status, outcome.code, outcome.retryable) == ("failed", "document_unprintable", False)
    assert outcome.message.endswith(SEE_DOCUMENT)


async def test_a_search_that_is_refused_says_so_at_once() -> None:
    async with asyncio.timeout(5), printer_that(lambda request: reply(request, 0x0403)) as client:
        printer = IppPrinter(PrinterConfig(name="office", uri=client.uri), Timing(evidence_s=60))
        outcome = await printer.evidence(print_request.parse(payload()), Context())
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    assert "was refused" in outcome.data["evidence"]


async def test_a_job_without_a_name_is_asked_for_one_by_one() -> None:
    named = Group(2, (*JOB.attributes, attribute("job-name", Tag.NAME, Context().job_name)))

    def answers(request: Message) -> tuple[int, bytes]:
        if request.code == GET_JOBS and "completed" not in request.groups[0].texts("which-jobs"):
            return reply(request)
        return reply(request, 0, named if request.code == GET_JOB_ATTRIBUTES else JOB)

    async with printer_that(answers) as client:
        assert (await find_job(client, Context().job_name)).job_id == 7


async def test_a_job_that_stays_without_a_name_is_not_called_anothers() -> None:
    async with printer_that(lambda request: reply(request, 0, JOB)) as client:
        found = await find_job(client, Context().job_name)
    assert found.job_id is None
    assert found.said.endswith("and 2 without a name")

"""Printers that answer in ways a good one does not: the client says what is known, and never more."""

import asyncio
import contextlib

import pytest

from device_agent.ipp import codec
from device_agent.ipp.client import IppClient, JobTicket
from device_agent.ipp.errors import IppBusy, IppDecodeError, IppInterrupted, IppRefused, IppUnreachable
from device_agent.ipp.message import Group, Message, Tag, attribute
from tests.integration.device_agent.printing.odd_printer import Answer, printer_that, reply


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

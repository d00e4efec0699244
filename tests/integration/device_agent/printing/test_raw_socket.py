"""Raw bytes to a TCP port: what arrived, and what nobody can know."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.raw import RawSocketPrinter
from device_agent.core.events import StopReason
from tests.support.printing import FAST, Context, begin, cancel, payload, until
from tests.support.waiting import eventually

ZPL = print_request.parse(payload(content_type="application/vnd.zebra-zpl"))
BIG = b"^XA^FDlabel^FS^XZ\n" * 300_000


class LabelPrinter:
    """A TCP listener that does with a connection what `manner` says."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.port = 0

    def printer(self, timeout_s: float = 5) -> RawSocketPrinter:
        uri = f"socket://127.0.0.1:{self.port}"
        return RawSocketPrinter(PrinterConfig(name="label", uri=uri, timeout_s=timeout_s), FAST)


@contextlib.asynccontextmanager
async def listening(manner: str, port: int = 0) -> AsyncIterator[LabelPrinter]:
    label = LabelPrinter()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            if manner == "does not read":
                await over.wait()
                return
            while octets := await reader.read(65536):
                label.received += octets
                if manner == "resets":
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
            if manner == "never closes":
                await over.wait()

    server = await asyncio.start_server(serve, "127.0.0.1", port, limit=65536)
    label.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield label
        finally:
            over.set()


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    file = tmp_path / "labels.zpl"
    file.write_bytes(BIG)
    return file


@pytest.mark.parametrize("manner", ["closes", "never closes"])
async def test_every_byte_arrives_once_for_each_copy(labels: Path, manner: str) -> None:
    request = print_request.parse(payload(copies=2, sides="one-sided"))
    async with listening(manner) as label:
        async with asyncio.timeout(5):
            outcome = await label.printer().print_document(request, Context(labels))
        assert outcome.status == "completed"
        await eventually(lambda: len(label.received) == 2 * len(BIG))
        assert label.received == BIG * 2
        assert outcome.data == {"printer": "label", "bytes_accepted": 2 * len(BIG), "ignored": ["sides"]}


async def test_a_printer_that_is_off_is_waited_for(labels: Path) -> None:
    async with listening("closes") as label:
        pass
    context = Context(labels)
    assert (await label.printer().describe())["state"] == "unreachable"
    task = begin(label.printer().print_document(ZPL, context))
    assert await until(context, "untouched") == ["printer-unreachable"]
    async with listening("closes", label.port) as back:
        outcome = await task
        assert outcome.status == "completed", outcome
        assert back.received == BIG
    assert context.heard("resumed") == [None]


async def test_a_cancel_while_the_printer_is_off_is_certain(labels: Path) -> None:
    async with listening("closes") as label:
        pass
    context = Context(labels)
    task = begin(label.printer().print_document(ZPL, context))
    await until(context, "untouched")
    outcome = await cancel(task, context)
    assert outcome is not None
    assert outcome.status == "cancelled"
    assert "before anything was sent" in outcome.message


async def test_a_connection_that_breaks_leaves_doubt(labels: Path) -> None:
    async with listening("resets") as label:
        outcome = await label.printer().print_document(ZPL, Context(labels))
    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)


async def test_a_printer_that_takes_no_bytes_until_the_end_of_the_run_leaves_doubt(labels: Path) -> None:
    async with listening("does not read") as label:
        context = Context(labels)
        task = begin(label.printer(timeout_s=0.3).print_document(ZPL, context))
        assert await until(context, "held in its time") == ["printer-not-reading"]
        outcome = await cancel(task, context, StopReason.TIMED_OUT)
    assert outcome is not None
    assert (outcome.status, outcome.retryable) == ("unknown", False)
    assert f"of {len(BIG)} bytes" in outcome.message


async def test_a_cancel_in_the_middle_leaves_doubt(labels: Path) -> None:
    async with listening("does not read") as label:
        context = Context(labels)
        task = begin(label.printer().print_document(ZPL, context))
        await context.document_given.wait()
        done, _ = await asyncio.wait({task}, timeout=0.3)  # it is stuck: the other side reads nothing
        assert not done
        outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, outcome.retryable) == ("unknown", False)


async def test_a_cancel_before_anything_is_certain() -> None:
    async with listening("closes") as label:
        context = Context(document=None)
        task = begin(label.printer().print_document(ZPL, context))
        await context.document_asked.wait()
        outcome = await cancel(task, context)
        assert outcome is not None
        assert outcome.status == "cancelled"
        assert label.received == b""


async def test_there_is_no_evidence() -> None:
    async with listening("closes") as label:
        assert (await label.printer().evidence(ZPL, Context())).status == "unknown"
        known = await label.printer().describe()
    assert (known["state"], known["uri"]) == ("idle", f"socket://127.0.0.1:{label.port}")


@pytest.mark.parametrize("uri", ["socket:", "socket://", "socket://x:99999", "ipp://x"])
def test_a_uri_needs_a_host(uri: str) -> None:
    with pytest.raises(ValueError, match="uri"):
        RawSocketPrinter(PrinterConfig(name="label", uri=uri))

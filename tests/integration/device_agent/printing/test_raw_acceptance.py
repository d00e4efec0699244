"""What a raw printer's closing means: nothing. What counts is how much its network stack took, and that it lives."""

import asyncio
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.raw import NOT_READING, RawSocketPrinter
from device_agent.actions.printing.raw_connection import RawConnection
from device_agent.actions.printing.raw_linger import MOST, Lingering
from device_agent.core.events import StopReason
from tests.support.printing import Context, begin, cancel, payload, until
from tests.support.waiting import eventually

LABEL = print_request.parse(payload(content_type="application/vnd.zebra-zpl"))
SMALL_BUFFER = 4096
LARGE_BUFFER = 512 * 1024
SO_ATTACH_FILTER = 26
HELD = "held in its time"
SIZES = (100, 60_000, 400_000)


class Peer:
    """One connection that a printer accepted, and what it may do with it."""

    def __init__(self, sock: socket.socket, size: int) -> None:
        self.sock = sock
        self.size = size
        self.over = asyncio.Event()

    async def read(self, most: int) -> int:
        return len(await asyncio.get_running_loop().sock_recv(self.sock, most))

    async def read_all(self) -> None:
        """Exactly what a job has; the end of the other side is not waited for."""
        left = self.size
        while left:
            left -= await self.read(min(left, 65536))

    async def read_and_answer(self) -> int:
        """As a printer with status messages does: read a little, say something, until the other side has ended."""
        loop, whole = asyncio.get_running_loop(), 0
        while part := await self.read(2048):
            whole += part
            await loop.sock_sendall(self.sock, b"OK\r\n")
        return whole

    def goes_silent(self) -> None:
        """As after a power cut: its network stack answers nothing any more."""
        refuse_all = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
        program = struct.pack("HxxxxxxP", 1, ctypes.addressof(refuse_all))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)

    async def pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()

    def close_with_reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    @property
    def unread(self) -> int:
        """Bytes that its network stack holds and nobody has read."""
        return int.from_bytes(fcntl.ioctl(self.sock.fileno(), termios.FIONREAD, b"\0\0\0\0"), sys.byteorder)


Manner = Callable[[Peer], Awaitable[None]]


class Printers:
    """Connections to a printer of that manner, in order."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.peers: list[Peer] = []

    def printer(self, timeout_s: float = 5, lingering: Lingering | None = None) -> RawSocketPrinter:
        uri = f"socket://127.0.0.1:{self.port}"
        config = PrinterConfig(name="label", uri=uri, timeout_s=timeout_s)
        return RawSocketPrinter(config, lingering=lingering)


@contextlib.asynccontextmanager
async def printing(manner: Manner, size: int, buffer: int = SMALL_BUFFER) -> AsyncIterator[Printers]:
    loop = asyncio.get_running_loop()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        site = Printers(listener.getsockname()[1])

        async def serve() -> None:
            while True:
                sock, _ = await loop.sock_accept(listener)
                sock.setblocking(False)
                peer = Peer(sock, size)
                site.peers.append(peer)
                with contextlib.suppress(OSError):
                    await manner(peer)

        serving = asyncio.create_task(serve())
        try:
            yield site
        finally:
            serving.cancel()
            await asyncio.wait({serving})
            for peer in site.peers:
                peer.sock.close()


def document(folder: Path, size: int) -> Context:
    file = folder / "label"
    file.write_bytes(b"X" * size)
    return Context(file)


async def shuts_its_side_and_never_reads(peer: Peer) -> None:
    peer.sock.shutdown(socket.SHUT_WR)


async def shuts_its_side_and_reads_all(peer: Peer) -> None:
    peer.sock.shutdown(socket.SHUT_WR)
    await peer.read_all()


async def closes_at_once(peer: Peer) -> None:
    peer.sock.close()


async def closes_when_something_came(peer: Peer) -> None:
    await asyncio.get_running_loop().sock_recv_into(peer.sock, bytearray(1))
    peer.sock.close()


async def reads_all_and_closes(peer: Peer) -> None:
    await peer.read_all()
    peer.sock.close()


async def reads_all_and_stays_open(peer: Peer) -> None:
    await peer.read_all()


async def reads_all_and_resets(peer: Peer) -> None:
    await peer.read_all()
    peer.close_with_reset()


@pytest.mark.parametrize("size", SIZES)
async def test_a_printer_that_shuts_its_side_and_never_reads_has_not_taken_the_job(size: int, tmp_path: Path) -> None:
    async with printing(shuts_its_side_and_never_reads, size) as site:
        context = document(tmp_path, size)
        task = begin(site.printer(timeout_s=0.5).print_document(LABEL, context))
        await eventually(lambda: task.done() or context.heard(HELD))
        outcome = task.result() if task.done() else await cancel(task, context, StopReason.TIMED_OUT)
        held = site.peers[0].unread
    assert outcome is not None
    taken = outcome.data["bytes_accepted"]
    assert taken == held
    if held == size:  # a small label fits into its network stack
        assert outcome.status == "completed"
    else:
        assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
        assert outcome.data == {"printer": "label", "bytes": size, "bytes_sent_at_most": size, "bytes_accepted": held}
        assert f"took {held} of {size} bytes" in outcome.message


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("manner", [closes_at_once, closes_when_something_came], ids=lambda manner: manner.__name__)
async def test_a_printer_that_only_accepts_has_not_taken_the_job(manner: Manner, size: int, tmp_path: Path) -> None:
    async with printing(manner, size) as site:
        for _ in range(4):
            outcome = await site.printer().print_document(LABEL, document(tmp_path, size))
            assert (outcome.status, outcome.code) == ("unknown", "printer_lost"), outcome


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "manner",
    [reads_all_and_closes, shuts_its_side_and_reads_all, reads_all_and_stays_open],
    ids=lambda manner: manner.__name__,
)
async def test_a_printer_that_took_every_byte_has_taken_the_job(manner: Manner, size: int, tmp_path: Path) -> None:
    async with printing(manner, size) as site:
        for _ in range(1 if manner is reads_all_and_stays_open else 8):
            outcome = await site.printer().print_document(LABEL, document(tmp_path, size))
            assert outcome.status == "completed", outcome
            assert outcome.data == {"printer": "label", "bytes_accepted": size}


async def test_a_printer_that_breaks_off_after_the_last_byte_leaves_doubt(tmp_path: Path) -> None:
    async with printing(reads_all_and_resets, 60_000) as site:
        outcome = await site.printer().print_document(LABEL, document(tmp_path, 60_000))
    assert (outcome.status, outcome.code, outcome.retryable) == ("unknown", "printer_lost", False)


async def test_a_slow_printer_is_not_cut_off_while_it_takes_bytes(tmp_path: Path) -> None:
    """It takes twice as long as a printer may take nothing."""
    size, parts, stall_s = 60_000, 20, 1.0

    async def slow(peer: Peer) -> None:
        left = size
        while left:
            await peer.pause(2 * stall_s / parts)
            left -= await peer.read(size // parts)

    async with printing(slow, size) as site:
        outcome = await site.printer(timeout_s=stall_s).print_document(LABEL, document(tmp_path, size))
    assert outcome.status == "completed", outcome


async def test_a_printer_that_takes_no_byte_for_long_but_lives_is_waited_for(tmp_path: Path) -> None:
    """It has no paper: its window stays closed, and its network stack says so as often as it is asked."""
    size, refilled = 60_000, asyncio.Event()

    async def empty(peer: Peer) -> None:
        await refilled.wait()
        await peer.read_all()

    async with printing(empty, size) as site:
        context = document(tmp_path, size)
        task = begin(site.printer(timeout_s=0.3).print_document(LABEL, context))
        assert await until(context, HELD) == [NOT_READING]
        refilled.set()
        outcome = await task
    assert outcome.status == "completed", outcome
    assert [kind for kind, _ in context.told] == [HELD, "resumed"]


@pytest.mark.skipif(os.geteuid() != 0, reason="newer kernels let only root filter what a TCP connection receives")
@pytest.mark.parametrize("after", ["its window is closed", "it accepted"])
async def test_a_printer_whose_network_stack_is_silent_is_given_up(after: str, tmp_path: Path) -> None:
    size = 60_000

    async def dies_at_once(peer: Peer) -> None:
        peer.goes_silent()

    async def keeps_its_window_closed(peer: Peer) -> None:
        await peer.over.wait()

    manner = dies_at_once if after == "it accepted" else keeps_its_window_closed
    async with printing(manner, size) as site:
        context = document(tmp_path, size)
        task = begin(site.printer(timeout_s=0.5).print_document(LABEL, context))
        if manner is keeps_its_window_closed:
            await until(context, HELD)
            site.peers[0].goes_silent()
        outcome = await task
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    assert "does not answer any more" in outcome.message


async def test_a_printer_that_talks_while_it_reads_gets_to_read_everything(tmp_path: Path) -> None:
    """Its network stack has the whole job long before; an answer that meets a closed socket would cost it the rest."""
    size, completed = 30_000, asyncio.Event()
    read: list[int] = []

    async def talks(peer: Peer) -> None:
        await completed.wait()
        read.append(await peer.read_and_answer())
        peer.sock.close()

    async with printing(talks, size, LARGE_BUFFER) as site:
        lingering = Lingering()
        outcome = await site.printer(lingering=lingering).print_document(LABEL, document(tmp_path, size))
        assert outcome.status == "completed", outcome
        assert lingering.count == 1
        completed.set()
        await eventually(lambda: lingering.count == 0)
        assert read == [size]


async def test_a_silent_connection_that_lingers_is_closed(tmp_path: Path) -> None:
    async with printing(reads_all_and_stays_open, 100) as site:
        lingering = Lingering(quiet_s=0.2)
        outcome = await site.printer(lingering=lingering).print_document(LABEL, document(tmp_path, 100))
        assert (outcome.status, lingering.count) == ("completed", 1)
        await eventually(lambda: lingering.count == 0)


async def test_the_next_job_does_not_wait_for_a_connection_that_lingers(tmp_path: Path) -> None:
    async with printing(reads_all_and_stays_open, 100) as site:
        lingering = Lingering()
        printer = site.printer(lingering=lingering)
        for jobs in (1, 2):
            outcome = await printer.print_document(LABEL, document(tmp_path, 100))
            assert (outcome.status, lingering.count, len(site.peers)) == ("completed", jobs, jobs)


async def test_connections_that_linger_are_bounded() -> None:
    async with printing(reads_all_and_stays_open, 0) as site:
        lingering = Lingering()
        kept = []
        for _ in range(MOST + 2):
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(RawConnection, "127.0.0.1", site.port)
            lingering.keep(connection)
            kept.append(connection)
        await eventually(lambda: kept[1].is_over)
        assert [connection.is_over for connection in kept] == [True, True] + [False] * MOST


async def test_a_printer_that_stops_taking_bytes_is_given_up_and_says_how_far_it_came(tmp_path: Path) -> None:
    size = 60_000

    async def half(peer: Peer) -> None:
        left = size // 2
        while left:
            left -= await peer.read(min(left, 1_000))

    async with printing(half, size) as site:
        context = document(tmp_path, size)
        task = begin(site.printer(timeout_s=0.5).print_document(LABEL, context))
        assert await until(context, HELD) == [NOT_READING]
        outcome = await cancel(task, context, StopReason.TIMED_OUT)
        held = site.peers[0].unread
    assert outcome is not None
    assert (outcome.status, outcome.code) == ("unknown", "printer_lost")
    assert outcome.data["bytes_accepted"] == size // 2 + held < size


async def test_a_stop_says_how_far_it_came(tmp_path: Path) -> None:
    size = 400_000
    async with printing(shuts_its_side_and_never_reads, size) as site:
        context = document(tmp_path, size)
        task = begin(site.printer().print_document(LABEL, context))
        done, _ = await asyncio.wait({task}, timeout=0.3)  # it is stuck: the other side reads nothing
        assert not done
        held = site.peers[0].unread
        outcome = await cancel(task, context)
    assert outcome is not None
    assert (outcome.status, outcome.data["bytes_accepted"]) == ("unknown", held)

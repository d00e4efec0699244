"""What a raw printer's closing means: nothing. What counts is how much its network stack took."""

import asyncio
import contextlib
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.raw import RawSocketPrinter
from tests.support.printing import Context, begin, cancel, payload

LABEL = print_request.parse(payload(content_type="application/vnd.zebra-zpl"))
SMALL_BUFFER = 4096
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

    def printer(self, timeout_s: float = 5) -> RawSocketPrinter:
        uri = f"socket://127.0.0.1:{self.port}"
        return RawSocketPrinter(PrinterConfig(name="label", uri=uri, timeout_s=timeout_s))


@contextlib.asynccontextmanager
async def printing(manner: Manner, size: int) -> AsyncIterator[Printers]:
    loop = asyncio.get_running_loop()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
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
        outcome = await site.printer(timeout_s=0.5).print_document(LABEL, document(tmp_path, size))
        held = site.peers[0].unread
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


async def test_a_printer_that_stops_taking_bytes_is_given_up_and_says_how_far_it_came(tmp_path: Path) -> None:
    size = 60_000

    async def half(peer: Peer) -> None:
        left = size // 2
        while left:
            left -= await peer.read(min(left, 1_000))

    async with printing(half, size) as site:
        outcome = await site.printer(timeout_s=0.5).print_document(LABEL, document(tmp_path, size))
        held = site.peers[0].unread
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

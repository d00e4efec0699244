"""A connection to a raw printer that knows how much the other side's network stack has taken, and whether it lives."""

import asyncio
import os
import socket
import struct
import sys
import time

from msgspec import Struct

_TCP_INFO = struct.Struct("=3xB20xI28xI60xQ")
"""Of Linux's `struct tcp_info`: `tcpi_probes` (asked in vain whether the window is open again), `tcpi_unacked`
(segments on their way), `tcpi_last_ack_recv` (ms), and at 120 `tcpi_bytes_acked` (since 4.1)."""


class RawConnection(asyncio.Protocol):
    """One connection. What the printer says is thrown away: nobody asked it anything."""

    def __init__(self) -> None:
        self.is_closed_by_printer = False
        """Its end came in order, after all that it sent. It may still take bytes."""
        self._changed = asyncio.Event()
        self._problem: BaseException | None = None
        self._is_lost = False
        self._written = 0
        self._taken = 0
        self._taken_at = time.monotonic()
        self._heard_at = time.monotonic()
        self._acked_before: int | None = None
        self._asked_at: float | None = None
        """Since when an answer of its network stack has been due."""

    # --- called by asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what asyncio promises
        self._transport = transport
        self._socket: socket.socket = transport.get_extra_info("socket")
        if (info := _look(self._socket)) is not None:
            self._acked_before = info.acked
        transport.set_write_buffer_limits(high=0)  # `resume_writing` then means that the kernel has every byte

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - nobody asked it anything
        self._heard_at = time.monotonic()

    def resume_writing(self) -> None:
        self._changed.set()

    def eof_received(self) -> bool:
        self.is_closed_by_printer = True
        self._changed.set()
        return True  # our side stays open

    def connection_lost(self, exc: Exception | None) -> None:
        self._count()
        self._is_lost = True
        self._problem = self._problem or exc or ConnectionResetError("it was closed")
        self._changed.set()

    # --- called by the driver ---

    @property
    def tells(self) -> bool:
        """Whether the system says how much the other side took."""
        return self._acked_before is not None

    @property
    def taken(self) -> int:
        """Bytes that the printer's network stack has acknowledged; where the system does not say so, that have left."""
        self._count()
        return self._taken

    @property
    def stalled_s(self) -> float:
        """For how many seconds the printer has taken nothing of what is there for it."""
        self._count()
        return time.monotonic() - self._taken_at

    @property
    def silent_s(self) -> float:
        """For how many seconds an answer of the printer's network stack has been due. A full one owes none until the
        system asks it again, after pauses that grow to two minutes. Where the system does not tell, as `stalled_s`."""
        info = None if self._is_lost else _look(self._socket)
        if info is None:
            return self.stalled_s
        if not info.is_asking:
            self._asked_at = None
            return 0.0
        now = time.monotonic()
        self._asked_at = now if self._asked_at is None else self._asked_at
        return min(now - self._asked_at, info.since_ack_s)

    @property
    def quiet_s(self) -> float:
        """For how many seconds the printer itself has said nothing."""
        return time.monotonic() - self._heard_at

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come from the printer."""
        return self._is_lost or self.is_closed_by_printer

    def write(self, octets: bytes) -> None:
        """Hand octets to the system; `has_left` says when it has them all."""
        if self.taken == self._written:
            self._taken_at = time.monotonic()  # it had nothing to take
        self._written += len(octets)
        self._transport.write(octets)

    def has_left(self) -> bool:
        """Whether the system has all that was written. Raises OSError when the connection broke."""
        self.check()
        return self._transport.get_write_buffer_size() == 0

    def end(self) -> None:
        """Say that nothing follows."""
        self.check()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def check(self) -> None:
        """Raise OSError when the connection broke, also when nothing was read or written since."""
        if self._problem is None and (number := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)):
            self._problem = OSError(os.strerror(number))
        if self._problem is not None:
            raise OSError(str(self._problem) or type(self._problem).__name__)

    async def change(self, within_s: float) -> None:
        """Wait until something happened, or it is time to look again: nobody tells of bytes that were taken."""
        self._changed.clear()
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Close in order: what was written still leaves."""
        self._transport.close()

    def drop(self) -> None:
        """Break off, also bytes that have not left yet: after a stop they must not print any more."""
        if self._is_lost:
            return
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _count(self) -> None:
        if self._is_lost:
            return
        info = _look(self._socket)
        if info is None or self._acked_before is None:
            taken = self._written - self._transport.get_write_buffer_size()
        else:
            taken = min(info.acked - self._acked_before, self._written)  # the end of our side counts as one byte more
        if taken > self._taken:
            self._taken, self._taken_at = taken, time.monotonic()


class _Look(Struct, frozen=True):
    acked: int
    """Bytes that the other side has acknowledged since the connection began."""
    is_asking: bool
    """Whether something is on its way that the other side has to acknowledge."""
    since_ack_s: float


def _look(sock: socket.socket) -> _Look | None:
    """What the system knows of the other side; None where it does not tell."""
    if sys.platform != "linux":
        return None
    octets = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    if len(octets) < _TCP_INFO.size:
        return None
    probes, unacked, since_ack_ms, acked = _TCP_INFO.unpack_from(octets)
    return _Look(acked=acked, is_asking=bool(probes or unacked), since_ack_s=since_ack_ms / 1000)

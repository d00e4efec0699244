"""Printers that take raw bytes on a TCP port (9100, "JetDirect"): label printers and the like.

There is no protocol and no answer: `completed` means that the printer's network stack took all bytes, nothing more.
"""

import asyncio
import contextlib
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from device_agent.actions.base import DriverContext, stopping
from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.request import PrintRequest
from device_agent.core.outcome import Outcome

_PORT = 9100
_CHUNK = 64 * 1024
_CONNECT_S = 5.0
_CLOSE_S = 10.0
"""How long the printer may take to acknowledge the last bytes. Many never close the connection themselves."""
_POLL_S = 0.05


class _Sent(Struct):
    bytes: int = 0
    all: int = 0


class RawSocketPrinter:
    """Implements `print_action.Printer`. `PrinterConfig.timeout_s` is how long a printer may take no byte at all: one
    without paper stops reading."""

    def __init__(self, config: PrinterConfig) -> None:
        """Raises ValueError for a URI that names no host."""
        try:
            parts = urlsplit(config.uri)
            host, port = parts.hostname, parts.port or _PORT
        except ValueError as problem:
            raise ValueError(f"the printer's uri is no URI: {problem}") from None
        if parts.scheme != "socket" or not host:
            raise ValueError("the printer's uri must look like socket://host:9100")
        self._name = config.name
        self._host, self._port = host, port
        self._stall_s = config.timeout_s

    @property
    def _uri(self) -> str:
        return f"socket://{self._host}:{self._port}"

    async def print_document(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`. Codes: printer_unreachable (nothing was sent), printer_lost (broken in the middle)."""
        sent = _Sent()

        async def stop() -> Outcome:
            if sent.bytes == 0:
                return Outcome(status="cancelled", message="it was stopped before anything was sent")
            return self._unknown(sent, "it was stopped, and bytes that were sent cannot be called back")

        async with stopping(context, stop):
            document = await context.document(request.document)
            sent.all = (await asyncio.to_thread(document.stat)).st_size * request.copies
            try:
                async with asyncio.timeout(_CONNECT_S):
                    reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError as problem:
                message = f"{self._uri}: {str(problem) or 'no answer'}; check that the printer is switched on"
                return Outcome(status="failed", code="printer_unreachable", message=message, retryable=True)
            try:
                await self._send(document, request.copies, writer, sent)
                await self._await_acceptance(reader, writer)
                await _close(writer)
            except OSError as problem:
                return self._unknown(sent, f"the connection broke: {str(problem) or 'the printer takes no more bytes'}")
            finally:
                _drop(writer)
            return Outcome(status="completed", data=self._data(sent, request))
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def evidence(self, request: PrintRequest, context: DriverContext) -> Outcome:  # noqa: ARG002 - it has none
        """See `Printer`. A raw printer remembers nothing."""
        said = f"{self._uri} takes bytes and keeps no list of jobs"
        data = {"printer": self._name, "evidence": said}
        message = f"{said}: look whether it was printed"
        return Outcome(status="unknown", code="interrupted", data=data, message=message)

    async def describe(self) -> dict[str, Any]:
        """See `Printer`. Only whether it takes connections is known."""
        state, message = "idle", ""
        try:
            async with asyncio.timeout(_CONNECT_S):
                _, writer = await asyncio.open_connection(self._host, self._port)
            await _close(writer)
        except OSError as problem:
            state, message = "unreachable", str(problem) or "no answer"
        known = {"name": self._name, "uri": self._uri, "state": state, "reasons": [], "supplies": []}
        return {**known, "model": "raw", "message": message}

    async def _send(self, document: Path, copies: int, writer: asyncio.StreamWriter, sent: _Sent) -> None:
        """The whole file once for each copy, as CUPS does. Raises OSError (TimeoutError when it stalls)."""
        writer.transport.set_write_buffer_limits(high=0)  # `drain` then waits until the kernel has every byte
        for _ in range(copies):
            with await asyncio.to_thread(document.open, "rb") as file:
                while chunk := await asyncio.to_thread(file.read, _CHUNK):
                    sent.bytes += len(chunk)  # before the write: an interrupted one may have got through
                    writer.write(chunk)
                    async with asyncio.timeout(self._stall_s):
                        await writer.drain()

    async def _await_acceptance(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wait until the printer closes, or its network stack has acknowledged every byte. Raises OSError."""
        if writer.can_write_eof():
            writer.write_eof()
        sock = writer.get_extra_info("socket")
        deadline = time.monotonic() + _CLOSE_S
        while time.monotonic() < deadline:
            try:
                async with asyncio.timeout(_POLL_S):
                    if not await reader.read(_CHUNK):
                        return
            except TimeoutError:
                if _unacknowledged(sock) == 0:
                    return
        if _unacknowledged(sock):
            raise TimeoutError("the printer does not acknowledge the last bytes")

    def _data(self, sent: _Sent, request: PrintRequest) -> dict[str, Any]:
        asked = {"sides": request.two_sided, "media": request.media, "color": request.color}
        ignored = sorted(name for name, value in asked.items() if value is not None)
        data: dict[str, Any] = {"printer": self._name, "bytes_accepted": sent.bytes}
        return {**data, "ignored": ignored} if ignored else data

    def _unknown(self, sent: _Sent, message: str) -> Outcome:
        data = {"printer": self._name, "bytes_sent_at_most": sent.bytes, "bytes": sent.all}
        return Outcome(
            status="unknown", code="printer_lost", data=data, message=f"{message}: look whether it was printed"
        )


def _unacknowledged(sock: socket.socket) -> int | None:
    """Bytes that the other side's kernel has not acknowledged; None where the system does not tell."""
    if sys.platform != "linux":
        return None
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"), sys.byteorder)


def _drop(writer: asyncio.StreamWriter) -> None:
    """Let go of the connection, and of bytes that have not left yet: after a stop they must not print any more."""
    if not writer.is_closing():
        no_linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        writer.transport.abort()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()

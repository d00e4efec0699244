"""Printers that take raw bytes on a TCP port (9100, "JetDirect"): label printers and the like.

There is no protocol and no answer: `completed` means that the printer's network stack took every byte, nothing more.
That a printer closes its side says nothing about the bytes: many close it at once, and a busy one does nothing else.

A printer without paper stops reading, and cannot say why. As long as its network stack answers, it is waited for within
the run's own time, as held; one whose stack does not answer any more is given up.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from device_agent.actions.base import DriverContext, stopping
from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.absence import UNREACHABLE, Absence
from device_agent.actions.printing.poll import Timing
from device_agent.actions.printing.raw_connection import RawConnection
from device_agent.actions.printing.raw_linger import Lingering
from device_agent.actions.printing.request import OPTIONS_UNSUPPORTED, PrintRequest
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from schemas.addresses import AddressError, read_address
from schemas.text import SaidError

_PORT = 9100
_CHUNK = 64 * 1024
_CONNECT_S = 5.0
_SETTLE_S = 1.0
"""How long a printer that took every byte may still break the connection off: one that accepts and closes does so at
once, and its network stack may have taken the bytes before. Many printers never close the connection themselves."""
_LOOK_S = 0.1
NOT_READING = "printer-not-reading"
"""The reason of an attempt that is held because the printer takes no byte."""


class _Sent(Struct):
    all: int = 0
    bytes: int = 0
    """At most so many have left."""
    taken: int = 0


class _Patience:
    """Says when the printer begins to take no byte for `timeout_s`, and when it takes bytes again."""

    def __init__(self, context: DriverContext, timeout_s: float) -> None:
        self._context = context
        self._timeout_s = timeout_s
        self._is_held = False

    async def look(self, connection: RawConnection) -> None:
        """Raises TimeoutError when the printer's network stack does not answer any more."""
        if connection.silent_s > self._timeout_s:
            raise TimeoutError
        await self._tell(is_held=connection.stalled_s > self._timeout_s)

    async def over(self) -> None:
        """It has taken every byte."""
        await self._tell(is_held=False)

    async def _tell(self, *, is_held: bool) -> None:
        if is_held == self._is_held:
            return
        self._is_held = is_held
        if is_held:
            await self._context.held([NOT_READING], pauses=False)
        else:
            await self._context.resumed()


class RawSocketPrinter:
    """Implements `print_action.Printer`. `PrinterConfig.timeout_s` is how long its network stack may owe an answer, and
    how long it may take no byte before the attempt counts as held."""

    def __init__(self, config: PrinterConfig, timing: Timing | None = None, lingering: Lingering | None = None) -> None:
        """Raises ValueError for a URI that names no host."""
        self._timing = timing or Timing()
        self._lingering = lingering or Lingering()
        try:
            address = read_address(config.uri)
        except AddressError as problem:
            raise SaidError(
                f"the printer's uri is no URI: {problem}", f"프린터의 uri가 올바르지 않습니다. {problem.korean}"
            ) from None
        if address.scheme != "socket" or address.path.partition("?")[0] not in ("", "/"):
            raise SaidError(
                "the printer's uri must look like socket://host:9100",
                "프린터의 uri는 socket://host:9100 형식이어야 합니다",
            )
        if address.user or address.password:
            raise SaidError(
                "the printer's uri has a user or password, and a raw port asks for none: leave them out",
                "프린터의 uri에 사용자나 비밀번호가 있지만 이 포트는 묻지 않습니다. 빼십시오",
            )
        self._name = config.name
        self._host, self._port = address.host, address.port or _PORT
        self._uri = f"socket://{address.authority(_PORT)}"
        self._stall_s = config.timeout_s

    async def print_document(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`. Codes: options_unsupported (nothing was sent), printer_lost (broken in the middle). It waits
        for a printer that cannot be reached."""
        sent = _Sent()
        absence = Absence(context, self._timing)

        async def stop() -> Outcome:
            if sent.bytes == 0:
                message = sentences("it was stopped before anything was sent", absence.problem)
                return Outcome(status="cancelled", message=message)
            return self._unknown(sent, "it was stopped, and bytes that were sent cannot be called back")

        async with stopping(context, stop):
            asked = _asked(request)
            if asked and request.fidelity == "exact":
                message = f"{', '.join(asked)}: a raw printer gets the document's bytes and nothing else"
                return Outcome(status="failed", code=OPTIONS_UNSUPPORTED, message=f"{message}. Nothing was printed")
            document = await context.document(request.document)
            sent.all = (await asyncio.to_thread(document.stat)).st_size * request.copies
            connection = await self._connect(absence)
            patience = _Patience(context, self._stall_s)
            try:
                await self._send(document, request.copies, connection, sent, patience)
                await self._await_acceptance(connection, sent, patience)
            except OSError as problem:
                sent.taken = connection.taken
                silent = isinstance(problem, TimeoutError)
                said = "the printer does not answer any more" if silent else f"the connection broke ({problem})"
                return self._unknown(sent, said)
            finally:
                sent.taken = connection.taken
                if sent.taken == sent.all:
                    self._lingering.keep(connection)
                else:
                    connection.drop()
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

    async def _connect(self, absence: Absence) -> RawConnection:
        """A connection, waited for as long as the attempt may begin. The journal knows that the effect begins."""
        while True:
            try:
                async with asyncio.timeout(_CONNECT_S):
                    _, connection = await asyncio.get_running_loop().create_connection(
                        RawConnection, self._host, self._port
                    )
            except OSError as problem:
                said = f"{self._uri}: {str(problem) or 'no answer'}; check that the printer is switched on"
                await absence.wait(UNREACHABLE, said)
                continue
            try:
                await absence.over()
            except BaseException:
                connection.drop()
                raise
            return connection

    async def _send(
        self, document: Path, copies: int, connection: RawConnection, sent: _Sent, patience: _Patience
    ) -> None:
        """The whole file once for each copy, as CUPS does. Raises OSError (TimeoutError when nobody answers)."""
        for _ in range(copies):
            with await asyncio.to_thread(document.open, "rb") as file:
                while chunk := await asyncio.to_thread(file.read, _CHUNK):
                    sent.bytes += len(chunk)  # before the write: an interrupted one may have got through
                    connection.write(chunk)
                    await self._while_it_takes_bytes(connection, connection.has_left, patience)

    async def _await_acceptance(self, connection: RawConnection, sent: _Sent, patience: _Patience) -> None:
        """Wait until the printer's network stack has taken every byte, and has closed its side in order or left it open
        for a while. Raises OSError."""
        if not connection.tells:
            raise OSError("this system does not report how much the printer received")
        connection.end()
        await self._while_it_takes_bytes(connection, lambda: connection.taken >= sent.all, patience)
        await patience.over()
        settled = time.monotonic() + _SETTLE_S
        while not connection.is_closed_by_printer and (left_s := settled - time.monotonic()) > 0:
            connection.check()
            await connection.change(min(left_s, _LOOK_S))

    async def _while_it_takes_bytes(
        self, connection: RawConnection, done: Callable[[], bool], patience: _Patience
    ) -> None:
        """Wait for `done`. A printer that lives may take as long as the command allows. Raises TimeoutError when its
        network stack owed an answer for `timeout_s`, and OSError when the connection broke."""
        while not done():
            connection.check()
            await patience.look(connection)
            await connection.change(_LOOK_S)

    def _data(self, sent: _Sent, request: PrintRequest) -> dict[str, Any]:
        ignored = _asked(request)
        data: dict[str, Any] = {"printer": self._name, "bytes_accepted": sent.bytes}
        return {**data, "ignored": ignored} if ignored else data

    def _unknown(self, sent: _Sent, message: str) -> Outcome:
        data = {
            "printer": self._name,
            "bytes": sent.all,
            "bytes_sent_at_most": sent.bytes,
            "bytes_accepted": sent.taken,
        }
        said = f"{message}; its network stack took {sent.taken} of {sent.all} bytes: look whether it was printed"
        return Outcome(status="unknown", code="printer_lost", data=data, message=said)


def _asked(request: PrintRequest) -> list[str]:
    """What was asked for that only a printer with a protocol can be told. Copies are sent one by one."""
    as_it_is = {"collate"} if request.collate else set()  # each copy is sent whole
    return sorted(request.asked.keys() - as_it_is)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()

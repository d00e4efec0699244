"""The action `print`: finds the printer that the payload names, or the default one, and hands it the request."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from device_agent.actions.base import DriverContext, stopping
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.absence import BUSY
from device_agent.actions.printing.request import PrintRequest
from device_agent.core.gate import PayloadError
from device_agent.core.outcome import Outcome

_CHOSEN = "printer"
"""What is remembered of a command that names no printer."""


class Printer(Protocol):
    """One configured printer. Stopping and honesty are as `actions.base` says."""

    async def print_document(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """Print it and wait for its end. Nothing may reach the printer before `context.begins()` has returned, or
        `context.resumed()` after it was held untouched: what is cut off before that is printed anew."""

    async def evidence(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """What became of `context.job_name`, without printing anything."""

    async def describe(self) -> dict[str, Any]:
        """For the state message: `name`, `uri` (no credentials), `state` (idle, processing, stopped, unreachable),
        `reasons` [{reason, severity}], `supplies` [{name, kind, level in percent or None}]. Never raises."""


class PrintDriver:
    """The driver of `print` for all printers of this client. A printer prints one document at a time: what names it and
    what leaves the choice to this client come in different lanes."""

    announces_effect = True

    def __init__(self, printers: Mapping[str, Printer], default: str | None = None) -> None:
        """`default`: the printer of commands that name none; without it, the only one."""
        self._printers = printers
        self._default = default or (next(iter(printers)) if len(printers) == 1 else None)
        self._turns = {name: asyncio.Lock() for name in printers}

    def check(self, action: str, payload: dict[str, Any]) -> None:  # noqa: ARG002 - one action
        """See `Driver`."""
        request = print_request.parse(payload)
        self._printer(request.printer or self._chosen())

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`."""
        request = print_request.parse(payload)
        name = request.printer or self._chosen()
        printer = self._printer(name)
        if request.printer is None:  # after a restart another one may be the default
            context.pinned = {_CHOSEN: name}
            await context.remember({})
        turn = self._turns[name]
        async with stopping(context, _stopped_before):
            if turn.locked():
                await context.held([BUSY], untouched=True)
            await turn.acquire()
        try:
            return await printer.print_document(request, context)
        finally:
            turn.release()

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`."""
        try:
            request = print_request.parse(payload)
            chosen = context.remembered.get(_CHOSEN)
            name = request.printer or (chosen if isinstance(chosen, str) else self._chosen())
            printer = self._printer(name)
        except PayloadError as problem:  # the configuration changed since: the effect may have happened before
            return Outcome(status="unknown", code=problem.code, message=f"nobody left to ask: {problem.message}")
        if request.printer is None:
            context.pinned = {_CHOSEN: name}
        return await printer.evidence(request, context)

    def _chosen(self) -> str:
        """The printer of a command that names none."""
        if self._default is not None:
            return self._default
        message = (
            f"printer: name one of {self._known()}, or set default = true for one of them in this client's agent.toml"
        )
        raise PayloadError("printer_unknown", message)

    def _printer(self, name: str) -> Printer:
        printer = self._printers.get(name)
        if printer is None:
            raise PayloadError("printer_unknown", f"printer: this client has no {name!r}; it has: {self._known()}")
        return printer

    def _known(self) -> str:
        return ", ".join(sorted(self._printers)) or "none"


async def _stopped_before() -> Outcome:
    return Outcome(status="cancelled", message="it was stopped before anything was sent to the printer")

"""The action `print`: finds the printer that the payload names and hands it the request."""

from collections.abc import Mapping
from typing import Any, Protocol

from device_agent.actions.base import DriverContext
from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.request import PrintRequest
from device_agent.core.gate import PayloadError
from device_agent.core.outcome import Outcome


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
    """The driver of `print` for all printers of this client."""

    announces_effect = True

    def __init__(self, printers: Mapping[str, Printer]) -> None:
        self._printers = printers

    def check(self, action: str, payload: dict[str, Any]) -> None:  # noqa: ARG002 - one action
        """See `Driver`."""
        self._find(payload)

    async def execute(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`."""
        printer, request = self._find(payload)
        return await printer.print_document(request, context)

    async def evidence(self, action: str, payload: dict[str, Any], context: DriverContext) -> Outcome:  # noqa: ARG002
        """See `Driver`."""
        try:
            printer, request = self._find(payload)
        except PayloadError as problem:  # the configuration changed since: the effect may have happened before
            return Outcome(status="unknown", code=problem.code, message=f"nobody left to ask: {problem.message}")
        return await printer.evidence(request, context)

    def _find(self, payload: dict[str, Any]) -> tuple[Printer, PrintRequest]:
        request = print_request.parse(payload)
        printer = self._printers.get(request.printer)
        if printer is None:
            known = ", ".join(sorted(self._printers)) or "none"
            raise PayloadError("printer_unknown", f"printer: this client has no {request.printer!r}; it has: {known}")
        return printer, request

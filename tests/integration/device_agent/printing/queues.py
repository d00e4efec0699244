"""Queues of a real CUPS in front of the virtual printer."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device_agent.actions.printing import request as print_request
from device_agent.actions.printing.poll import Timing
from device_agent.core.outcome import Outcome
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import HOSTS
from tests.support.cups import Cups
from tests.support.printing import Context, PrinterTestbed, payload

TIMING = Timing(poll_first_s=0.05, poll_most_s=0.2, busy_s=5, lost_s=2, evidence_s=5, connect_s=2)


@dataclass
class Queue:
    """A CUPS queue and the printer behind it."""

    uri: str
    printer: PrinterTestbed
    folder: Path
    cups: Cups

    async def print(self, content: bytes, command_id: str, **asked: object) -> tuple[Outcome, Context]:
        """Print through the queue, to the end."""
        context = self.context(content, command_id)
        request = print_request.parse(payload(self.folder / command_id, **asked))
        return await self.printer.printer(TIMING, self.uri).print_document(request, context), context

    def context(self, content: bytes, command_id: str) -> Context:
        file = self.folder / command_id
        file.write_bytes(content)
        return Context(file, command_id)


@contextlib.contextmanager
def cups_before(printer: PrinterTestbed, further: str = "") -> Iterator[tuple[Cups, str]]:
    """A CUPS as Debian configures it, and the URI of its queue before the virtual printer."""
    cups = Cups(printer.folder, PortBook(printer.folder.ports).choose("cups", 0, HOSTS).number, further)
    try:
        cups.start()
        yield cups, cups.add_queue("Office", printer.embedded.url)
    finally:
        cups.stop()

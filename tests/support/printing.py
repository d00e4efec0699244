"""Printing: a virtual printer with its tricks, a document, and an agent's side that remembers."""

import asyncio
import hashlib
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx

from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing.ipp import IppPrinter
from device_agent.actions.printing.poll import Timing
from device_agent.core.events import StopReason
from device_agent.core.outcome import Outcome
from device_agent.documents import DocumentError
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.printer import EmbeddedPrinter
from schemas.actions import DocumentSent
from tests.support.waiting import SOON_S, eventually

FAST = Timing(
    poll_first_s=0.02,
    poll_most_s=0.1,
    busy_s=0.6,
    lost_s=0.6,
    quiet_s=0.2,
    away_s=0.6,
    evidence_s=0.6,
    connect_s=2.0,
    away_first_s=0.02,
    away_most_s=0.1,
    verdict_s=0.3,
)
CONTENT = b"%PDF-1.4\n" + bytes(range(256)) * 40 + b"%%EOF\n"
"""A document; the virtual printer does not look into it."""
_TRAYS = "size1=iso_a4_210x297mm&type1=stationery&level1={}&size3=na_number-10_4.125x9.5in&type3=envelope&level3=25"


class Context:
    """The agent's side of one attempt (`DriverContext`), which remembers what a driver told it."""

    def __init__(self, document: Path | None = None, command_id: str = "0192-a") -> None:
        self.command_id = command_id
        self.attempt = 1
        self.job_name = f"floorhub-{command_id}-1"
        self.stop_reason: StopReason | None = None
        self.cancelled_outcome: Outcome | None = None
        self.remembered: dict[str, Any] = {}
        self.pinned: dict[str, Any] = {}
        self.marked: set[str] = set()
        self.told: list[tuple[str, Any]] = []
        self.begins_asked = asyncio.Event()
        self.let_begin = asyncio.Event()
        """Set: the journal knows at once that the effect begins."""
        self.let_begin.set()
        self.document_asked = asyncio.Event()
        self.document_given = asyncio.Event()
        self._document = document

    async def progress(self, data: dict[str, Any]) -> None:
        self.told.append(("progress", data))

    async def held(self, reasons: list[str], *, untouched: bool = False, pauses: bool = True) -> None:
        self.told.append(("untouched" if untouched else "held" if pauses else "held in its time", reasons))

    async def begins(self) -> None:
        self.begins_asked.set()
        await self.let_begin.wait()

    async def resumed(self) -> None:
        self.told.append(("resumed", None))

    async def found(self) -> None:
        self.told.append(("found", None))

    async def remember(self, evidence: dict[str, Any]) -> None:
        self.remembered = {**evidence, **self.pinned}

    async def mark(self, fact: str) -> None:
        self.marked.add(fact)

    async def unmark(self, fact: str) -> None:
        self.marked.discard(fact)

    async def document(self, reference: DocumentSent) -> Path:
        self.document_asked.set()
        if reference.path == "/missing":
            raise DocumentError("document_missing", "the hub has no /missing for this client (HTTP 404)")
        if self._document is None:  # the hub never answers
            await asyncio.Event().wait()
        assert self._document is not None
        self.document_given.set()
        return self._document

    def after_restart(self) -> "Context":
        """The side of the next process, which knows what the journal kept."""
        again = Context(self._document, self.command_id)
        again.marked = set(self.marked)
        again.remembered = self.remembered | dict.fromkeys(self.marked, True)
        return again

    def heard(self, kind: str) -> list[Any]:
        return [data for told, data in self.told if told == kind]


class PrinterTestbed:
    """A running `ippeveprinter`, driven and looked at from outside."""

    def __init__(self, embedded: EmbeddedPrinter, folder: DataFolder) -> None:
        self.embedded = embedded
        self.folder = folder

    def behave(self, **control: object) -> None:
        """Replace the control files; see `print_command.sh`."""
        for file in self.embedded.control_folder.iterdir():
            file.unlink()
        for name, content in control.items():
            file = self.embedded.control_folder / name
            file.write_text(f"{content}\n", encoding="utf-8")
            file.chmod(0o644)

    def effects(self) -> list[dict[str, Any]]:
        file = self.embedded.effects_file
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def printed(self, effect: dict[str, Any]) -> bytes:
        """What came out of the printer."""
        return (self.embedded.effects_file.parent / "out" / str(effect["file"])).read_bytes()

    async def fill_tray(self, sheets: int) -> None:
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://localhost:{self.embedded.port}/media?{_TRAYS.format(sheets)}")
            answer.raise_for_status()

    def printer(self, timing: Timing = FAST, uri: str = "", **config: Any) -> IppPrinter:
        return IppPrinter(PrinterConfig(name="office", uri=uri or self.embedded.url, **config), timing)


def restarted(*, sent: bool = True) -> Context:
    """After a restart that came before the printer told a number; `sent`: the whole document was on its way."""
    context = Context()
    context.remembered = {"document_sent": sent}
    return context


def payload(document: Path | None = None, **more: Any) -> dict[str, Any]:
    """A print command's payload for that document."""
    content = document.read_bytes() if document else b""
    reference = {"path": "/api/documents/1", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return {"printer": "office", "document": reference, **more}


async def cancel(
    task: asyncio.Task[Outcome], context: Context, reason: StopReason | None = StopReason.CANCELLED
) -> Outcome | None:
    """Stop an attempt as the executor does, and say what the driver made of it. `reason` None: the agent ends."""
    context.stop_reason = reason
    task.cancel()
    async with asyncio.timeout(SOON_S):
        await asyncio.wait({task})
    assert task.cancelled()
    return context.cancelled_outcome


def begin(work: Coroutine[Any, Any, Outcome]) -> asyncio.Task[Outcome]:
    return asyncio.create_task(work)


async def until(context: Context, kind: str) -> Any:
    """The first thing of that kind that the driver tells."""
    await eventually(lambda: context.heard(kind))
    return context.heard(kind)[0]

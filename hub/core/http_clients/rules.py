"""Clients that know only their key: no session, no attempt, no report id. What the hub fills in for them, and how it
tells whether what they say fits. Pure.

Such a program carries out each event `command` that it gets, and may not notice that it had one before. So an attempt
goes out once in a session, and each stream is a session of its own: whether the program behind it is the same one,
nobody can tell.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID, uuid5

from schemas import names
from schemas.messages import Run
from schemas.states import ReportStatus

SESSION = "simple."
"""In front of the sessions that the hub makes up."""
RUN_ID = r"^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:\.[1-9][0-9]{0,3})?$"
_FIRST = 1
_TWO_SIDED = {"one-sided": False, "two-sided-long-edge": True, "two-sided-short-edge": True}


def run_id(command_id: UUID, attempt: int) -> str:
    """What such a client calls an attempt, and gives back in the path of its reports: so what it says late is about the
    attempt that it meant, and no newer one."""
    return str(command_id) if attempt == _FIRST else f"{command_id}.{attempt}"


def read_run_id(text: str) -> tuple[UUID, int | None]:
    """Command and attempt of a text that matches `RUN_ID`; without an attempt, None: the first one, if it is such a
    client that speaks."""
    command_id, _, attempt = text.partition(".")
    return UUID(command_id), int(attempt) if attempt else None


def report_id(command_id: UUID, attempt: int, status: ReportStatus) -> UUID:
    """The id of a report that came without one: said again, it is the same report."""
    return uuid5(command_id, f"{attempt}/{status.value}")


class Standing(Protocol):
    """Where a command is."""

    @property
    def status(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def known(self) -> bool:
        """The report was applied before."""


def fits(said: ReportStatus, attempt: int, standing: Standing) -> bool:
    """Whether a report was applied, or says what is so anyway."""
    if standing.known:
        return True
    if attempt != standing.attempt:
        return False
    if said is ReportStatus.STARTED:
        return standing.status in ("running", "unknown")
    return said.value == standing.status


def may_be_applied(attempt: int, standing: Standing) -> bool:
    """Whether a report is about an attempt that was handed out and has not ended for good."""
    return attempt == standing.attempt and standing.status in ("queued", "running", "unknown")


def command_event(run: Run, download: Callable[[UUID], str]) -> dict[str, Any]:
    """The data of an event `command`. `download`: where the client gets a document without showing its key."""
    return {
        "id": run_id(run.command_id, run.attempt),
        "action": run.action,
        "payload": {**run.payload, **_also(run, download)},
        "priority": run.priority,
        "attempt": run.attempt,
        "expires_at": run.expires_at,
        "timeout_s": run.timeout_s,
    }


def _also(run: Run, download: Callable[[UUID], str]) -> dict[str, Any]:
    """Fields of a payload under their other names, unless the payload has such fields itself."""
    payload = run.payload
    also: dict[str, Any] = {}
    if run.action == "print":
        document = payload.get("document")
        if isinstance(document, dict) and re.fullmatch(RUN_ID, str(document.get("id"))):
            url = download(UUID(document["id"]))
            also |= {"pdfUrl": url, "filePath": url}
        also["printerName"] = payload.get("printer")
        sides = payload.get("sides")
        duplex = payload.get("duplex") if sides is None else _TWO_SIDED.get(str(sides))
        also[names.OPTIONS] = {} if duplex is None else {"duplex": duplex is not False}
    elif run.action == "display" and "display_index" in payload:
        also["displayIndex"] = payload["display_index"]
    return {name: value for name, value in also.items() if name not in payload}

"""Follows one IPP job to its end and finds jobs by name. Sends nothing that prints."""

import asyncio
import contextlib
import time
from typing import Any

from msgspec import Struct

from device_agent.actions.base import DriverContext
from device_agent.core.outcome import Outcome
from device_agent.ipp.client import NOT_FOUND, IppClient
from device_agent.ipp.errors import IppError, IppRefused
from device_agent.ipp.message import Group
from device_agent.ipp.states import (
    ENDED,
    JobState,
    PrinterState,
    job_state,
    parse_reasons,
    printer_state,
    waiting_for_person,
)


class Timing(Struct, frozen=True, kw_only=True):
    """How patient a printer's driver is, in seconds. The defaults are guesses from a few printers."""

    poll_first_s: float = 0.1
    poll_most_s: float = 2.0
    busy_s: float = 30.0
    """How long a printer may be busy with somebody else's job before the attempt gives up."""
    lost_s: float = 60.0
    """How long a printer may be silent in the middle of a job: it may be switched off and on again."""
    evidence_s: float = 45.0
    """How long evidence is asked for; less than the executor's patience."""
    connect_s: float = 5.0
    send_s: float = 600.0


_GROWTH = 1.5
_PRINTER = ("printer-state", "printer-state-reasons")
_JOB = (
    *("job-id", "job-name", "job-state", "job-state-reasons", "job-state-message", "job-printer-state-message"),
    *("job-impressions", "job-impressions-completed", "job-media-sheets-completed", "job-pages-completed"),
)
_COUNTS = ("job-impressions-completed", "job-media-sheets-completed", "job-pages-completed", "job-impressions")
_BROKEN = frozenset(
    {"aborted-by-system", "document-format-error", "document-unprintable-error", "job-completed-with-errors"}
)
"""With one of these a stopped job never goes on: CUPS keeps a broken document that way."""
_BY_PERSON = frozenset({"job-canceled-by-user", "job-canceled-by-operator", "job-canceled-at-device"})
"""Without one of these nobody decided anything: CUPS calls a job canceled when the printer behind it gave it up."""
CANCELLED_THERE = "job_cancelled_at_printer"
_SAYS_NOTHING = frozenset({"none", "job-completed-successfully", "processing-to-stop-point"})
"""CUPS keeps the last one on jobs that ended, however they did."""
_CUPS_CANNOT_REACH = "may not exist or is unavailable"
"""CUPS tells that a queue's printer is away only in these words; its states look as if all were well."""


class Poll:
    """The pauses between questions: short at first, then longer; short again after something happened."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._pause_s = timing.poll_first_s

    async def wait(self) -> None:
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * _GROWTH, self._timing.poll_most_s)

    def reset(self) -> None:
        self._pause_s = self._timing.poll_first_s


class JobFollower:
    """Watches job `job_id` until it ended, and says meanwhile how far it is and what holds it up."""

    def __init__(
        self, client: IppClient, printer_name: str, job_id: int, context: DriverContext, timing: Timing
    ) -> None:
        self._client = client
        self._printer_name = printer_name
        self._job_id = job_id
        self._context = context
        self._timing = timing
        self._held: list[str] = []
        self._counts: dict[str, int] = {}
        self._state: JobState | None = None

    async def to_the_end(self) -> Outcome:
        """How the job ended; unknown with `printer_lost` when the printer fell silent or forgot it."""
        poll = Poll(self._timing)
        silent_since = None
        while True:
            try:
                job = await self._client.get_job(self._job_id, _JOB)
                outcome = await self._judge(job, poll)
                silent_since = None
            except IppError as problem:
                if isinstance(problem, IppRefused) and problem.status == NOT_FOUND:
                    return self._lost(f"the printer does not know job {self._job_id} any more")
                now = time.monotonic()
                silent_since = silent_since or now
                if now - silent_since > self._timing.lost_s:
                    return self._lost(f"no word of job {self._job_id} for {self._timing.lost_s:.0f} s: {problem}")
                outcome = None
            if outcome is not None:
                return outcome
            await poll.wait()

    async def _judge(self, job: Group, poll: Poll) -> Outcome | None:
        state = job_state(job)
        if state is not self._state:
            self._state = state
            poll.reset()
        if state in ENDED:
            if state is JobState.COMPLETED:
                await self._hold([])
            return self._ended(job, state)
        if state is JobState.PROCESSING_STOPPED and _BROKEN.intersection(job.texts("job-state-reasons")):
            with contextlib.suppress(IppError):  # else the queue keeps it for ever, in front of all others
                await self._client.cancel_job(self._job_id)
            return self._failed("printer_stopped", job)
        await self._tell_progress(job)
        await self._hold(await self._waiting(job, state))
        return None

    def _ended(self, job: Group, state: JobState) -> Outcome:
        if state is JobState.COMPLETED:
            return Outcome(status="completed", data=self._data(job), message=words_of(job))
        if state is JobState.CANCELED and _BY_PERSON.intersection(job.texts("job-state-reasons")):
            message = f"job {self._job_id} was cancelled at the printer"
            return Outcome(status="cancelled", code=CANCELLED_THERE, data=self._data(job), message=message)
        if state is JobState.CANCELED:
            return self._failed(CANCELLED_THERE, job)
        return self._failed("job_aborted", job)

    def _failed(self, code: str, job: Group) -> Outcome:
        """Never retryable: pages may lie in the tray."""
        message = f"the printer gave job {self._job_id} up: {words_of(job) or 'it does not say why'}"
        return Outcome(status="failed", code=code, data=self._data(job), message=message)

    def _lost(self, message: str) -> Outcome:
        data = {"printer": self._printer_name, "job_id": self._job_id, "job_name": self._context.job_name}
        return Outcome(
            status="unknown", code="printer_lost", data=data, message=f"{message}: look whether it was printed"
        )

    def _data(self, job: Group) -> dict[str, Any]:
        state = job_state(job)
        reasons = [reason for reason in job.texts("job-state-reasons") if reason != "none"]
        return {
            "printer": self._printer_name,
            "job_id": self._job_id,
            "job_name": self._context.job_name,
            "job_state": state.name.lower() if state else None,
            "job_state_reasons": reasons,
            **counts_of(job),
        }

    async def _tell_progress(self, job: Group) -> None:
        counts = counts_of(job)
        if counts and counts != self._counts:
            self._counts = counts
            await self._context.progress(dict(counts))

    async def _waiting(self, job: Group, state: JobState | None) -> list[str]:
        printer = await self._client.get_printer(_PRINTER)
        stopped = state is JobState.PROCESSING_STOPPED or printer_state(printer) is PrinterState.STOPPED
        waiting = waiting_for_person(parse_reasons(printer.texts("printer-state-reasons")), stopped=stopped)
        if state is JobState.PENDING_HELD:
            waiting += [reason for reason in job.texts("job-state-reasons") if reason not in ("none", *waiting)]
        if _CUPS_CANNOT_REACH in job.text("job-printer-state-message"):
            waiting.append("printer-unreachable")
        return waiting

    async def _hold(self, reasons: list[str]) -> None:
        if reasons == self._held:
            return
        self._held = reasons
        if reasons:
            await self._context.held(list(reasons))
        else:
            await self._context.resumed()


def counts_of(job: Group) -> dict[str, int]:
    """The page counts that the printer gave, such as `{"impressions_completed": 2}`. A printer that does not count says
    0, also of a job that it completed: such a count says nothing and is left out."""
    counts = {name: job.integer(name) for name in _COUNTS}
    return {name.removeprefix("job-").replace("-", "_"): count for name, count in counts.items() if count}


def words_of(job: Group) -> str:
    """What the printer says about a job, in its own words and keywords."""
    texts = [job.text("job-state-message"), job.text("job-printer-state-message")]
    said = " ".join(dict.fromkeys(text.strip() for text in texts if text.strip()))
    reasons = [reason for reason in job.texts("job-state-reasons") if reason not in _SAYS_NOTHING]
    return f"{said} ({', '.join(reasons)})".strip() if reasons else said


async def find_job(client: IppClient, job_name: str) -> tuple[int | None, str]:
    """The number of the job with that name, and a sentence about what was asked and answered.

    A job that still runs counts more than one that completed, that more than others, the newest most. Raises IppError.
    """
    found: list[tuple[int, int]] = []
    seen = 0
    for which in ("not-completed", "completed"):
        for job in await client.get_jobs(which, ("job-id", "job-name", "job-state")):
            seen += 1
            name, job_id, state = job.text("job-name"), job.integer("job-id"), job_state(job)
            if job_id is None or not (name == job_name or name.startswith(f"{job_name} ")):
                continue
            rank = 1 if state is JobState.COMPLETED else 0 if state in ENDED else 2
            found.append((rank, job_id))
    asked = f"Get-Jobs at {client.uri} listed {seen} jobs"
    if not found:
        return None, f"{asked}, none of them named {job_name}"
    _, job_id = max(found)
    return job_id, f"{asked}, job {job_id} is named {job_name}"

"""Follows one IPP job to its end. Sends nothing that prints."""

import contextlib
import time
from typing import Any

from device_agent.actions.base import DriverContext
from device_agent.actions.printing.absence import UNREACHABLE
from device_agent.actions.printing.finding import cancel_own, shown
from device_agent.actions.printing.own_job import IDENTITY, OwnJob
from device_agent.actions.printing.poll import Poll, Timing
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from device_agent.ipp.client import IppClient
from device_agent.ipp.errors import IppBusy, IppError, IppRefused, is_no_answer
from device_agent.ipp.message import Group, GroupTag
from device_agent.ipp.states import (
    ENDED,
    JobState,
    PrinterState,
    job_state,
    parse_reasons,
    printer_state,
    waiting_for_person,
)

_PRINTER = ("printer-state", "printer-state-reasons")
_JOB = (
    *IDENTITY,
    *("job-state", "job-state-reasons", "job-state-message", "job-printer-state-message"),
    *("job-impressions", "job-impressions-completed", "job-media-sheets-completed", "job-pages-completed"),
    "job-k-octets",
)
COUNTS = ("job-impressions-completed", "job-media-sheets-completed", "job-pages-completed", "job-impressions")
_UNPRINTABLE = frozenset(
    {
        "document-format-error",
        "document-password-error",
        "document-permission-error",
        "document-security-error",
        "document-unprintable-error",
        "unsupported-document-format",
    }
)
"""The document is to blame (RFC 8011 5.3.8, PWG 5100.13), whatever state the job has."""
_WITH_ERRORS = "job-completed-with-errors"
_FILTER_FAILED = frozenset({_WITH_ERRORS, "cups-filter-crashed"})
"""What CUPS says of a job that it stops because a filter could not convert its document. It would stay in the queue for
ever, in front of all others. A printer says the first of a job that did come out, but not as it should."""
_GIVEN_UP = "aborted-by-system"
_BY_PERSON = frozenset({"job-canceled-by-user", "job-canceled-by-operator", "job-canceled-at-device"})
"""Without one of these nobody decided anything: CUPS calls a job canceled when the printer behind it gave it up."""
CANCELLED_THERE = "job_cancelled_at_printer"
_SAYS_NOTHING = frozenset({"none", "job-completed-successfully", "processing-to-stop-point"})
"""CUPS keeps the last one on jobs that ended, however they did."""
_CUPS_CANNOT_REACH = "may not exist or is unavailable"
"""CUPS tells that a queue's printer is away only in these words; its states look as if all were well."""
SEE_DOCUMENT = (
    "The document may be damaged, protected by a password, or of another kind than its type says, or the queue cannot "
    "print at all: see whether others print there"
)


class JobFollower:
    """Watches a job until it ended, and says meanwhile how far it is and what holds it up."""

    def __init__(
        self, client: IppClient, printer_name: str, own: OwnJob, context: DriverContext, timing: Timing
    ) -> None:
        self._client = client
        self._printer_name = printer_name
        self._own = own
        self._job_id = own.job_id
        self._context = context
        self._timing = timing
        self._held: list[str] = []
        self._counts: dict[str, int] = {}
        self._state: JobState | None = None
        self._condemned_at: float | None = None
        """Since when the printer says, of a job that goes on, that it cannot print the document."""

    async def to_the_end(self) -> Outcome:
        """How the job ended; unknown with `printer_lost` when the printer fell silent, does not say, or forgot it."""
        poll = Poll(self._timing.poll_first_s, self._timing.poll_most_s)
        silent_since = None
        was_away = False
        while True:
            outcome: Outcome | None = None
            try:
                job = await shown(self._client, self._job_id, _JOB)
                if job is None:
                    return self._lost(
                        f"the printer does not know job {self._job_id} any more: it keeps no ended jobs, or was reset"
                    )
                if not self._own.is_shown_by(job):
                    return self._lost(
                        f"job {self._job_id} at the printer is now somebody else's: the printer was reset and counts "
                        "from the start"
                    )
                if self._own.learn(job):
                    await self._context.remember(self._own.remembered())
                outcome = await self._judge(job, poll)
                silent_since = None
            except IppBusy:  # an answer all the same
                silent_since = None
            except IppError as problem:
                self._own.doubt()
                now = time.monotonic()
                is_away = is_no_answer(problem)
                silent_since = silent_since if silent_since and is_away == was_away else now
                was_away = is_away
                if now - silent_since > (self._timing.away_s if is_away else self._timing.lost_s):
                    return self._lost(self._no_word(problem, now - silent_since))
                if is_away and now - silent_since > self._timing.quiet_s:
                    await self._hold([UNREACHABLE])
            if outcome is not None:
                return outcome
            await poll.wait()

    def _no_word(self, problem: IppError, silent_s: float) -> str:
        patience = f"for {silent_s:.0f} s"
        if isinstance(problem, IppRefused):
            return f"the printer refused {patience} to report the state of job {self._job_id}: {problem}"
        return f"no answer about job {self._job_id} {patience}: {problem}"

    async def _judge(self, job: Group, poll: Poll) -> Outcome | None:
        state = job_state(job)
        if state is None:
            raise IppError("it does not say in which state the job is")
        if state is not self._state:
            self._state = state
            poll.reset()
        reasons = frozenset(job.texts("job-state-reasons"))
        if state in ENDED:
            if state is JobState.COMPLETED:
                await self._hold([])
            return self._ended(job, state, reasons)
        if self._is_hopeless(state, reasons):
            with contextlib.suppress(IppError):  # else the queue keeps it for ever, in front of all others
                await cancel_own(self._client, self._own)
            unprintable = reasons & (_UNPRINTABLE | _FILTER_FAILED)
            return self._unprintable(job) if unprintable else self._failed("job_aborted", job)
        await self._tell_progress(job)
        await self._hold(await self._waiting(job, state))
        return None

    def _is_hopeless(self, state: JobState | None, reasons: frozenset[str]) -> bool:
        """Whether the job will never print, though the printer does not end it. CUPS stops such a job; printers leave
        it in processing, some for ever: those get a while to end it themselves."""
        if state is JobState.PROCESSING_STOPPED:
            return bool(reasons & (_UNPRINTABLE | _FILTER_FAILED | {_GIVEN_UP}))
        if not reasons & _UNPRINTABLE:
            self._condemned_at = None
            return False
        self._condemned_at = self._condemned_at or time.monotonic()
        return time.monotonic() - self._condemned_at >= self._timing.verdict_s

    def _ended(self, job: Group, state: JobState, reasons: frozenset[str]) -> Outcome:
        if reasons & _UNPRINTABLE:
            return self._unprintable(job)
        if state is JobState.COMPLETED and _WITH_ERRORS in reasons:
            message = sentences(
                f"the printer ended job {self._job_id} with errors: {words_of(job)}", "Check what came out"
            )
            return Outcome(status="failed", code="completed_with_errors", data=self._data(job), message=message)
        if state is JobState.COMPLETED:
            return Outcome(status="completed", data=self._data(job), message=words_of(job))
        if state is JobState.CANCELED and _BY_PERSON & reasons:
            message = f"job {self._job_id} was cancelled at the printer"
            return Outcome(status="cancelled", code=CANCELLED_THERE, data=self._data(job), message=message)
        if state is JobState.CANCELED:
            return self._failed(CANCELLED_THERE, job)
        return self._failed("job_aborted", job)

    def _unprintable(self, job: Group) -> Outcome:
        """Never retryable: the same document ends in the same way, and pages may lie in the tray."""
        message = sentences(f"the printer cannot print the document of job {self._job_id}", words_of(job), SEE_DOCUMENT)
        return Outcome(status="failed", code="document_unprintable", data=self._data(job), message=message)

    def _failed(self, code: str, job: Group) -> Outcome:
        """Never retryable: pages may lie in the tray."""
        message = f"the printer gave job {self._job_id} up: {words_of(job) or 'it does not say why'}"
        return Outcome(status="failed", code=code, data=self._data(job), message=message)

    def _lost(self, message: str) -> Outcome:
        data = {"printer": self._printer_name, "job_id": self._job_id, "job_name": self._context.job_name}
        message = sentences(message, "Check whether it was printed")
        return Outcome(status="unknown", code="printer_lost", data=data, message=message)

    def _data(self, job: Group) -> dict[str, Any]:
        state = job_state(job)
        reasons = [reason for reason in job.texts("job-state-reasons") if reason != "none"]
        octets = job.integer("job-k-octets")
        return {
            "printer": self._printer_name,
            "job_id": self._job_id,
            "job_name": self._context.job_name,
            "job_state": state.name.lower() if state else None,
            "job_state_reasons": reasons,
            **counts_of(job),
            **({"k_octets": octets} if octets else {}),
        }

    async def _tell_progress(self, job: Group) -> None:
        counts = counts_of(job)
        if counts and counts != self._counts:
            self._counts = counts
            await self._context.progress(dict(counts))

    async def _waiting(self, job: Group, state: JobState | None) -> list[str]:
        printer = Group(GroupTag.PRINTER)
        with contextlib.suppress(IppError):  # it answered for the job, which is what counts
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


def has_all(outcome: Outcome, size: int) -> bool:
    """Whether the printer says that it received so many bytes of the document (job-k-octets, RFC 8011 5.3.17.1). Many
    printers do not say."""
    octets = outcome.data.get("k_octets")
    return isinstance(octets, int) and octets * 1024 >= size > 0


def counts_of(job: Group) -> dict[str, int]:
    """The page counts that the printer gave, such as `{"impressions_completed": 2}`. A printer that does not count says
    0, also of a job that it completed: such a count says nothing and is left out."""
    counts = {name: job.integer(name) for name in COUNTS}
    return {name.removeprefix("job-").replace("-", "_"): count for name, count in counts.items() if count}


def words_of(job: Group) -> str:
    """What the printer says about a job, in its own words and keywords."""
    texts = [job.text("job-state-message"), job.text("job-printer-state-message")]
    said = sentences(*dict.fromkeys(text.strip() for text in texts))
    reasons = ", ".join(reason for reason in job.texts("job-state-reasons") if reason not in _SAYS_NOTHING)
    return f"{said} ({reasons})" if said and reasons else said or reasons

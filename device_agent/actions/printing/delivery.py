"""Brings the job of an attempt to its printer, whole or in parts, and says what its answers and its silence mean.

Nothing is sent again unless it is certain that the printer has nothing of it.
"""

import asyncio
import contextlib
import enum
import random
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec import Struct

from device_agent.actions.base import DriverContext
from device_agent.actions.printing.absence import BUSY, UNREACHABLE, Absence
from device_agent.actions.printing.finding import shown
from device_agent.actions.printing.job import COUNTS, counts_of, has_all
from device_agent.actions.printing.outcomes import Types, failed, refused, with_data
from device_agent.actions.printing.own_job import DOCUMENT_SENT, IDENTITY, OwnJob
from device_agent.actions.printing.poll import Poll, Timing
from device_agent.actions.printing.request import OPTIONS_UNSUPPORTED
from device_agent.actions.printing.tracking import JobTracker
from device_agent.core.outcome import Outcome
from device_agent.ipp.client import OPERATION_NOT_SUPPORTED, IppClient, JobTicket, Submitted
from device_agent.ipp.errors import (
    IppBusy,
    IppError,
    IppInterrupted,
    IppRefused,
    IppServerError,
    IppTurnedAway,
    IppUnreachable,
)
from device_agent.ipp.states import ENDED, job_state

_BUSY_FIRST_S = 0.25
_BUSY_MOST_S = 2.0
_CREATIONS = 3
"""How often a job without a document is created while the printer's answer gets lost."""
_HTTP_TIME_OUT = 408


class AwayError(Exception):
    """The printer cannot be reached, or has no time, and nothing was sent to it: it is worth to wait."""

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem


class AtPrinter(enum.Enum):
    """What of an attempt may be at its printer."""

    NOTHING = enum.auto()
    EMPTY = enum.auto()
    """At most a job without a document, which prints nothing."""
    DOCUMENT = enum.auto()
    """The document, or a part of it."""


class Progress(Struct):
    """How far an attempt got, for whoever has to stop it. It outlives the connections of the attempt."""

    absence: Absence
    size: int
    """Bytes of the document."""
    at_printer: AtPrinter = AtPrinter.NOTHING
    own: OwnJob | None = None
    whole: bool = False
    """The system, or the printer, has taken the whole document."""
    noted: bool = False
    """The journal may say so, too."""
    creations: int = 0
    """How often the answer to Create-Job got lost."""

    def judge(self, outcome: Outcome, tracker: JobTracker) -> Outcome:
        """A job that completed without its whole document printed something, and nobody knows what."""
        return outcome if self.whole or has_all(outcome, self.size) else tracker.cut_off(outcome)


class Delivery:
    """Hands one job over, by one connection. Each method raises AwayError when nothing of it is at the printer."""

    def __init__(
        self,
        client: IppClient,
        tracker: JobTracker,
        context: DriverContext,
        progress: Progress,
        timing: Timing,
        types: Types,
        *,
        exact: bool,
    ) -> None:
        """`exact`: the printer was asked to refuse what it cannot do as asked."""
        self._client = client
        self._tracker = tracker
        self._context = context
        self._progress = progress
        self._timing = timing
        self._types = types
        self._exact = exact

    async def print_whole(self, ticket: JobTicket, document: Path) -> Submitted | Outcome:
        """Print-Job: the job as the printer took it, or what the attempt came to."""
        progress = self._progress
        if progress.at_printer is AtPrinter.EMPTY:
            await self._tracker.discard()
        await progress.absence.over()
        return await self._submit(lambda: self._client.print_job(ticket, document, self._sent), AtPrinter.DOCUMENT)

    async def create(self, ticket: JobTicket) -> Submitted | Outcome | None:
        """A job without a document; None if the printer does not create any. It prints nothing, so that the attempt
        stays untouched: a restart begins it anew, and so does an answer that got lost. What such a try left behind is
        cancelled first: it is not known what the printer said when it created that."""
        progress = self._progress
        await self._tracker.discard()
        try:
            return await self._submit(lambda: self._client.create_job(ticket), AtPrinter.EMPTY)
        except IppRefused as refusal:
            if refusal.status != OPERATION_NOT_SUPPORTED:
                return refused(refusal, self._types, exact=self._exact)
            return None
        except IppInterrupted as silence:
            progress.creations += 1
            if progress.creations < _CREATIONS:
                raise AwayError(UNREACHABLE, f"{self._client.uri}: {silence}") from None
            said = f"the printer gave no answer to {_CREATIONS} times Create-Job: {silence}. Nothing was printed"
            return failed("printer_lost", said, retryable=True)

    async def send_document(self, own: OwnJob, ticket: JobTicket, document: Path) -> Outcome | None:
        """Send-Document to a job that was created, again while the printer refuses it because it is busy and has
        nothing of it. None when the printer took it, else what the attempt came to."""
        progress = self._progress
        await progress.absence.over()
        progress.at_printer = AtPrinter.DOCUMENT
        poll = Poll(_BUSY_FIRST_S, _BUSY_MOST_S)
        waits = False
        while True:
            try:
                await self._client.send_document(own.job_id, ticket, document)
            except IppBusy as busy:
                if not await self._waits_for_document(own):
                    return await self._give_up(own, busy)
                if not waits:
                    waits = True
                    await self._context.held([BUSY])
                await poll.wait()
            except IppError as problem:
                return await self._give_up(own, problem)
            else:
                break
        progress.whole = True
        if waits:
            await self._context.resumed()
        own.document_sent = True
        await self._context.mark(DOCUMENT_SENT)
        await self._context.remember(own.remembered())
        return None

    async def _waits_for_document(self, own: OwnJob) -> bool:
        """Whether our job is there, has not ended, and nothing of it came out."""
        try:
            job = await shown(self._client, own.job_id, (*IDENTITY, "job-state", *COUNTS))
        except IppBusy:
            return True
        except IppError:
            return False
        return job is not None and own.is_shown_by(job) and job_state(job) not in ENDED and not counts_of(job)

    async def _give_up(self, own: OwnJob, problem: IppError) -> Outcome:
        """The job exists at the printer and its document did not get there in full. Some printers print as they
        receive, so this is never retryable."""
        # A web server that turns a request away may have read it all, and the job got nothing of it.
        self._progress.whole = (
            isinstance(problem, IppInterrupted)
            and not isinstance(problem, IppTurnedAway | IppServerError)
            and problem.sent_whole
        )
        outcome = await self._cancel_and_follow(own)
        is_refused = isinstance(problem, IppRefused)
        if outcome.status == "unknown" or (outcome.status == "completed" and not is_refused):
            return self._progress.judge(outcome, self._tracker)
        said, code = str(problem), "printer_lost"
        if isinstance(problem, IppRefused):
            verdict = refused(problem, self._types)
            said, code = verdict.message or said, verdict.code or code
        return Outcome(status="failed", code=code, data=outcome.data, message=f"the document was not taken: {said}")

    async def call_off(self, own: OwnJob, ignored: set[str], *, is_empty: bool) -> Outcome:
        """The printer took a job that it must not change, and says that it changed it."""
        outcome = with_data(await self._cancel_and_follow(own), ignored=sorted(ignored))
        if outcome.status in ("completed", "unknown") and not is_empty:
            return outcome
        said = f"the printer says that it would ignore {', '.join(sorted(ignored))}; job {own.job_id} was called off"
        return Outcome(status="failed", code=OPTIONS_UNSUPPORTED, data=outcome.data, message=said)

    async def _cancel_and_follow(self, own: OwnJob) -> Outcome:
        with contextlib.suppress(IppError, TimeoutError):
            await self._tracker.cancel(own)
        return await self._tracker.follow(own)

    async def _submit(
        self, submit: Callable[[], Coroutine[Any, Any, Submitted]], there: AtPrinter
    ) -> Submitted | Outcome:
        """Send the job, again while the printer refuses it because it prints somebody else's (one job at a time is
        normal for small printers, 0x0507). A refusal is certain; silence is not, and then the printer is asked.

        `there`: what is at the printer once it takes the job. One without a document prints nothing: raises IppRefused
        and IppInterrupted.
        """
        progress = self._progress
        before = progress.at_printer
        give_up = time.monotonic() + self._timing.busy_s
        pause_s = _BUSY_FIRST_S
        while True:
            progress.at_printer, progress.whole = there, False
            try:
                submitted = await submit()
            except IppBusy as busy:
                await self._back_to(before)
                if time.monotonic() >= give_up:
                    problem = f"the printer was busy for {self._timing.busy_s:.0f} s: {busy.message}"
                    raise AwayError(BUSY, problem) from None
            except IppRefused as refusal:
                progress.at_printer = before
                if there is AtPrinter.EMPTY:
                    raise
                return refused(refusal, self._types, exact=self._exact)
            except IppUnreachable as gone:
                progress.at_printer = before
                raise AwayError(UNREACHABLE, f"{self._client.uri}: {gone}") from None
            except IppInterrupted as silence:
                if there is AtPrinter.EMPTY:
                    raise
                outcome = await self._after_silence(silence)
                if outcome is not None:  # else it is as good as refused for now
                    return outcome
                await self._back_to(before)
                if time.monotonic() >= give_up:
                    raise AwayError(BUSY, f"{self._client.uri}: {silence}") from None
            else:
                progress.whole = there is AtPrinter.DOCUMENT
                return submitted
            if pause_s == _BUSY_FIRST_S:
                await self._context.progress({"waiting_for": "printer_busy"})
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - spreads agents, guards nothing
            pause_s = min(pause_s * 2, _BUSY_MOST_S)

    async def _back_to(self, there: AtPrinter) -> None:
        """The printer has nothing of what was sent."""
        self._progress.at_printer, self._progress.whole = there, False
        if self._progress.noted:
            await self._context.unmark(DOCUMENT_SENT)
            await self._context.remember({})
            self._progress.noted = False

    async def _sent(self) -> None:
        """The whole document is on its way. The journal hears of it while the printer answers: whatever ends the agent
        now, a job that is found by its name has the document. Not for a job that was created before: that it is
        found proves nothing."""
        self._progress.whole = self._progress.noted = True
        await self._context.mark(DOCUMENT_SENT)
        await self._context.remember({DOCUMENT_SENT: True})

    async def _after_silence(self, problem: IppInterrupted) -> Outcome | None:
        """What became of a job whose sending got no answer; None when it is certain that the printer has nothing."""
        progress = self._progress
        progress.whole = problem.sent_whole
        found = await self._tracker.search(self._timing.away_s)
        if found.own is None:
            http_status = problem.http_status if isinstance(problem, IppTurnedAway) else None
            # After a time-out of the request, a printer that keeps no ended jobs may have printed a part.
            if http_status and found.absent and (found.keeps_ended or http_status != _HTTP_TIME_OUT):
                return None
            return self._tracker.unknown(
                f"the printer stopped answering while the job was sent ({problem})", found.said
            )
        progress.own = found.own
        found.own.document_sent = progress.whole
        await self._context.remember(found.own.remembered())
        outcome = with_data(await self._tracker.follow(found.own), evidence=found.said)
        return progress.judge(outcome, self._tracker)

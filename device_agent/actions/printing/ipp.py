"""Printers and print queues that speak IPP.

The job's name at the printer is the attempt's own, so that after any interruption the printer can be asked whether it
has the job: nothing is ever sent again to find out.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from device_agent.actions.base import STOP_S, DriverContext, stopping
from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import options
from device_agent.actions.printing.absence import BUSY, UNREACHABLE, Absence
from device_agent.actions.printing.finding import Found, cancel_own, find_job, shown
from device_agent.actions.printing.job import CANCELLED_THERE, COUNTS, SEE_DOCUMENT, JobFollower, counts_of
from device_agent.actions.printing.own_job import IDENTITY, OwnJob
from device_agent.actions.printing.poll import Poll, Timing
from device_agent.actions.printing.request import OPTIONS_UNSUPPORTED, PrintRequest, type_of
from device_agent.actions.printing.state import describe_printer
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from device_agent.ipp.client import (
    ATTRIBUTES_NOT_SUPPORTED,
    BAD_REQUEST,
    CREATE_JOB,
    FORMAT_NOT_SUPPORTED,
    OPERATION_NOT_SUPPORTED,
    SEND_DOCUMENT,
    UNPRINTABLE,
    VALIDATE_JOB,
    IppClient,
    JobTicket,
    Submitted,
    job_name,
)
from device_agent.ipp.errors import (
    IppBusy,
    IppDecodeError,
    IppError,
    IppInterrupted,
    IppRefused,
    IppTurnedAway,
    IppUnreachable,
    IppUntrusted,
    is_no_answer,
)
from device_agent.ipp.message import Group, GroupTag
from device_agent.ipp.states import ENDED, job_state

LARGE = 4 * 1024 * 1024
"""From this size on the job is created first: its number is known before the long transfer begins."""
_DOCUMENT_DUE = "document-pending"
"""The reason of an attempt whose job has no document yet: it prints nothing."""
_CREATIONS = 3
"""How often a job without a document is created while the printer's answer gets lost."""
_HTTP_TIME_OUT = 408
_NOT_UNDERSTOOD = frozenset({BAD_REQUEST, ATTRIBUTES_NOT_SUPPORTED, OPERATION_NOT_SUPPORTED})
"""Answers to a question about the printer that say nothing about whether it prints."""
_BUSY_FIRST_S = 0.25
_BUSY_MOST_S = 2.0
_STOP_MARGIN_S = 0.5
_SECOND_LOOK_S = 1.0
_ABOUT = (
    *("printer-is-accepting-jobs", "printer-state-message", "document-format-supported", "operations-supported"),
    *options.ABOUT,
)


class _Progress(Struct):
    """How far an attempt got, for whoever has to stop it."""

    absence: Absence
    sending: bool = False
    """A request that may print was begun and not refused."""
    own: OwnJob | None = None
    is_empty: bool = False
    """The job at the printer, if there is one, has no document: it prints nothing."""
    creations: int = 0
    """How often the answer to Create-Job got lost."""


class _AwayError(Exception):
    """The printer cannot be reached, or has no time, and nothing was sent to it: it is worth to wait."""

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem


class IppPrinter:
    """One printer. Implements `print_action.Printer`."""

    def __init__(self, config: PrinterConfig, timing: Timing | None = None) -> None:
        """Raises ValueError for a URI that is none."""
        self._config = config
        self._timing = timing or Timing()
        self._uri = self._client().uri

    def _client(self) -> IppClient:
        config, timing = self._config, self._timing
        return IppClient(
            config.uri,
            tls_verify=config.tls_verify,
            ca_file=config.ca_file,
            connect_s=timing.connect_s,
            answer_s=config.timeout_s,
            send_s=timing.send_s,
        )

    async def print_document(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`. Codes: printer_unreachable, printer_stopped, printer_rejected, printer_lost,
        document_format_unsupported, options_unsupported, document_unprintable, completed_with_errors, job_aborted,
        job_cancelled_at_printer, and those of DocumentError. It waits for a printer that is away."""
        progress = _Progress(Absence(context, self._timing))
        async with stopping(context, lambda: self._stop(progress, context)):
            document = await context.document(request.document)
            while True:
                try:
                    async with self._client() as client:
                        return await self._print(client, request, document, context, progress)
                except _AwayError as away:
                    await progress.absence.wait(away.reason, away.problem)
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def evidence(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`."""
        known = OwnJob.recall(context.job_name, context.remembered)
        progress = _Progress(Absence(context, self._timing), sending=True, own=known)
        async with stopping(context, lambda: self._stop(progress, context)), self._client() as client:
            patience_s = self._timing.away_s if known else self._timing.evidence_s
            found = await self._search(client, context, patience_s, known)
            if found.own is None:
                number = known.job_id if known else None
                trace = f"the printer took job {number} and has it no more" if found.gone else "no trace of the job"
                return self._unknown(f"{trace}: look whether it was printed", found.said, context)
            progress.own = found.own
            await context.found()
            outcome = _with_data(await self._follow(client, found.own, context), evidence=found.said)
            if outcome.status == "completed" and found.own.document_sent is False:
                message = f"job {found.own.job_id} ended, and its document may not have got there in full"
                return self._unknown(f"{message}: look whether it was printed", found.said, context)
            with contextlib.suppress(IppError):
                return _not_done(outcome, request, options.possible(request, await client.get_printer(options.ABOUT)))
            return outcome
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def describe(self) -> dict[str, Any]:
        """See `Printer`."""
        async with self._client() as client:
            return await describe_printer(client, self._config)

    async def _print(
        self, client: IppClient, request: PrintRequest, document: Path, context: DriverContext, progress: _Progress
    ) -> Outcome:
        try:
            about = await self._about(client)
        except IppBusy as busy:
            raise _AwayError(BUSY, busy.message) from None
        except IppRefused as refusal:
            return _refused(refusal)
        except (IppUntrusted, IppDecodeError) as problem:  # time does not mend these
            return _failed("printer_unreachable", f"{self._uri}: {problem}", retryable=True)
        except IppError as problem:
            raise _AwayError(UNREACHABLE, f"{self._uri}: {problem}") from None
        await progress.absence.over()
        content_type = await asyncio.to_thread(type_of, request, document)
        possible = options.possible(request, about)
        told = options.spelled_format(content_type, about.texts("document-format-supported"))
        exact = request.fidelity == "exact"
        ticket = JobTicket(
            name=job_name(context.job_name, request.clean_title),
            document_format=told or content_type,
            options=possible.attributes,
            fidelity=exact,
        )
        objection = self._objection(about, told, content_type)
        if objection is None and exact:
            objection = await self._inexact(client, about, ticket, possible)
        if objection is not None:
            return objection
        large = (await asyncio.to_thread(document.stat)).st_size > LARGE
        in_parts = large and {CREATE_JOB, SEND_DOCUMENT} <= set(about.integers("operations-supported"))
        submitted = await self._create(client, ticket, context, progress, exact=exact) if in_parts else None
        in_parts = submitted is not None
        if submitted is None:
            submitted = await self._submit(
                client, lambda: client.print_job(ticket, document), context, progress, exact=exact
            )
        if isinstance(submitted, Outcome):
            return _not_done(submitted, request, possible)
        if submitted is None:
            raise RuntimeError("only Create-Job may be missing")
        own = progress.own = OwnJob(context.job_name, submitted.job_id)
        await context.remember(own.remembered())
        ignored = options.fields(submitted.ignored)
        if exact and ignored:
            return await self._call_off(client, own, context, ignored, is_empty=in_parts)
        if in_parts:
            failure = await self._send_document(client, ticket, document, context, progress)
            if failure is not None:
                return await self._give_up(client, own, context, failure)
        outcome = await self._follow(client, own, context)
        return _not_done(outcome, request, possible, ignored)

    async def _about(self, client: IppClient) -> Group:
        """What the printer says about itself; nothing, where it does not understand the question. Raises IppError."""
        try:
            return await client.get_printer(_ABOUT)
        except IppRefused as refusal:
            if refusal.status not in _NOT_UNDERSTOOD:
                raise
            return Group(GroupTag.PRINTER)

    def _objection(self, about: Group, told: str | None, content_type: str) -> Outcome | None:
        """Why it is pointless to send the job. An attribute that the printer does not give is no reason."""
        if about.boolean("printer-is-accepting-jobs") is False:
            said = about.text("printer-state-message") or "it takes no jobs"
            message = sentences(f"the printer says: {said}", "Make it take jobs again.")
            return _failed("printer_stopped", message, retryable=True)
        if told is None:
            formats = sorted(about.texts("document-format-supported"))[:20]
            return _failed(
                "document_format_unsupported",
                f"the printer does not print {content_type}; it prints: {', '.join(formats)}",
            )
        return None

    async def _inexact(
        self, client: IppClient, about: Group, ticket: JobTicket, possible: options.Options
    ) -> Outcome | None:
        """Why the printer would not print exactly what is asked for, by its lists and by its own word."""
        if possible.impossible:
            return _unsupported("; ".join(possible.impossible.values()))
        if VALIDATE_JOB not in about.integers("operations-supported"):
            return None
        try:
            ignored = options.fields(await client.validate_job(ticket))
        except IppRefused as refusal:
            about_this_job = refusal.status in (FORMAT_NOT_SUPPORTED, ATTRIBUTES_NOT_SUPPORTED)
            return _refused(refusal, exact=True) if about_this_job else None
        except IppError:
            return None  # whoever submits it finds out what is the matter
        return _unsupported(f"the printer says that it would ignore {', '.join(sorted(ignored))}") if ignored else None

    async def _call_off(
        self, client: IppClient, own: OwnJob, context: DriverContext, ignored: set[str], *, is_empty: bool
    ) -> Outcome:
        """The printer took a job that it must not change, and says that it changed it."""
        with contextlib.suppress(IppError):
            await cancel_own(client, own)
        outcome = _with_data(await self._follow(client, own, context), ignored=sorted(ignored))
        if outcome.status in ("completed", "unknown") and not is_empty:
            return outcome
        said = f"the printer says that it would ignore {', '.join(sorted(ignored))}; job {own.job_id} was called off"
        return Outcome(status="failed", code=OPTIONS_UNSUPPORTED, data=outcome.data, message=said)

    async def _create(
        self, client: IppClient, ticket: JobTicket, context: DriverContext, progress: _Progress, *, exact: bool
    ) -> Submitted | Outcome | None:
        """A job without a document; None where the printer does not create any. It prints nothing, so that the attempt
        stays untouched: a restart begins it anew, and so does an answer that got lost."""
        await context.held([_DOCUMENT_DUE], untouched=True)
        progress.is_empty = True
        found = await self._left_behind(client, context) if progress.creations else None
        submitted: Submitted | Outcome | None = found
        if found is None:
            try:
                submitted = await self._submit(
                    client, lambda: client.create_job(ticket), context, progress, exact=exact, in_parts=True
                )
            except IppInterrupted as silence:
                progress.sending = False
                progress.creations += 1
                if progress.creations < _CREATIONS:
                    raise _AwayError(UNREACHABLE, f"{self._uri}: {silence}") from None
                said = f"the printer gave no answer to {_CREATIONS} times Create-Job: {silence}. Nothing was printed"
                return _failed("printer_lost", said, retryable=True)
        if submitted is None:
            progress.is_empty = False
            await context.resumed()
        return submitted

    async def _left_behind(self, client: IppClient, context: DriverContext) -> Submitted | None:
        """The job that was created although the answer got lost, if the printer still waits for its document."""
        with contextlib.suppress(IppError):
            found = await find_job(client, context.job_name)
            if found.own is not None and not found.ended:
                return Submitted(found.own.job_id, [])
        return None

    async def _send_document(
        self, client: IppClient, ticket: JobTicket, document: Path, context: DriverContext, progress: _Progress
    ) -> IppError | None:
        """Send-Document to our job, again while the printer refuses it because it is busy and has nothing of it; what
        went wrong, if something did."""
        own = progress.own
        if own is None:
            raise RuntimeError("create the job first")
        own.document_sent = False
        await context.remember(own.remembered())
        await context.resumed()
        progress.is_empty = False
        poll = Poll(_BUSY_FIRST_S, _BUSY_MOST_S)
        waits = False
        while True:
            try:
                await client.send_document(own.job_id, ticket, document)
            except IppBusy as busy:
                if not await self._waits_for_document(client, own):
                    return busy
                if not waits:
                    waits = True
                    await context.held([BUSY])
                await poll.wait()
            except IppError as problem:
                return problem
            else:
                break
        if waits:
            await context.resumed()
        own.document_sent = True
        await context.remember(own.remembered())
        return None

    async def _waits_for_document(self, client: IppClient, own: OwnJob) -> bool:
        """Whether our job is there, has not ended, and nothing of it came out."""
        try:
            job = await shown(client, own.job_id, (*IDENTITY, "job-state", *COUNTS))
        except IppBusy:
            return True
        except IppError:
            return False
        return job is not None and own.is_shown_by(job) and job_state(job) not in ENDED and not counts_of(job)

    async def _submit(
        self,
        client: IppClient,
        submit: Callable[[], Coroutine[Any, Any, Submitted]],
        context: DriverContext,
        progress: _Progress,
        *,
        exact: bool,
        in_parts: bool = False,
    ) -> Submitted | Outcome | None:
        """Send the job, again while the printer refuses it because it prints somebody else's (one job at a time is
        normal for small printers, 0x0507). A refusal is certain; silence is not, and then the printer is asked.

        `in_parts`: a job without a document, which prints nothing: silence raises IppInterrupted, and None means that
        the printer creates no jobs, whatever its list says."""
        give_up = time.monotonic() + self._timing.busy_s
        pause_s = _BUSY_FIRST_S
        while True:
            progress.sending = True
            try:
                return await submit()
            except IppBusy as busy:
                progress.sending = False
                if time.monotonic() >= give_up:
                    problem = f"the printer was busy for {self._timing.busy_s:.0f} s: {busy.message}"
                    raise _AwayError(BUSY, problem) from None
            except IppRefused as refusal:
                progress.sending = False
                if in_parts and refusal.status == OPERATION_NOT_SUPPORTED:
                    return None
                return _refused(refusal, exact=exact)
            except IppUnreachable as gone:
                progress.sending = False
                raise _AwayError(UNREACHABLE, f"{self._uri}: {gone}") from None
            except IppInterrupted as silence:
                if in_parts:
                    raise
                outcome = await self._after_silence(client, context, progress, silence)
                if outcome is not None:  # else it is as good as refused for now
                    return outcome
                progress.sending = False
                if time.monotonic() >= give_up:
                    raise _AwayError(BUSY, f"{self._uri}: {silence}") from None
            if pause_s == _BUSY_FIRST_S:
                await context.progress({"waiting_for": "printer_busy"})
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - spreads agents, guards nothing
            pause_s = min(pause_s * 2, _BUSY_MOST_S)

    async def _after_silence(
        self, client: IppClient, context: DriverContext, progress: _Progress, problem: IppInterrupted
    ) -> Outcome | None:
        """What became of a job whose sending got no answer; None when it is certain that the printer has nothing."""
        found = await self._search(client, context, self._timing.away_s)
        if found.own is None:
            http_status = problem.http_status if isinstance(problem, IppTurnedAway) else None
            # After a time-out of the request, a printer that keeps no ended jobs may have printed a part.
            if http_status and found.absent and (found.keeps_ended or http_status != _HTTP_TIME_OUT):
                return None
            return self._unknown(f"the printer fell silent while the job was sent ({problem})", found.said, context)
        progress.own = found.own
        await context.remember(found.own.remembered())
        outcome = _with_data(await self._follow(client, found.own, context), evidence=found.said)
        return outcome if problem.sent_whole else self._cut_off(outcome, context)

    def _cut_off(self, outcome: Outcome, context: DriverContext) -> Outcome:
        """What a job came to whose document did not get to the printer in full."""
        if outcome.status != "completed":
            return outcome
        message = "the printer ended the job, and its document did not get there in full: look what was printed"
        return self._unknown(message, outcome.data.get("evidence", ""), context)

    async def _search(
        self, client: IppClient, context: DriverContext, within_s: float, known: OwnJob | None = None
    ) -> Found:
        """`find_job` with patience for a printer that is away; it may be restarting."""
        began = time.monotonic()
        name = context.job_name
        poll = Poll(self._timing.poll_first_s, self._timing.poll_most_s)
        held = False
        while True:
            try:
                found = await find_job(client, name, known)
                if found.own is None:  # it may be about to enter the job it just received
                    await asyncio.sleep(_SECOND_LOOK_S)
                    found = await find_job(client, name, known)
            except IppError as problem:
                refused = isinstance(problem, IppRefused)
                if refused and not isinstance(problem, IppBusy):
                    return Found(own=None, said=f"Get-Jobs at {self._uri} was refused: {problem}")
                patience_s = within_s if is_no_answer(problem) else min(within_s, self._timing.lost_s)
                silent_s = time.monotonic() - began
                if silent_s >= patience_s:
                    manner = "and had no time" if refused else "without an answer"
                    said = f"Get-Jobs at {self._uri} was asked for {silent_s:.0f} s {manner}: {problem}"
                    return Found(own=None, said=said)
                if not held and silent_s > self._timing.quiet_s and is_no_answer(problem):
                    held = True
                    if known is not None:  # asked for evidence: the printer took the job, and has it when it is back
                        await context.found()
                    await context.held([UNREACHABLE])
                await poll.wait()
            else:
                if held:
                    await context.resumed()
                return found

    async def _give_up(self, client: IppClient, own: OwnJob, context: DriverContext, problem: IppError) -> Outcome:
        """The job exists at the printer and its document did not get there in full. Some printers print as they
        receive, so this is never retryable."""
        with contextlib.suppress(IppError):
            await cancel_own(client, own)
        outcome = await self._follow(client, own, context)
        refused = isinstance(problem, IppRefused)
        if outcome.status == "unknown" or (outcome.status == "completed" and not refused):
            whole = isinstance(problem, IppInterrupted) and problem.sent_whole
            return outcome if whole else self._cut_off(outcome, context)
        code = "printer_rejected" if refused else "printer_lost"
        return Outcome(status="failed", code=code, data=outcome.data, message=f"the document was not taken: {problem}")

    async def _stop(self, progress: _Progress, context: DriverContext) -> Outcome:
        """Cancel the job at the printer and say what became of it."""
        if not progress.sending or progress.is_empty:
            if progress.sending:
                await self._discard(progress, context)
            message = sentences("it was stopped before anything was sent to the printer", progress.absence.problem)
            return Outcome(status="cancelled", message=message)
        said = f"Cancel-Job was sent to {self._uri}"
        try:
            async with asyncio.timeout(STOP_S - _STOP_MARGIN_S), self._client() as client:
                own = progress.own
                if own is None:
                    found = await self._search(client, context, STOP_S)
                    own, said = found.own, found.said
                    if own is None:
                        return self._unknown("it was stopped while it was being sent", said, context)
                with contextlib.suppress(IppRefused):  # it ended meanwhile: its state says how
                    await self._cancel(client, own)
                outcome = await self._follow(client, own, context)
                if outcome.code == CANCELLED_THERE:
                    message = f"the printer cancelled job {own.job_id}"
                    return Outcome(status="cancelled", data=outcome.data, message=message)
                return outcome
        except (TimeoutError, IppError) as problem:
            reason = f": {problem}" if str(problem) else ""
            return self._unknown(
                f"the printer did not confirm within {STOP_S:.0f} s that it stopped{reason}", said, context
            )

    async def _cancel(self, client: IppClient, own: OwnJob) -> None:
        """Cancel-Job, again while the printer has no time for it. Raises IppError."""
        while True:
            try:
                return await cancel_own(client, own)
            except IppBusy:
                await asyncio.sleep(_BUSY_FIRST_S)

    async def _discard(self, progress: _Progress, context: DriverContext) -> None:
        """Cancel a job that has no document, as well as it goes: what stays of it prints nothing."""
        with contextlib.suppress(TimeoutError, IppError):
            async with asyncio.timeout(STOP_S - _STOP_MARGIN_S), self._client() as client:
                own = progress.own or (await find_job(client, context.job_name)).own
                if own is not None:
                    await cancel_own(client, own)

    async def _follow(self, client: IppClient, own: OwnJob, context: DriverContext) -> Outcome:
        return await JobFollower(client, self._config.name, own, context, self._timing).to_the_end()

    def _unknown(self, message: str, said: str, context: DriverContext) -> Outcome:
        data = {"printer": self._config.name, "job_name": context.job_name, "evidence": said}
        return Outcome(status="unknown", code="printer_lost", data=data, message=sentences(message, said))


def _refused(refusal: IppRefused, *, exact: bool = False) -> Outcome:
    if refusal.status == FORMAT_NOT_SUPPORTED or "document-format" in refusal.unsupported:
        return _failed("document_format_unsupported", f"the printer says: {refusal}")
    if refusal.status in UNPRINTABLE:
        return _failed("document_unprintable", sentences(f"the printer says: {refusal}", SEE_DOCUMENT))
    blamed = f" (because of {', '.join(refusal.unsupported)})" if refusal.unsupported else ""
    if exact and refusal.status == ATTRIBUTES_NOT_SUPPORTED:
        return _unsupported(f"the printer refuses the job{blamed}: {refusal}")
    return _failed("printer_rejected", f"the printer refused the job{blamed}: {refusal}")


def _unsupported(why: str) -> Outcome:
    message = f"{why}. Nothing was printed: ask for something else, or for fidelity `closest`"
    return _failed(OPTIONS_UNSUPPORTED, message)


def _not_done(outcome: Outcome, request: PrintRequest, possible: options.Options, told: Iterable[str] = ()) -> Outcome:
    """With what was asked for and not done."""
    ignored = sorted({*possible.impossible, *told})
    if not ignored or outcome.status == "failed":
        return outcome
    made = {"copies_made": possible.copies} if "copies" in possible.impossible and request.copies > 1 else {}
    return _with_data(outcome, ignored=ignored, **made)


def _failed(code: str, message: str, *, retryable: bool = False) -> Outcome:
    return Outcome(status="failed", code=code, message=message, retryable=retryable)


def _with_data(outcome: Outcome, **more: object) -> Outcome:
    return Outcome(
        status=outcome.status,
        data={**outcome.data, **more},
        message=outcome.message,
        code=outcome.code,
        retryable=outcome.retryable,
    )

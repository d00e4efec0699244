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
from device_agent.actions.printing.finding import Found, find_job
from device_agent.actions.printing.job import CANCELLED_THERE, SEE_DOCUMENT, JobFollower
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
    IppUnreachable,
    IppUntrusted,
)
from device_agent.ipp.message import Group, GroupTag

LARGE = 4 * 1024 * 1024
"""From this size on the job is created first: its number is known before the long transfer begins."""
_JOB_ID = "job_id"
"""Of what the journal remembers."""
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
    job_id: int | None = None


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
        progress = _Progress(Absence(context, self._timing), sending=True)
        async with stopping(context, lambda: self._stop(progress, context)), self._client() as client:
            number = context.remembered.get(_JOB_ID)
            found = await self._search(
                client, context.job_name, self._timing.evidence_s, number if isinstance(number, int) else None
            )
            if found.job_id is None:
                trace = f"the printer took job {number} and has it no more" if found.gone else "no trace of the job"
                return self._unknown(f"{trace}: look whether it was printed", found.said, context)
            progress.job_id = found.job_id
            await context.found()
            outcome = _with_data(await self._follow(client, found.job_id, context), evidence=found.said)
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
        submit = client.create_job if in_parts else lambda ticket: client.print_job(ticket, document)
        submitted = await self._submit(client, lambda: submit(ticket), context, progress, exact=exact)
        if isinstance(submitted, Outcome):
            return _not_done(submitted, request, possible)
        progress.job_id = submitted.job_id
        await context.remember({_JOB_ID: submitted.job_id})
        ignored = options.fields(submitted.ignored)
        if exact and ignored:
            return await self._call_off(client, submitted.job_id, context, ignored)
        if in_parts:
            try:
                await client.send_document(submitted.job_id, ticket, document)
            except IppError as problem:
                return await self._give_up(client, submitted.job_id, context, problem)
        outcome = await self._follow(client, submitted.job_id, context)
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

    async def _call_off(self, client: IppClient, job_id: int, context: DriverContext, ignored: set[str]) -> Outcome:
        """The printer took a job that it must not change, and says that it changed it."""
        with contextlib.suppress(IppError):
            await client.cancel_job(job_id)
        outcome = _with_data(await self._follow(client, job_id, context), ignored=sorted(ignored))
        if outcome.status in ("completed", "unknown"):
            return outcome
        said = f"the printer says that it would ignore {', '.join(sorted(ignored))}; job {job_id} was called off"
        return Outcome(status="failed", code=OPTIONS_UNSUPPORTED, data=outcome.data, message=said)

    async def _submit(
        self,
        client: IppClient,
        submit: Callable[[], Coroutine[Any, Any, Submitted]],
        context: DriverContext,
        progress: _Progress,
        *,
        exact: bool,
    ) -> Submitted | Outcome:
        """Send the job, again while the printer refuses it because it prints somebody else's (one job at a time is
        normal for small printers, 0x0507). A refusal is certain; silence is not, and then the printer is asked."""
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
                return _refused(refusal, exact=exact)
            except IppUnreachable as gone:
                progress.sending = False
                raise _AwayError(UNREACHABLE, f"{self._uri}: {gone}") from None
            except IppInterrupted as silence:
                return await self._after_silence(client, context, progress, silence)
            if pause_s == _BUSY_FIRST_S:
                await context.progress({"waiting_for": "printer_busy"})
            await asyncio.sleep(pause_s * random.uniform(0.7, 1.3))  # noqa: S311 - spreads agents, guards nothing
            pause_s = min(pause_s * 2, _BUSY_MOST_S)

    async def _after_silence(
        self, client: IppClient, context: DriverContext, progress: _Progress, problem: IppInterrupted
    ) -> Outcome:
        found = await self._search(client, context.job_name, self._timing.lost_s)
        if found.job_id is None:
            return self._unknown(f"the printer fell silent while the job was sent ({problem})", found.said, context)
        progress.job_id = found.job_id
        await context.remember({_JOB_ID: found.job_id})
        return _with_data(await self._follow(client, found.job_id, context), evidence=found.said)

    async def _search(self, client: IppClient, name: str, within_s: float, number: int | None = None) -> Found:
        """`find_job` with patience for a printer that is away; it may be restarting."""
        give_up = time.monotonic() + within_s
        poll = Poll(self._timing.poll_first_s, self._timing.poll_most_s)
        while True:
            try:
                found = await find_job(client, name, number)
                if found.job_id is None:  # it may be about to enter the job it just received
                    await asyncio.sleep(_SECOND_LOOK_S)
                    found = await find_job(client, name, number)
            except IppError as problem:
                refused = isinstance(problem, IppRefused)
                if refused and not isinstance(problem, IppBusy):
                    return Found(job_id=None, said=f"Get-Jobs at {self._uri} was refused: {problem}")
                if time.monotonic() >= give_up:
                    manner = "and had no time" if refused else "without an answer"
                    said = f"Get-Jobs at {self._uri} was asked for {within_s:.0f} s {manner}: {problem}"
                    return Found(job_id=None, said=said)
                await poll.wait()
            else:
                return found

    async def _give_up(self, client: IppClient, job_id: int, context: DriverContext, problem: IppError) -> Outcome:
        """The job exists at the printer and its document did not get there in full. Some printers print as they
        receive, so this is never retryable."""
        with contextlib.suppress(IppError):
            await client.cancel_job(job_id)
        outcome = await self._follow(client, job_id, context)
        if outcome.status in ("completed", "unknown"):
            return outcome
        code = "printer_rejected" if isinstance(problem, IppRefused) else "printer_lost"
        return Outcome(status="failed", code=code, data=outcome.data, message=f"the document was not taken: {problem}")

    async def _stop(self, progress: _Progress, context: DriverContext) -> Outcome:
        """Cancel the job at the printer and say what became of it."""
        if not progress.sending:
            message = sentences("it was stopped before anything was sent to the printer", progress.absence.problem)
            return Outcome(status="cancelled", message=message)
        said = f"Cancel-Job was sent to {self._uri}"
        try:
            async with asyncio.timeout(STOP_S - _STOP_MARGIN_S), self._client() as client:
                job_id = progress.job_id
                if job_id is None:
                    found = await self._search(client, context.job_name, STOP_S)
                    job_id, said = found.job_id, found.said
                    if job_id is None:
                        return self._unknown("it was stopped while it was being sent", said, context)
                with contextlib.suppress(IppRefused):  # it ended meanwhile: its state says how
                    await client.cancel_job(job_id)
                outcome = await self._follow(client, job_id, context)
                if outcome.code == CANCELLED_THERE:
                    return Outcome(status="cancelled", data=outcome.data, message=f"the printer cancelled job {job_id}")
                return outcome
        except (TimeoutError, IppError) as problem:
            reason = f": {problem}" if str(problem) else ""
            return self._unknown(
                f"the printer did not confirm within {STOP_S:.0f} s that it stopped{reason}", said, context
            )

    async def _follow(self, client: IppClient, job_id: int, context: DriverContext) -> Outcome:
        return await JobFollower(client, self._config.name, job_id, context, self._timing).to_the_end()

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

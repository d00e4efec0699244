"""Printers and print queues that speak IPP.

The job's name at the printer is the attempt's own, so that after any interruption the printer can be asked whether it
has the job: nothing is ever sent again to find out.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

from device_agent.actions.base import STOP_S, DriverContext, stopping
from device_agent.actions.config import PrinterConfig
from device_agent.actions.printing import options
from device_agent.actions.printing.absence import BUSY, UNREACHABLE, Absence
from device_agent.actions.printing.delivery import AtPrinter, AwayError, Delivery, Progress
from device_agent.actions.printing.job import CANCELLED_THERE
from device_agent.actions.printing.outcomes import (
    Types,
    failed,
    format_unsupported,
    refused,
    unsupported,
    with_data,
    with_ignored,
    with_types,
)
from device_agent.actions.printing.own_job import DOCUMENT_SENT, OwnJob
from device_agent.actions.printing.poll import Timing
from device_agent.actions.printing.request import PrintRequest, type_of
from device_agent.actions.printing.state import describe_printer
from device_agent.actions.printing.tracking import JobTracker
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from device_agent.ipp.client import (
    ATTRIBUTES_NOT_SUPPORTED,
    BAD_REQUEST,
    CREATE_JOB,
    FORMAT_NOT_SUPPORTED,
    OPERATION_NOT_SUPPORTED,
    SEND_DOCUMENT,
    VALIDATE_JOB,
    IppClient,
    JobTicket,
    job_name,
)
from device_agent.ipp.errors import IppBusy, IppDecodeError, IppError, IppRefused, IppUntrusted
from device_agent.ipp.message import Group, GroupTag

LARGE = 4 * 1024 * 1024
"""From this size on the job is created first: its number is known before the long transfer begins."""
_NOT_UNDERSTOOD = frozenset({BAD_REQUEST, ATTRIBUTES_NOT_SUPPORTED, OPERATION_NOT_SUPPORTED})
"""Answers to a question about the printer that say nothing about whether it prints."""
_STOP_MARGIN_S = 0.5
_FORMATS = "document-format-supported"
_ABOUT = (
    *("printer-is-accepting-jobs", "printer-state-message", _FORMATS, "operations-supported"),
    *options.ABOUT,
)


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

    def _tracker(self, client: IppClient, context: DriverContext) -> JobTracker:
        return JobTracker(client, self._config.name, context, self._timing)

    async def print_document(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`. Codes: printer_unreachable, printer_stopped, printer_rejected, printer_lost,
        document_format_unsupported, options_unsupported, document_unprintable, completed_with_errors, job_aborted,
        job_cancelled_at_printer, and those of DocumentError. It waits for a printer that is away."""
        progress = Progress(Absence(context, self._timing), request.document.size)
        async with stopping(context, lambda: self._stop(progress, context)):
            document = await context.document(request.document)
            while True:
                try:
                    async with self._client() as client:
                        return await self._print(client, request, document, context, progress)
                except AwayError as away:
                    await progress.absence.wait(away.reason, away.problem)
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def evidence(self, request: PrintRequest, context: DriverContext) -> Outcome:
        """See `Printer`."""
        known = OwnJob.recall(context.job_name, context.remembered)
        sent = context.remembered.get(DOCUMENT_SENT)
        whole = sent is True or (known is not None and sent is None)  # agents of before noted a number when it was sent
        progress = Progress(
            Absence(context, self._timing), request.document.size, AtPrinter.DOCUMENT, own=known, whole=whole
        )
        async with stopping(context, lambda: self._stop(progress, context)), self._client() as client:
            tracker = self._tracker(client, context)
            found = await tracker.search(self._timing.away_s if known else self._timing.evidence_s, known)
            if found.own is None:
                number = known.job_id if known else None
                trace = f"the printer took job {number} and has it no more" if found.gone else "no trace of the job"
                return tracker.unknown(f"{trace}: check whether it was printed", found.said)
            progress.own = found.own
            await context.found()
            outcome = with_data(await tracker.follow(found.own), evidence=found.said)
            outcome = progress.judge(outcome, tracker)
            about = Group(GroupTag.PRINTER)
            with contextlib.suppress(IppError):
                about = await client.get_printer(_ABOUT)
            outcome = with_types(outcome, Types(request.content_type, listed=about.texts(_FORMATS)))
            told = known.ignored if known else []
            return with_ignored(outcome, request, options.possible(request, about), told)
        raise AssertionError("unreachable")  # `stopping` swallows nothing

    async def describe(self) -> dict[str, Any]:
        """See `Printer`."""
        async with self._client() as client:
            return await describe_printer(client, self._config)

    async def _print(
        self, client: IppClient, request: PrintRequest, document: Path, context: DriverContext, progress: Progress
    ) -> Outcome:
        try:
            about = await self._about(client)
        except IppBusy as busy:
            raise AwayError(BUSY, busy.message) from None
        except IppRefused as refusal:
            return refused(refusal)
        except (IppUntrusted, IppDecodeError) as problem:  # time does not mend these
            return failed("printer_unreachable", f"{self._uri}: {problem}", retryable=True)
        except IppError as problem:
            raise AwayError(UNREACHABLE, f"{self._uri}: {problem}") from None
        content_type = await asyncio.to_thread(type_of, request, document)
        possible = options.possible(request, about)
        formats = about.texts(_FORMATS)
        told = options.spelled_format(content_type, formats)
        types = Types(content_type, told or "", formats)
        exact = request.fidelity == "exact"
        ticket = JobTicket(
            name=job_name(context.job_name, request.clean_title),
            document_format=told or content_type,
            options=possible.attributes,
            fidelity=exact,
        )
        objection = self._objection(about, types)
        if objection is None and exact:
            objection = await self._inexact(client, about, ticket, possible, types)
        if objection is not None:
            return objection
        tracker = self._tracker(client, context)
        delivery = Delivery(client, tracker, context, progress, self._timing, types, exact=exact)
        large = (await asyncio.to_thread(document.stat)).st_size > LARGE
        in_parts = large and {CREATE_JOB, SEND_DOCUMENT} <= set(about.integers("operations-supported"))
        created = await delivery.create(ticket) if in_parts else None
        submitted = created or await delivery.print_whole(ticket, document)
        if isinstance(submitted, Outcome):
            return with_ignored(submitted, request, possible)
        ignored = options.fields(submitted.ignored, request.asked)
        own = progress.own = OwnJob(context.job_name, submitted.job_id)
        own.document_sent, own.ignored = created is None, sorted(ignored)
        await context.remember(own.remembered())
        if exact and ignored:
            return await delivery.call_off(own, ignored, is_empty=created is not None)
        outcome = await delivery.send_document(own, ticket, document) if created is not None else None
        if outcome is not None:
            return outcome
        return with_ignored(with_types(await tracker.follow(own), types), request, possible, ignored)

    async def _about(self, client: IppClient) -> Group:
        """What the printer says about itself; nothing, if it does not understand the question. Raises IppError."""
        try:
            return await client.get_printer(_ABOUT)
        except IppRefused as refusal:
            if refusal.status not in _NOT_UNDERSTOOD:
                raise
            return Group(GroupTag.PRINTER)

    def _objection(self, about: Group, types: Types) -> Outcome | None:
        """Why it is pointless to send the job. An attribute that the printer does not give is no reason."""
        if about.boolean("printer-is-accepting-jobs") is False:
            said = about.text("printer-state-message") or "it takes no jobs"
            message = sentences(f"the printer says: {said}", "Make it take jobs again.")
            return failed("printer_stopped", message, retryable=True)
        return None if types.told else format_unsupported(types)

    async def _inexact(
        self, client: IppClient, about: Group, ticket: JobTicket, possible: options.Options, types: Types
    ) -> Outcome | None:
        """Why the printer would not print exactly what is asked for, by its lists and by its own word."""
        if possible.impossible:
            return unsupported("; ".join(possible.impossible.values()))
        if VALIDATE_JOB not in about.integers("operations-supported"):
            return None
        try:
            ignored = options.fields(await client.validate_job(ticket))
        except IppRefused as refusal:
            about_this_job = refusal.status in (FORMAT_NOT_SUPPORTED, ATTRIBUTES_NOT_SUPPORTED)
            return refused(refusal, types, exact=True) if about_this_job else None
        except IppError:
            return None  # whoever submits it finds out what is the matter
        return unsupported(f"the printer says that it would ignore {', '.join(sorted(ignored))}") if ignored else None

    async def _stop(self, progress: Progress, context: DriverContext) -> Outcome:
        """Cancel the job at the printer and say what became of it."""
        if progress.at_printer is not AtPrinter.DOCUMENT:
            if progress.at_printer is AtPrinter.EMPTY:
                await self._discard(progress.own, context)
            message = sentences("it was stopped before anything was sent to the printer", progress.absence.problem)
            return Outcome(status="cancelled", message=message)
        said = f"Cancel-Job was sent to {self._uri}"
        client = self._client()
        tracker = self._tracker(client, context)
        try:
            async with asyncio.timeout(STOP_S - _STOP_MARGIN_S), client:
                own = progress.own
                if own is None:
                    found = await tracker.search(STOP_S)
                    own, said = found.own, found.said
                    if own is None:
                        return tracker.unknown("it was stopped while it was being sent", said)
                with contextlib.suppress(IppRefused):  # it ended meanwhile: its state says how
                    await tracker.cancel(own)
                outcome = await tracker.follow(own)
                if outcome.code == CANCELLED_THERE:
                    message = f"the printer cancelled job {own.job_id}"
                    return Outcome(status="cancelled", data=outcome.data, message=message)
                return progress.judge(outcome, tracker)
        except (TimeoutError, IppError) as problem:
            reason = f": {problem}" if str(problem) else ""
            return tracker.unknown(f"the printer did not confirm within {STOP_S:.0f} s that it stopped{reason}", said)

    async def _discard(self, own: OwnJob | None, context: DriverContext) -> None:
        """Cancel a job that has no document, as well as it goes: what stays of it prints nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S - _STOP_MARGIN_S), self._client() as client:
                await self._tracker(client, context).discard(own)

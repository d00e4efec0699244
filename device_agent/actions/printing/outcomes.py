"""What an attempt at an IPP printer came to, in the words and codes of the contract."""

from collections.abc import Iterable

from device_agent.actions.printing.job import SEE_DOCUMENT
from device_agent.actions.printing.options import Options
from device_agent.actions.printing.request import OPTIONS_UNSUPPORTED, PrintRequest
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from device_agent.ipp.client import ATTRIBUTES_NOT_SUPPORTED, FORMAT_NOT_SUPPORTED, UNPRINTABLE
from device_agent.ipp.errors import IppRefused


def failed(code: str, message: str, *, retryable: bool = False) -> Outcome:
    """Nothing was printed, for a reason that has a code."""
    return Outcome(status="failed", code=code, message=message, retryable=retryable)


def refused(refusal: IppRefused, *, exact: bool = False) -> Outcome:
    """The printer did not take the job. `exact`: it was asked to refuse what it cannot do as asked."""
    if refusal.status == FORMAT_NOT_SUPPORTED or "document-format" in refusal.unsupported:
        return failed("document_format_unsupported", f"the printer says: {refusal}")
    if refusal.status in UNPRINTABLE:
        return failed("document_unprintable", sentences(f"the printer says: {refusal}", SEE_DOCUMENT))
    blamed = f" (because of {', '.join(refusal.unsupported)})" if refusal.unsupported else ""
    if exact and refusal.status == ATTRIBUTES_NOT_SUPPORTED:
        return unsupported(f"the printer refuses the job{blamed}: {refusal}")
    return failed("printer_rejected", f"the printer refused the job{blamed}: {refusal}")


def unsupported(why: str) -> Outcome:
    """The printer cannot do exactly what was asked for, and nothing else was wanted."""
    message = f"{why}. Nothing was printed: ask for something else, or for fidelity `closest`"
    return failed(OPTIONS_UNSUPPORTED, message)


def with_ignored(outcome: Outcome, request: PrintRequest, possible: Options, told: Iterable[str] = ()) -> Outcome:
    """With what was asked for and not done: what the printer lacks, and what it told (`told`) when it took the job."""
    ignored = sorted({*possible.impossible, *told})
    if not ignored or outcome.status == "failed":
        return outcome
    made = {"copies_made": possible.copies} if "copies" in possible.impossible and request.copies > 1 else {}
    return with_data(outcome, ignored=ignored, **made)


def with_data(outcome: Outcome, **more: object) -> Outcome:
    """The same outcome with more data."""
    return Outcome(
        status=outcome.status,
        data={**outcome.data, **more},
        message=outcome.message,
        code=outcome.code,
        retryable=outcome.retryable,
    )

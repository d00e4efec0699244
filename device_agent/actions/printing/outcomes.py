"""What an attempt at an IPP printer came to, in the words and codes of the contract."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from device_agent.actions.printing.job import SEE_DOCUMENT
from device_agent.actions.printing.options import Options
from device_agent.actions.printing.request import OPTIONS_UNSUPPORTED, PrintRequest
from device_agent.core.outcome import Outcome
from device_agent.core.sentences import sentences
from device_agent.ipp.client import ATTRIBUTES_NOT_SUPPORTED, FORMAT_NOT_SUPPORTED, UNPRINTABLE
from device_agent.ipp.errors import IppRefused

_MOST_TYPES = 20
"""Of a printer's list in one sentence."""
_TYPE_REFUSED_LATE = "unsupported-document-format"
"""Of a job that the printer took before it saw what it got (RFC 8011 5.3.8)."""


class Types(Struct, frozen=True):
    """The type of one document, and those that its printer lists."""

    document: str
    told: str = ""
    """What the printer was told, if that is another: `application/octet-stream` for its own language."""
    listed: Sequence[str] = ()

    @property
    def sent(self) -> str:
        """The document's type as a sentence names it."""
        known_as = f" (sent as {self.told})" if self.told and self.told.lower() != self.document.lower() else ""
        return f"{self.document}{known_as}"

    def others(self) -> str:
        """What may be sent instead, in words."""
        refused = {self.document.lower(), self.told.lower()}
        types = sorted({name for name in self.listed if name.lower() not in refused})
        if not types:
            return (
                "the printer names no other types" if self.listed else "the printer does not say which types it prints"
            )
        more = f" and {len(types) - _MOST_TYPES} more" if len(types) > _MOST_TYPES else ""
        return f"it prints: {', '.join(types[:_MOST_TYPES])}{more}"


def failed(code: str, message: str, *, retryable: bool = False) -> Outcome:
    """Nothing was printed, for a reason that has a code."""
    return Outcome(status="failed", code=code, message=message, retryable=retryable)


def refused(refusal: IppRefused, types: Types | None = None, *, exact: bool = False) -> Outcome:
    """The printer did not take the job. `exact`: it was asked to refuse what it cannot do as asked."""
    if types and (refusal.status == FORMAT_NOT_SUPPORTED or "document-format" in refusal.unsupported):
        return format_unsupported(types, str(refusal))
    if refusal.status in UNPRINTABLE:
        return failed("document_unprintable", sentences(f"the printer says: {refusal}", SEE_DOCUMENT))
    blamed = f" (because of {', '.join(refusal.unsupported)})" if refusal.unsupported else ""
    if exact and refusal.status == ATTRIBUTES_NOT_SUPPORTED:
        return unsupported(f"the printer refuses the job{blamed}: {refusal}")
    return failed("printer_rejected", f"the printer refused the job{blamed}: {refusal}")


def format_unsupported(types: Types, said: str = "") -> Outcome:
    """The printer does not print this type; `said`: in its own words."""
    message = f"the printer does not print {types.sent}; {types.others()}"
    return failed("document_format_unsupported", sentences(message, f"The printer says: {said}" if said else ""))


def with_types(outcome: Outcome, types: Types) -> Outcome:
    """The same outcome; if the printer gave up a job because of its document's type, the message names the types."""
    reasons = outcome.data.get("job_state_reasons")
    if outcome.status != "failed" or not isinstance(reasons, list) or _TYPE_REFUSED_LATE not in reasons:
        return outcome
    message = sentences(outcome.message or "", f"The document is {types.sent}; {types.others()}")
    return Outcome(status="failed", data=outcome.data, message=message, code=outcome.code)


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

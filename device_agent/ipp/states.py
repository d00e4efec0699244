"""What a printer says about itself and its jobs, in words that do not depend on the model.

Keywords: RFC 8011 5.3.7, 5.3.8, 5.4.11, 5.4.12; supplies: PWG 5100.13 (printer-supply) and the marker-* attributes of
CUPS.
"""

import enum

from msgspec import Struct

from device_agent.ipp.message import Group


class JobState(enum.IntEnum):
    """job-state (RFC 8011 5.3.7)."""

    PENDING = 3
    PENDING_HELD = 4
    PROCESSING = 5
    PROCESSING_STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9


ENDED = frozenset({JobState.CANCELED, JobState.ABORTED, JobState.COMPLETED})
"""No job leaves these."""


class PrinterState(enum.IntEnum):
    """printer-state (RFC 8011 5.4.11)."""

    IDLE = 3
    PROCESSING = 4
    STOPPED = 5


class Severity(enum.StrEnum):
    """How bad a reason is."""

    REPORT = "report"
    WARNING = "warning"
    ERROR = "error"


class Reason(Struct, frozen=True, order=True):
    """One of printer-state-reasons, without its suffix: the same fault comes with different ones over time."""

    name: str
    severity: Severity


class Supply(Struct, frozen=True):
    """Toner, ink, a waste box. `level` is in percent, None when the printer does not know."""

    name: str
    kind: str
    level: int | None


_NOT_ERRORS = frozenset(
    {
        "connecting-to-device",
        "identify-printer-requested",
        "moving-to-paused",
        "paused",
        "resuming",
        "shutdown",
        "spool-area-full",
        "stopped-partly",
        "stopping",
        "timed-out",
    }
)
"""Without a suffix a reason counts as an error (RFC 8011 5.4.12), but these describe a state that nobody broke."""

_WAITS_FOR_PERSON = frozenset(
    {
        "cover-open",
        "door-open",
        "input-media-tray-missing",
        "input-tray-missing",
        "interlock-open",
        "media-jam",
        "media-needed",
        "offline",
        "output-area-full",
        "output-tray-missing",
        "paused",
        "shutdown",
        "stopped",
    }
)
"""While a job is unfinished these hold it up, whatever severity they carry: `ippeveprinter` calls media-needed a
warning. media-empty and toner-empty are missing on purpose: they may be said of a tray that the job does not use, or of
a printer that goes on; they count when they are errors or the printer stands still."""


def job_state(group: Group) -> JobState | None:
    """The state of a job; None when the printer did not say, or said a number that no specification has."""
    try:
        return JobState(group.integer("job-state") or 0)
    except ValueError:
        return None


def printer_state(group: Group) -> PrinterState | None:
    """The state of a printer, or None."""
    try:
        return PrinterState(group.integer("printer-state") or 0)
    except ValueError:
        return None


def parse_reasons(keywords: list[str]) -> list[Reason]:
    """The reasons without suffix, each once and with its worst severity, sorted. `none` and `cups-*` say nothing."""
    worst: dict[str, Severity] = {}
    for keyword in keywords:
        reason = _parse_reason(keyword)
        if reason is None:
            continue
        known = worst.get(reason.name)
        if known is None or _rank(reason.severity) > _rank(known):
            worst[reason.name] = reason.severity
    return sorted(Reason(name, severity) for name, severity in worst.items())


def _parse_reason(keyword: str) -> Reason | None:
    if keyword.startswith("cups-"):  # what the spooler itself does, not the printer
        return None
    for severity in Severity:
        name = keyword.removesuffix(f"-{severity}")
        if name != keyword:
            break
    else:
        name, severity = keyword, Severity.REPORT if keyword in _NOT_ERRORS else Severity.ERROR
    return None if name in ("", "none") else Reason(name, severity)


def _rank(severity: Severity) -> int:
    return list(Severity).index(severity)


def waiting_for_person(reasons: list[Reason], *, stopped: bool) -> list[str]:
    """The names of the reasons that hold up an unfinished job. `stopped`: the printer or the job stands still."""
    holding = [
        reason.name
        for reason in reasons
        if reason.name in _WAITS_FOR_PERSON or reason.severity is Severity.ERROR or (stopped and _is_fault(reason))
    ]
    return holding or (["stopped"] if stopped else [])


def _is_fault(reason: Reason) -> bool:
    return reason.severity is not Severity.REPORT


def supplies(printer: Group) -> list[Supply]:
    """From marker-* when the printer has them (they follow a running job), else from printer-supply."""
    return _markers(printer) or _printer_supplies(printer)


def _markers(printer: Group) -> list[Supply]:
    names, levels, kinds = (
        printer.texts("marker-names"),
        printer.integers("marker-levels"),
        printer.texts("marker-types"),
    )
    kinds += [""] * len(names)
    return [Supply(name, kind, _percent(level)) for name, level, kind in zip(names, levels, kinds, strict=False)]


def _printer_supplies(printer: Group) -> list[Supply]:
    """`index=2;class=supplyThatIsConsumed;type=toner;unit=percent;maxcapacity=100;level=75;colorantname=black;`"""
    descriptions = printer.texts("printer-supply-description")
    found = []
    for number, octets in enumerate(printer.octets("printer-supply")):
        pairs = (pair.partition("=") for pair in octets.decode("utf-8", "replace").split(";"))
        fields = {key.strip().lower(): value.strip() for key, _, value in pairs}
        described = descriptions[number] if number < len(descriptions) else ""
        kind = fields.get("type", "")
        name = described or " ".join(part for part in (fields.get("colorantname", ""), kind) if part)
        found.append(Supply(name, kind, _percent(_number(fields.get("level")), _number(fields.get("maxcapacity")))))
    return found


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _percent(level: int | None, capacity: int | None = 100) -> int | None:
    """Negative numbers mean `unknown` and `some is left` (RFC 3805, prtMarkerSuppliesLevel)."""
    if level is None or level < 0:
        return None
    if capacity is not None and capacity > 0:
        level = level * 100 // capacity
    return min(level, 100)

"""What a job asks of an IPP printer besides its document, and what of it the printer can do.

A printer's list counts (RFC 8011 5.2: what it supports, it must list): many take any value, do as they please, and say
nothing about it. What is not in the list is not sent, and the result names it. The medium is sent all the same: a
printer that refuses the job for it prints nothing on the wrong one.
"""

from collections.abc import Iterable

from msgspec import Struct

from device_agent.actions.printing.request import PrintRequest
from device_agent.ipp.message import Attribute, Group, Range, Tag, Value, attribute
from schemas import media_types

ABOUT = (
    *("copies-supported", "sides-supported", "media-supported", "orientation-requested-supported"),
    "print-color-mode-supported",
)
"""What to ask a printer for."""
_FIELDS = {"print-color-mode": "color", "orientation-requested": "orientation"}
"""Our names of attributes that go by another name at the printer."""
_ORIENTATIONS = {"portrait": 3, "landscape": 4, "reverse-landscape": 5, "reverse-portrait": 6}
_MEDIA = {
    "a4": "iso_a4_210x297mm",
    "a5": "iso_a5_148x210mm",
    "a6": "iso_a6_105x148mm",
    "letter": "na_letter_8.5x11in",
    "legal": "na_legal_8.5x14in",
}
_AS_IT_IS = frozenset({"one-sided", "auto"})
"""What a printer does that cannot do otherwise."""


class Options(Struct, frozen=True, kw_only=True):
    """What of a request can be done."""

    attributes: tuple[Attribute, ...]
    """For the printer: job template attributes (RFC 8011 5.2, PWG 5100.13 for print-color-mode)."""
    copies: int
    """How many the printer will make."""
    impossible: dict[str, str]
    """What cannot be done, by the payload's field, and why."""


def possible(request: PrintRequest, about: Group) -> Options:
    """Judge a request by what the printer says about itself (`ABOUT`)."""
    attributes = []
    impossible = {}
    if not about.attributes:  # it does not understand the question
        return _unjudged(request)
    most = _most_copies(about)
    if most is not None:
        attributes.append(attribute("copies", Tag.INTEGER, min(request.copies, most)))
    if request.copies > (most or 1):
        says = "does not say that it makes copies" if most is None else f"makes at most {most} of them"
        impossible["copies"] = f"copies: {request.copies} are asked for, and the printer {says}"
    for name, tag, value in _wanted(request):
        field = _FIELDS.get(name, name)
        found = _offered(about.values(f"{name}-supported"), name, value)
        if found is not None:
            attributes.append(Attribute(name, (found if isinstance(found, Value) else Value(tag, value),)))
        elif value not in _AS_IT_IS:
            if name == "media":
                attributes.append(attribute(name, tag, value))
            asked = getattr(request, "two_sided" if field == "sides" else field)
            impossible[field] = f"{field}: the printer does not list {asked}"
    return Options(
        attributes=tuple(attributes), copies=min(request.copies, most or 1), impossible=dict(sorted(impossible.items()))
    )


def fields(names: Iterable[str]) -> set[str]:
    """The payload's fields by the names that a printer has for them."""
    return {_FIELDS.get(name, name) for name in names}


def spelled_format(content_type: str, formats: list[str]) -> str | None:
    """What the printer is told about a document; None: it does not print it.

    What is made for one printer goes through although its list does not name it: printers rarely list their own
    languages, and the sender chose this one.
    """
    spelled = media_types.offered(content_type, formats)
    if spelled is not None or not formats:
        return spelled or content_type
    if media_types.canonical(content_type) not in media_types.READY:
        return None
    return media_types.offered(media_types.OCTETS, formats) or content_type


def _unjudged(request: PrintRequest) -> Options:
    """Everything, for a printer that says nothing about itself; what it refuses or ignores, it has to say."""
    asked = [attribute("copies", Tag.INTEGER, request.copies)]
    asked += [attribute(name, tag, value) for name, tag, value in _wanted(request)]
    impossible = {"printer": "the printer does not say what it can do"} if request.fidelity == "exact" else {}
    return Options(attributes=tuple(asked), copies=request.copies, impossible=impossible)


def _wanted(request: PrintRequest) -> list[tuple[str, Tag, str | int]]:
    """Only what was asked for."""
    wanted: list[tuple[str, Tag, str | int]] = []
    if request.two_sided is not None:
        wanted.append(("sides", Tag.KEYWORD, request.two_sided))
    if request.media is not None:
        wanted.append(("media", Tag.KEYWORD, _MEDIA.get(request.media.lower(), request.media)))
    if request.orientation is not None:
        wanted.append(("orientation-requested", Tag.ENUM, _ORIENTATIONS[request.orientation]))
    if request.color is not None:
        wanted.append(("print-color-mode", Tag.KEYWORD, request.color))
    return wanted


def _offered(supported: tuple[Value, ...], name: str, value: str | int) -> Value | bool | None:
    """The printer's own spelling of a value; True where it takes sizes that it does not list; None: not offered."""
    for found in supported:
        same = found.text.lower() == value.lower() if found.text and isinstance(value, str) else found.data == value
        if same:
            return found
    if name == "media" and any((found.text or "").startswith("custom_m") for found in supported):
        return True
    return None


def _most_copies(about: Group) -> int | None:
    """How many copies the printer makes at most; None: it does not say that it makes any."""
    supported = about.values("copies-supported")
    bounds = [item.data.upper if isinstance(item.data, Range) else item.data for item in supported]
    return max((bound for bound in bounds if type(bound) is int and bound > 0), default=None)

"""What a job asks of an IPP printer besides its document, and what of it the printer can do.

A printer's list counts (RFC 8011 5.2: what it supports, it must list): many take any value, do as they please, and say
nothing about it. What is not in the list is not sent, and the result names it. The medium is sent all the same: a
printer that refuses the job for it prints nothing on the wrong one.
"""

from collections.abc import Container, Iterable, Iterator

from msgspec import Struct

from device_agent.actions.printing import media
from device_agent.actions.printing.request import PrintRequest
from device_agent.ipp.message import Attribute, Group, Range, Tag, Value, attribute
from schemas import media_types
from schemas.page_ranges import read_ranges

ABOUT = (
    *("copies-supported", "sides-supported", "orientation-requested-supported", "print-color-mode-supported"),
    *("print-quality-supported", "print-scaling-supported", "number-up-supported", "page-ranges-supported"),
    *("multiple-document-handling-supported", "sheet-collate-supported", "printer-type"),
    *media.ABOUT,
)
"""What to ask a printer for."""
_FIELDS = {
    "print-color-mode": "color",
    "orientation-requested": "orientation",
    "print-quality": "quality",
    "print-scaling": "scaling",
    "number-up": "number_up",
    "page-ranges": "pages",
    "multiple-document-handling": "collate",
    "sheet-collate": "collate",
    "media-col": "media_source",
}
"""Our names of attributes that go by another name at the printer."""
_ORIENTATIONS = {"portrait": 3, "landscape": 4, "reverse-landscape": 5, "reverse-portrait": 6}
_QUALITIES = {"draft": 3, "normal": 4, "high": 5}
_COLLATED = {True: "separate-documents-collated-copies", False: "separate-documents-uncollated-copies"}
_SHEETS = {True: "collated", False: "uncollated"}
_AS_IT_IS = frozenset(
    {
        ("sides", "one-sided"),
        ("print-color-mode", "auto"),
        ("print-scaling", "auto"),
        ("print-quality", _QUALITIES["normal"]),
        ("number-up", 1),
    }
)
"""What a printer does that cannot do otherwise."""
_CANNOT = {
    "collate": "the printer does not list how it orders the pages of several copies",
    "pages": "the printer does not say that it prints single pages of a document",
}
_NOT_WHOLE_SIDES = (
    "number_up: CUPS picks whole sides, and these pages begin or end in the middle of one; each gets a side of its own"
)
_LAST_PAGE = 2**31 - 1
"""MAX of an integer: to the end of the document."""
_IS_CUPS = "printer-type"
"""An attribute that only CUPS has."""

Ranges = list[tuple[int, int | None]]
"""As `read_ranges` gives them."""


class Options(Struct, frozen=True, kw_only=True):
    """What of a request can be done."""

    attributes: tuple[Attribute, ...]
    """For the printer: job template attributes (RFC 8011 5.2; PWG 5100.7, 5100.13 and 5100.16)."""
    copies: int
    """How many the printer will make."""
    impossible: dict[str, str]
    """What cannot be done, by the payload's field, and why."""


def possible(request: PrintRequest, about: Group) -> Options:
    """Judge a request by what the printer says about itself (`ABOUT`)."""
    if not about.attributes:  # it does not understand the question
        return _unjudged(request)
    attributes = []
    impossible = {}
    most = _most_copies(about)
    if most is not None:
        attributes.append(attribute("copies", Tag.INTEGER, min(request.copies, most)))
    if request.copies > (most or 1):
        says = "does not say that it makes copies" if most is None else f"makes at most {most} of them"
        impossible["copies"] = f"copies: {request.copies} are asked for, and the printer {says}"
    ranges = _ranges(request, about)
    for name, tag, value in _listed(request):
        found = _offered(about.values(f"{name}-supported"), value)
        if name == "number-up" and ranges == []:
            impossible["number_up"] = _NOT_WHOLE_SIDES
        elif found is not None:
            attributes.append(Attribute(name, (Value(tag, value) if isinstance(found.data, Range) else found,)))
        elif (name, value) not in _AS_IT_IS:
            field = _FIELDS.get(name, name)
            impossible[field] = f"{field}: the printer does not list {request.asked[field]}"
    medium = media.medium(request.media, request.media_source, about)
    impossible |= medium.impossible
    for field, told in (("collate", _collation(request, about)), ("pages", _pages(request, ranges))):
        if told is not None:
            attributes.append(told)
        elif field in request.asked:
            impossible[field] = f"{field}: {_CANNOT[field]}"
    return Options(
        attributes=(*attributes, *([] if medium.told is None else [medium.told])),
        copies=min(request.copies, most or 1),
        impossible=dict(sorted(impossible.items())),
    )


def fields(names: Iterable[str], asked: Container[str] = ()) -> set[str]:
    """The payload's fields by the names that a printer has for them. `asked`: the fields that were asked for, where one
    attribute may stand for two of them."""
    found = {_FIELDS.get(name, name) for name in names}
    return found | ({"media"} if "media_source" in found and "media" in asked else set())


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
    asked += [attribute(name, tag, value) for name, tag, value in _listed(request)]
    asked += media.unjudged(request.media, request.media_source)
    if "collate" in request.asked:
        asked.append(attribute("multiple-document-handling", Tag.KEYWORD, _COLLATED[bool(request.collate)]))
    if request.pages is not None:
        asked.append(_told(read_ranges(request.pages)))
    impossible = {"printer": "the printer does not say what it can do"} if request.fidelity == "exact" else {}
    return Options(attributes=tuple(asked), copies=request.copies, impossible=impossible)


def _listed(request: PrintRequest) -> Iterator[tuple[str, Tag, str | int]]:
    """What is asked for, of that which has one value and a list of the values that the printer supports."""
    if request.two_sided is not None:
        yield "sides", Tag.KEYWORD, request.two_sided
    if request.orientation is not None:
        yield "orientation-requested", Tag.ENUM, _ORIENTATIONS[request.orientation]
    if request.color is not None:
        yield "print-color-mode", Tag.KEYWORD, request.color
    if request.quality is not None:
        yield "print-quality", Tag.ENUM, _QUALITIES[request.quality]
    if request.scaled is not None:
        yield "print-scaling", Tag.KEYWORD, request.scaled
    if request.number_up is not None:
        yield "number-up", Tag.INTEGER, request.number_up


def _offered(supported: tuple[Value, ...], value: str | int) -> Value | None:
    """What of a printer's list offers a value: that value in the printer's own spelling, or a range that has it."""
    for found in supported:
        if isinstance(found.data, Range):
            offers = isinstance(value, int) and found.data.lower <= value <= found.data.upper
        elif isinstance(value, str):
            offers = (found.text or "").lower() == value.lower()
        else:
            offers = type(found.data) is int and found.data == value
        if offers:
            return found
    return None


def _collation(request: PrintRequest, about: Group) -> Attribute | None:
    """How several copies are ordered, by whichever of the two attributes the printer has (RFC 8011 5.2.4; RFC 3381)."""
    if "collate" not in request.asked:
        return None
    for name, words in (("multiple-document-handling", _COLLATED), ("sheet-collate", _SHEETS)):
        found = _offered(about.values(f"{name}-supported"), words[bool(request.collate)])
        if found is not None:
            return Attribute(name, (found,))
    return None


def _ranges(request: PrintRequest, about: Group) -> Ranges | None:
    """The pages as the printer counts them; None: none are asked for, or it does not pick pages. Empty: it cannot pick
    these and put several of them onto a side.

    RFC 8011 5.2.7 counts pages of the document. CUPS counts the sides that number-up makes of them
    (https://www.cups.org/doc/options.html, "Selecting a Range of Pages").
    """
    if request.pages is None or about.boolean("page-ranges-supported") is not True:
        return None
    ranges, each = read_ranges(request.pages), request.number_up or 1
    if not (about.values(_IS_CUPS) and _offered(about.values("number-up-supported"), each)):
        return ranges
    if any((first - 1) % each or (last or 0) % each for first, last in ranges):
        return []
    return [((first - 1) // each + 1, None if last is None else last // each) for first, last in ranges]


def _pages(request: PrintRequest, ranges: Ranges | None) -> Attribute | None:
    """The pages for the printer; of the document where it puts one onto a side."""
    if request.pages is None or ranges is None:
        return None
    return _told(ranges or read_ranges(request.pages))


def _told(ranges: Ranges) -> Attribute:
    spelled = [Range(first, _LAST_PAGE if last is None else last) for first, last in ranges]
    return attribute("page-ranges", Tag.RANGE, *spelled)


def _most_copies(about: Group) -> int | None:
    """How many copies the printer makes at most; None: it does not say that it makes any."""
    supported = about.values("copies-supported")
    bounds = [item.data.upper if isinstance(item.data, Range) else item.data for item in supported]
    return max((bound for bound in bounds if type(bound) is int and bound > 0), default=None)

"""The actions that every site names alike, one entry each: payload, lane, and whether it ends the agent.

A payload has two forms that share their fields. As asked: what a caller gives the hub. Unknown fields are refused, and
a document is named by its id, a URL or a path. As sent: what the hub gives the client. Unknown fields are ignored,
because the hub may be newer, and the document is resolved. A site's own actions have no entry: they take any object.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, inspect

from schemas import names, page_ranges
from schemas.media_types import essence

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""What an action may be called. `fullmatch` only."""
CLIENT_LANE = "client"
MACHINE_LANE = "machine"
"""Beside the client's own lane: the end of the machine waits for nothing."""
URGENT_PRIORITY = 9
"""From this priority on a command goes first and finds one more slot in each lane."""
MAX_LANE = 200
"""Characters of a lane's name, as `messages.Run` allows."""


class PayloadError(Exception):
    """A payload does not fit its action. `field` is its path below the payload, empty for the payload itself."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


class Payload(Struct, frozen=True, kw_only=True):
    """Any object."""

    def contradiction(self) -> tuple[str, str] | None:
        """A field that contradicts another one or itself, and a sentence about it."""
        return None


class EmptyPayload(Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No field at all."""


# --- print ---------------------------------------------------------------------------------------------------

Sides = Literal["one-sided", "two-sided-long-edge", "two-sided-short-edge"]
Orientation = Literal["portrait", "landscape", "reverse-portrait", "reverse-landscape"]
Color = Literal["color", "monochrome", "auto"]
Media = Annotated[str, Meta(max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z")]
Fidelity = Literal["exact", "closest"]
Scaling = Literal["auto", "auto-fit", "fill", "fit", "none"]
Quality = Literal["draft", "normal", "high"]
Tray = Annotated[str, Meta(max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
Pages = Annotated[str, Meta(extra_json_schema={"pattern": page_ranges.PATTERN})]
"""Checked by `page_ranges`, whose sentence says more than a pattern."""
_TYPE_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*"
ContentType = Annotated[str, Meta(max_length=255, pattern=rf"^{_TYPE_NAME}/{_TYPE_NAME}( *;[ -~]*)?\Z")]

_DUPLEX: dict[bool | str, Sides] = {
    True: "two-sided-long-edge",
    False: "one-sided",
    "long": "two-sided-long-edge",
    "short": "two-sided-short-edge",
}


class _Print(Payload, frozen=True, kw_only=True):
    """The fields of `print` but for its document. None means: as the printer is set."""

    printer: Annotated[
        Annotated[str, Meta(min_length=1, max_length=63)] | None,
        Meta(
            description="The printer's name in the agent's configuration; without it, the client's default printer, or "
            "its only one"
        ),
    ] = None
    copies: Annotated[int, Meta(ge=1, le=999, description="How many copies")] = 1
    collate: Annotated[
        bool | None,
        Meta(description="With several copies: whether each comes out complete before the next one begins"),
    ] = None
    pages: Annotated[
        Pages | None, Meta(description="Which pages, in ascending order, such as `1-3,5,8-`; without it, all")
    ] = None
    sides: Annotated[Sides | None, Meta(description="On one side of the paper, or on both")] = None
    duplex: Annotated[
        bool | Literal["long", "short"] | None, Meta(description="Another way to say sides; both together must agree")
    ] = None
    media: Annotated[
        Media | None, Meta(description="A PWG name such as `iso_a4_210x297mm`, or a4, a5, a6, letter, legal")
    ] = None
    media_source: Annotated[
        Tray | None,
        Meta(description="The tray, as the printer calls it, such as `tray-1`, `main`, `manual`, `by-pass-tray`"),
    ] = None
    orientation: Annotated[Orientation | None, Meta(description="How the pages lie on the paper")] = None
    color: Annotated[Color | None, Meta(description="In color or black and white")] = None
    quality: Annotated[Quality | None, Meta(description="How good it looks; better takes longer")] = None
    scaling: Annotated[
        Scaling | None, Meta(description="How a page is brought to the size of the medium: IPP's `print-scaling`")
    ] = None
    fit_to_page: Annotated[
        bool | None, Meta(description="Another name for scaling: true is fit, false is none; both together must agree")
    ] = None
    number_up: Annotated[
        Annotated[int, Meta(ge=1, le=100)] | None, Meta(description="How many pages go onto one side of the paper")
    ] = None
    title: Annotated[
        Annotated[str, Meta(max_length=200)] | None, Meta(description="The job's name in the printer's own list")
    ] = None
    content_type: Annotated[
        ContentType | None,
        Meta(
            description="What the document is printed as; without it, the type that it was stored with. "
            "Case and parameters do not count"
        ),
    ] = None
    fidelity: Annotated[
        Fidelity,
        Meta(
            description="If the printer cannot do all that is asked: `exact` refuses the job, "
            "`closest` prints it as close to that as the printer can"
        ),
    ] = "closest"

    @property
    def two_sided(self) -> Sides | None:
        """What `sides` and `duplex` say together."""
        return self.sides if self.duplex is None else _DUPLEX[self.duplex]

    @property
    def scaled(self) -> Scaling | None:
        """What `scaling` and `fit_to_page` say together."""
        if self.fit_to_page is None:
            return self.scaling
        return "fit" if self.fit_to_page else "none"

    def contradiction(self) -> tuple[str, str] | None:
        """See `Payload`."""
        if self.pages is not None:
            try:
                page_ranges.read_ranges(self.pages)
            except ValueError as problem:
                return "pages", str(problem)
        if self.sides not in (None, self.two_sided):
            return "duplex", "it contradicts sides; give only one of them"
        if self.scaling not in (None, self.scaled):
            return "fit_to_page", "it contradicts scaling; give only one of them"
        return None


class DocumentAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A document as a caller names it: `{id}`, `{url}` or `{path}` alone. With `id` the rest of what the hub shows of a
    stored command's document may stay; it says nothing."""

    id: Annotated[str | None, Meta(description="Id of an uploaded document")] = None
    url: Annotated[str | None, Meta(description="A URL that the hub fetches")] = None
    path: Annotated[str | None, Meta(description="A file on the hub's machine")] = None
    sha256: Annotated[str | None, Meta(description="As the hub shows it with the id; says nothing")] = None
    size: Annotated[int | None, Meta(description="As the hub shows it with the id; says nothing")] = None
    content_type: Annotated[str | None, Meta(description="As the hub shows it with the id; says nothing")] = None

    @property
    def is_clear(self) -> bool:
        """Whether it names one document."""
        given = {name for name in self.__struct_fields__ if getattr(self, name) is not None}
        return given in ({"url"}, {"path"}) or ("id" in given and "url" not in given)


class DocumentSent(Struct, frozen=True, kw_only=True):
    """A document as a client gets it: where it lies on the hub, and how to tell that it arrived whole."""

    path: Annotated[str, Meta(description="Where it lies, on the hub's URL")]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="SHA-256 of its bytes")]
    size: Annotated[int, Meta(ge=0, description="Bytes")]
    content_type: Annotated[
        Any, Meta(description="The type that it was stored with", extra_json_schema={"type": "string"})
    ] = None
    """Whatever is no text says nothing."""


class PrintAsked(_Print, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`print`, as asked: a document on a printer of the client. A document in text is its id."""

    document: Annotated[
        str | DocumentAsked, Meta(description="What is printed: the id of an uploaded document, or where it lies")
    ]

    def contradiction(self) -> tuple[str, str] | None:
        """See `Payload`."""
        if isinstance(self.document, DocumentAsked) and not self.document.is_clear:
            return "document", "give the id of a document, or either url or path, as a string"
        return super().contradiction()


class PrintSent(_Print, frozen=True, kw_only=True):
    """`print`, as sent: a document on a printer of the client."""

    document: Annotated[DocumentSent, Meta(description="What is printed")]


# --- other actions -------------------------------------------------------------------------------------------


class Display(Payload, frozen=True, kw_only=True):
    """`display`: which screen of the client. What it shows (document, url, text) is not decided yet."""

    display_index: Annotated[int, Meta(ge=0, description="Which screen of the client, from 0")] = 0


class DelaySent(Payload, frozen=True, kw_only=True):
    """`restart_agent`, `reboot`, `shutdown`: how long the agent waits before it begins."""

    delay_s: Annotated[float, Meta(ge=0, le=3_600, description="Seconds until it begins")] = 3.0
    """The default lets the hub hear of the start first."""


class DelayAsked(DelaySent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`restart_agent`, `reboot`, `shutdown`, as asked."""


class LogsSent(Payload, frozen=True, kw_only=True):
    """`collect_logs`: how much of the end of the agent's log."""

    max_bytes: Annotated[int, Meta(ge=1, le=10 * 1024 * 1024, description="How many bytes from the end of the log")] = (
        1024 * 1024
    )


class LogsAsked(LogsSent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`collect_logs`, as asked."""


# --- the entries ---------------------------------------------------------------------------------------------


class Lane(Struct, frozen=True):
    """What can do one thing at a time: `<kind>:<value of field>`."""

    kind: str
    field: str
    default: object = ""


class Action(Struct, frozen=True, kw_only=True):
    """One action. `lane` None: it takes the client's own lane."""

    name: str
    asked: type[Payload]
    sent: type[Payload]
    lane: Lane | None = None
    aliases: Mapping[str, str] = {}
    """Other names of fields that a caller may use; stored under the second one. `document.url`: of an object."""
    has_options: bool = False
    """Whether its fields may also lie in an object `options`."""
    spelled: Mapping[str, Callable[[str], str]] = {}
    """Fields with text that can be spelled in several ways, and how it is stored."""
    urgent_lane: str | None = None
    """The lane that it takes with an urgent priority, so that it waits for nothing that runs."""
    ends_agent: bool = False
    """The process that carries it out ends with it. The next one looks for evidence, whatever `on_interrupt` says: run
    again, a reboot would never end."""


def _in_camel_case(action: Action) -> Action:
    """The action with its fields also in camelCase, as the rest of a request may be."""
    fields = [field for field in action.asked.__struct_fields__ if "_" in field]
    camel = {names.camel(field): field for field in fields}
    return msgspec.structs.replace(action, aliases=camel | dict(action.aliases))


ACTIONS: Mapping[str, Action] = {
    action.name: _in_camel_case(action)
    for action in (
        Action(
            name="print",
            asked=PrintAsked,
            sent=PrintSent,
            lane=Lane("printer", "printer"),
            aliases={theirs: ours for theirs, ours in names.of(names.PRINT).items() if "." not in theirs},
            has_options=True,
            spelled={"content_type": essence},
        ),
        Action(
            name="display",
            asked=Display,
            sent=Display,
            lane=Lane("display", "display_index", 0),
            aliases=names.of(names.DISPLAY),
        ),
        Action(name="pick", asked=Payload, sent=Payload),
        Action(name="screenshot", asked=Payload, sent=Payload),
        Action(name="status", asked=EmptyPayload, sent=Payload),
        Action(name="collect_logs", asked=LogsAsked, sent=LogsSent),
        Action(name="restart_agent", asked=DelayAsked, sent=DelaySent, ends_agent=True),
        Action(name="reboot", asked=DelayAsked, sent=DelaySent, urgent_lane=MACHINE_LANE, ends_agent=True),
        Action(name="shutdown", asked=DelayAsked, sent=DelaySent, urgent_lane=MACHINE_LANE, ends_agent=True),
    )
}
ENDS_AGENT = frozenset(action.name for action in ACTIONS.values() if action.ends_agent)

AnyPayload = TypeVar("AnyPayload", bound=Payload)


def read(form: type[AnyPayload], payload: Mapping[str, Any]) -> AnyPayload:
    """The payload in one of its forms. Raises PayloadError."""
    try:
        found = msgspec.convert(_whole(form, payload) if isinstance(payload, dict) else payload, form)
    except UnicodeEncodeError:
        raise PayloadError("", "it has half of a character, which cannot be stored") from None
    except msgspec.ValidationError as problem:
        sentence, _, place = str(problem).partition(" - at ")
        raise PayloadError(place.strip("`").removeprefix("$").removeprefix("."), sentence) from None
    contradiction = found.contradiction()
    if contradiction is not None:
        raise PayloadError(*contradiction)
    return found


def accept(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What a caller asks for, checked, as it is stored: fields under their own names. Raises PayloadError."""
    entry = ACTIONS.get(action)
    if entry is None:
        return payload
    stored = named(action, payload)
    read(entry.asked, stored)
    for field, spell in entry.spelled.items():
        if isinstance(text := stored.get(field), str) and text != spell(text):
            stored = {**stored, field: spell(text)}
    return stored


def lane_of(action: str, payload: dict[str, Any], priority: int) -> str:
    """The lane of an action with this payload; decided at submit and kept."""
    entry = ACTIONS.get(action)
    if entry is not None and entry.urgent_lane is not None and priority >= URGENT_PRIORITY:
        return entry.urgent_lane
    if entry is None or entry.lane is None:
        return CLIENT_LANE
    lane = entry.lane
    value = payload.get(lane.field)
    return f"{lane.kind}:{lane.default if value is None else value}"[:MAX_LANE]


def named(action: str, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with its fields under their own names. Raises PayloadError where two names of one field say different
    things, and for an option that is none."""
    stored, problems = named_or_wrong(action, payload)
    if problems:
        raise problems[0]
    return stored


def named_or_wrong(action: str, payload: dict[str, Any]) -> tuple[dict[str, Any], list[PayloadError]]:
    """The same for those who tell all that is wrong: the fields that have a value, and what `named` would raise."""
    entry = ACTIONS.get(action)
    problems: list[PayloadError] = []
    if entry is None:
        return payload, problems
    if entry.aliases.keys().isdisjoint(payload) and (names.OPTIONS not in payload or not entry.has_options):
        return _whole(entry.asked, payload), problems
    stored: dict[str, Any] = {}
    said: dict[str, str] = {}
    for name, field, value in _given(entry, payload, problems):
        first = said.setdefault(field, name)
        if not _same(field, stored.setdefault(field, value), value):
            problems.append(PayloadError(name, names.contradiction((name, first))))
    return _whole(entry.asked, stored), problems


def _whole(form: type[Struct], given: dict[str, Any]) -> dict[str, Any]:
    """The fields with whole numbers written as such: JSON does not tell 2.0 from 2, and the library does."""
    changed: dict[str, Any] = {}
    for name, value in given.items():
        if isinstance(value, float) and name in _integers(form):
            if value.is_integer():
                changed[name] = int(value)
        elif isinstance(value, dict) and (inner := _structs(form).get(name)) is not None:
            changed[name] = _whole(inner, value)
    return given | changed if changed else given


@cache
def _integers(form: type[Struct]) -> frozenset[str]:
    """The fields of a struct that take whole numbers and no others."""
    return frozenset(
        name
        for name, kinds in _kinds(form).items()
        if any(isinstance(kind, inspect.IntType) for kind in kinds)
        and not any(isinstance(kind, inspect.FloatType | inspect.AnyType) for kind in kinds)
    )


@cache
def _structs(form: type[Struct]) -> Mapping[str, type[Struct]]:
    """The fields of a struct that take an object with fields of its own."""
    found = {
        name: [kind.cls for kind in kinds if isinstance(kind, inspect.StructType)]
        for name, kinds in _kinds(form).items()
    }
    return {name: classes[0] for name, classes in found.items() if classes}


def _kinds(form: type[Struct]) -> dict[str, list[inspect.Type]]:
    """Each field of a struct with the types that it may have."""
    described = inspect.type_info(form)
    assert isinstance(described, inspect.StructType)  # noqa: S101 - as the annotation says
    return {field.encode_name: list(alternatives(field.type)) for field in described.fields}


def alternatives(kind: inspect.Type) -> Iterator[inspect.Type]:
    """The types of which a value may have one."""
    if isinstance(kind, inspect.UnionType):
        for each in kind.types:
            yield from alternatives(each)
    elif isinstance(kind, inspect.Metadata):
        yield from alternatives(kind.type)
    else:
        yield kind


def _given(entry: Action, payload: Mapping[str, Any], problems: list[PayloadError]) -> Iterator[tuple[str, str, Any]]:
    """What a payload says: the name that it uses, our field, and its value; our own names first."""
    options = payload.get(names.OPTIONS) if entry.has_options else None
    aside = {*entry.aliases, names.OPTIONS} if entry.has_options else set(entry.aliases)
    yield from ((field, field, value) for field, value in payload.items() if field not in aside)
    for alias, ours in entry.aliases.items():
        if alias in payload:
            field, _, inner = ours.partition(".")
            yield alias, field, {inner: payload[alias]} if inner else payload[alias]
    if options is not None and not isinstance(options, Mapping):
        problems.append(PayloadError(names.OPTIONS, "give an object, such as {duplex: true}"))
        options = None
    for option, value in (options or {}).items():
        name = f"{names.OPTIONS}.{option}"
        if option == "duplex" and payload.get("duplex") is None:
            if isinstance(value, bool | str) and value in _DUPLEX:
                yield name, "sides", _DUPLEX[value]
            elif value is not None:
                problems.append(PayloadError(name, "give true, false, long or short"))
        elif option in entry.asked.__struct_fields__ and option not in ("printer", "document"):
            yield name, option, value
        else:
            problems.append(PayloadError(name, "there is no such option"))


def _same(field: str, one: Any, other: Any) -> bool:
    if field == "duplex" and isinstance(one, bool | str) and isinstance(other, bool | str):
        return names.same(one, other) or (one in _DUPLEX and _DUPLEX[one] == _DUPLEX.get(other))
    return names.same(one, other)

"""What a `print` command asks for, whatever kind of printer carries it out."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from device_agent.actions.base import PayloadError

Sides = Literal["one-sided", "two-sided-long-edge", "two-sided-short-edge"]
Orientation = Literal["portrait", "landscape", "reverse-landscape", "reverse-portrait"]
Color = Literal["auto", "color", "monochrome"]

_DUPLEX: dict[bool | str, Sides] = {
    True: "two-sided-long-edge",
    False: "one-sided",
    "long": "two-sided-long-edge",
    "short": "two-sided-short-edge",
}


ContentType = Annotated[str, Meta(max_length=255, pattern=r"^[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*\Z")]
_SAYS_NOTHING = {"", "application/octet-stream", "application/x-www-form-urlencoded"}
"""Types of a document whose sender named none; the last is what curl says by itself."""


class PrintRequest(Struct, frozen=True, kw_only=True):
    """The payload of `print`. None means: as the printer is set. Unknown fields are ignored, as everywhere."""

    printer: Annotated[str, Meta(min_length=1, max_length=63)]
    document: dict[str, Any]
    """`{path, sha256, size}` on the hub, and the `content_type` that it was stored with."""
    copies: Annotated[int, Meta(ge=1, le=999)] = 1
    sides: Sides | None = None
    duplex: bool | Literal["long", "short"] | None = None
    """Another way to say `sides`; both together must agree."""
    media: Annotated[str, Meta(max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z")] | None = None
    """A PWG name such as `iso_a4_210x297mm`, or a4, a5, a6, letter, legal."""
    orientation: Orientation | None = None
    color: Color | None = None
    title: Annotated[str, Meta(max_length=500)] = ""
    content_type: ContentType = "application/pdf"
    """What the payload says, else the document's own type where that says anything."""

    @property
    def two_sided(self) -> Sides | None:
        """What `sides` and `duplex` say together."""
        return self.sides if self.duplex is None else _DUPLEX[self.duplex]

    @property
    def clean_title(self) -> str:
        """The title without control characters, which some printers choke on."""
        return " ".join("".join(char if char.isprintable() else " " for char in self.title).split())


def parse(payload: dict[str, Any]) -> PrintRequest:
    """Raises PayloadError `payload_invalid` that names the field."""
    document = payload.get("document")
    stored = document.get("content_type") if isinstance(document, dict) else None
    if isinstance(stored, str) and stored not in _SAYS_NOTHING:
        payload = {"content_type": stored, **payload}
    try:
        request = msgspec.convert(payload, PrintRequest)
    except msgspec.ValidationError as problem:
        sentence, _, place = str(problem).partition(" - at ")
        field = place.strip("`").removeprefix("$").removeprefix(".")
        raise PayloadError("payload_invalid", f"{field}: {sentence}" if field else sentence) from None
    missing = sorted({"path", "sha256", "size"} - request.document.keys())
    if missing:
        raise PayloadError("payload_invalid", f"document: {', '.join(missing)} is missing; upload the document first")
    if request.sides is not None and request.duplex is not None and request.sides != request.two_sided:
        raise PayloadError("payload_invalid", "duplex: it contradicts sides; give only one of them")
    return request

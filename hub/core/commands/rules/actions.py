"""Which payload an action takes. Unknown actions are a site's own and take any object."""

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

ACTION = re.compile(r"[a-z][a-z0-9_-]{0,62}")

BUILT_IN = frozenset(
    {
        *("print", "display", "pick", "screenshot", "status"),
        *("collect_logs", "restart_agent", "reboot", "shutdown"),
    }
)
"""Actions that every site names alike."""

Text = Annotated[str, Meta(min_length=1, max_length=200)]


class PrintPayload(Struct, forbid_unknown_fields=True):
    """`print`: a document on a printer of the client."""

    printer: Text
    """The printer's name in the agent's configuration."""
    document: str | dict[str, Any]
    """The id of an uploaded document."""
    copies: Annotated[int, Meta(ge=1, le=999)] = 1
    sides: Literal["one-sided", "two-sided-long-edge", "two-sided-short-edge"] | None = None
    duplex: bool | Literal["long", "short"] | None = None
    """Another way to say `sides`."""
    media: Text | None = None
    orientation: Literal["portrait", "landscape", "reverse-portrait", "reverse-landscape"] | None = None
    color: Literal["color", "monochrome", "auto"] | None = None
    title: Text | None = None


class NoPayload(Struct, forbid_unknown_fields=True):
    """An action that needs nothing."""


class DelayPayload(Struct, forbid_unknown_fields=True):
    """`restart_agent`, `reboot`, `shutdown`."""

    delay_s: Annotated[float, Meta(ge=0, le=3_600)] = 3.0


class LogsPayload(Struct, forbid_unknown_fields=True):
    """`collect_logs`."""

    max_bytes: Annotated[int, Meta(ge=1, le=10 * 1024 * 1024)] = 1024 * 1024


_PAYLOADS: dict[str, type[Struct]] = {
    "print": PrintPayload,
    "status": NoPayload,
    "restart_agent": DelayPayload,
    "reboot": DelayPayload,
    "shutdown": DelayPayload,
    "collect_logs": LogsPayload,
}


class PayloadError(Exception):
    """The payload does not fit its action; `field` is its path below `payload`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


def check_payload(action: str, payload: dict[str, Any]) -> None:
    """Raise PayloadError unless `payload` fits `action`."""
    expected = _PAYLOADS.get(action)
    if expected is None:
        return
    try:
        msgspec.convert(payload, expected)
    except msgspec.ValidationError as problem:
        message, _, path = str(problem).partition(" - at `$")
        raise PayloadError(path.removesuffix("`").lstrip("."), message) from None
    if payload.get("sides") is not None and payload.get("duplex") is not None:
        raise PayloadError("duplex", "give either sides or duplex, not both")

"""What a `print` command asks for, whatever kind of printer carries it out."""

from typing import Any

from device_agent.actions.base import read_payload
from schemas.actions import ContentType, PrintSent

DEFAULT_TYPE = "application/pdf"
_SAYS_NOTHING = {"", "application/octet-stream", "application/x-www-form-urlencoded"}
"""Types of a document whose sender named none; the last is what curl says by itself."""


class PrintRequest(PrintSent, frozen=True, kw_only=True):
    """The payload of `print`, with its `content_type` decided."""

    content_type: ContentType = DEFAULT_TYPE
    """What the payload says, else the document's own type where that says anything."""

    @property
    def clean_title(self) -> str:
        """The title without control characters, which some printers choke on."""
        return " ".join("".join(char if char.isprintable() else " " for char in self.title or "").split())


def parse(payload: dict[str, Any]) -> PrintRequest:
    """Raises PayloadError `payload_invalid` that names the field."""
    sent = read_payload(PrintSent, payload)
    return read_payload(PrintRequest, {**payload, "content_type": sent.content_type or _stored_type(sent)})


def _stored_type(sent: PrintSent) -> str:
    stored = sent.document.content_type
    return stored if isinstance(stored, str) and stored not in _SAYS_NOTHING else DEFAULT_TYPE

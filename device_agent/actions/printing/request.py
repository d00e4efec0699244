"""What a `print` command asks for, whatever kind of printer carries it out."""

from pathlib import Path
from typing import Any

from device_agent.actions.base import read_payload
from device_agent.documents import DocumentError
from schemas import media_types
from schemas.actions import ContentType, PrintSent

DEFAULT_TYPE = media_types.OCTETS
OPTIONS_UNSUPPORTED = "options_unsupported"
"""With fidelity `exact`: the printer cannot do all that is asked for; nothing was printed."""


class PrintRequest(PrintSent, frozen=True, kw_only=True):
    """The payload of `print`, with its `content_type` decided as far as its words go."""

    content_type: ContentType = DEFAULT_TYPE
    """What the payload says, else the document's own type."""
    is_type_asked: bool = False
    """Whether the payload says it."""

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked for beside the document and its copies, by the payload's fields."""
        asked = {
            "sides": self.two_sided,
            "media": self.media,
            "media_source": self.media_source,
            "orientation": self.orientation,
            "color": self.color,
            "quality": self.quality,
            "scaling": self.scaled,
            "number_up": self.number_up,
            "pages": self.pages,
            "collate": self.collate if self.copies > 1 else None,
        }
        return {field: value for field, value in asked.items() if value is not None}

    @property
    def clean_title(self) -> str:
        """The title without control characters, which some printers choke on."""
        return " ".join("".join(char if char.isprintable() else " " for char in self.title or "").split())


def parse(payload: dict[str, Any]) -> PrintRequest:
    """Raises PayloadError `payload_invalid` that names the field."""
    sent = read_payload(PrintSent, payload)
    asked = media_types.essence(sent.content_type or "")
    content_type = asked or _stored_type(sent)
    return read_payload(PrintRequest, {**payload, "content_type": content_type, "is_type_asked": bool(asked)})


def type_of(request: PrintRequest, document: Path) -> str:
    """The type that a document is printed as: what the payload asks for, else what its bytes are. Raises DocumentError
    `document_mislabelled` when the bytes are not what they are called, and OSError. Blocks as a disk does."""
    with document.open("rb") as file:
        head = file.read(media_types.HEAD)
    if request.is_type_asked:
        if media_types.contradicts(request.content_type, head):
            raise _mislabelled(media_types.MislabelledError(request.content_type, media_types.recognised(head)))
        return request.content_type
    try:
        return media_types.judged(request.content_type, head)
    except media_types.MislabelledError as problem:
        raise _mislabelled(problem) from None


def _mislabelled(problem: media_types.MislabelledError) -> DocumentError:
    return DocumentError(
        "document_mislabelled", f"the document: {problem}; upload the right file, or declare its real type"
    )


def _stored_type(sent: PrintSent) -> str:
    stored = sent.document.content_type
    return (media_types.essence(stored) if isinstance(stored, str) else "") or DEFAULT_TYPE

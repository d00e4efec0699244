"""What a client says of its printers, as far as it can be used: every value is the client's own word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.errors import FieldProblem, RejectedError

MOST = 20
"""Of reasons, supplies and media of one printer."""
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a printer is in the list of all: its client, and its number in that client's report."""

    client_id: str
    number: int

    def __str__(self) -> str:
        return f"{self.client_id}:{self.number}"

    @classmethod
    def of(cls, cursor: str | None) -> "Place | None":
        """The place in a cursor. Raises RejectedError."""
        if cursor is None:
            return None
        client_id, _, number = cursor.partition(":")
        if not client_id or not (number.isascii() and number.isdecimal()) or len(number) > 9:
            raise RejectedError("validation_error", fields=(FieldProblem("cursor", "cursor"),))
        return cls(client_id, int(number))


def details(printer: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a printer by their types; what has another type, or is missing, is null or empty."""
    return {
        "name": _text(printer.get("name")),
        "title": _text(printer.get("title")),
        "default": _flag(printer.get("default")),
        "model": _text(printer.get("model")),
        "message": _text(printer.get("message")),
        "reasons": [reason for told in _list(printer.get("reasons")) if (reason := _reason(told)) is not None],
        "supplies": [_supply(told) for told in _list(printer.get("supplies")) if isinstance(told, dict)],
        "media_ready": [text for told in _list(printer.get("media_ready")) if (text := _text(told)) is not None],
        "media_default": _text(printer.get("media_default")),
        "accepting_jobs": _flag(printer.get("accepting_jobs")),
        "queued_jobs": _count(printer.get("queued_jobs")),
    }


def _reason(told: object) -> dict[str, str | None] | None:
    """A reason with its severity; agents of others may send only its name."""
    if isinstance(told, dict):
        name = _text(told.get("reason"))
        return None if name is None else {"reason": name, "severity": _text(told.get("severity"))}
    name = _text(told)
    return None if name is None else {"reason": name, "severity": None}


def _supply(told: Mapping[str, Any]) -> dict[str, Any]:
    level = _count(told.get("level"))
    return {
        "name": _text(told.get("name")),
        "kind": _text(told.get("kind")),
        "level": level if level is not None and level <= 100 else None,
    }


def _text(told: object) -> str | None:
    return told[:_LONGEST] if isinstance(told, str) and told else None


def _flag(told: object) -> bool | None:
    return told if isinstance(told, bool) else None


def _count(told: object) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**31 else None


def _list(told: object) -> list[Any]:
    return told[:MOST] if isinstance(told, list) else []

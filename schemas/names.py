"""Other names of ours: those of the documents that Floorhub was designed from, which programs out there use.

The one table of them. Requests are read and agents are answered by it; `docs/reference/names.md` shows it, and a test
holds the page against it. What a request says under another name is stored under ours. In one request both names of a
thing must say the same.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Name(NamedTuple):
    """One row. `ours` is a path where a dot is in it; empty: nothing of ours corresponds, and the value is ignored."""

    place: str
    theirs: str
    ours: str


COMMAND, PRINT, DISPLAY, PING = "command", "print", "display", "ping"
EVENT, STATUS, RESULT, ERROR = "event", "status", "result", "error"
COMMAND_ANSWER, CLIENT_ANSWER, CODE = "command (answer)", "client (answer)", "error code"

TABLE: tuple[Name, ...] = (
    # Fields that callers may send.
    Name(COMMAND, "clientId", "client_id"),
    Name(COMMAND, "estimatedDuration", "estimated_duration_s"),
    Name(COMMAND, "estimated_duration_seconds", "estimated_duration_s"),
    Name(PRINT, "printerName", "printer"),
    Name(PRINT, "pdfUrl", "document.url"),
    Name(PRINT, "filePath", "document.path"),
    Name(PRINT, "file", "document.path"),
    Name(PRINT, "options.duplex", "sides"),
    Name(DISPLAY, "displayIndex", "display_index"),
    Name(DISPLAY, "display", "display_index"),
    # What a client that knows no session says and gets.
    Name(PING, "timestamp", ""),
    Name(EVENT, "id", "command_id"),
    Name(EVENT, "action", "action"),
    Name(EVENT, "payload", "payload"),
    Name(EVENT, "payload.printerName", "payload.printer"),
    Name(EVENT, "payload.pdfUrl", "payload.document.path"),
    Name(EVENT, "payload.filePath", "payload.document.path"),
    Name(EVENT, "payload.options.duplex", "payload.sides"),
    Name(EVENT, "payload.displayIndex", "payload.display_index"),
    Name(STATUS, "running", "started"),
    Name(STATUS, "completed", "completed"),
    Name(STATUS, "failed", "failed"),
    Name(STATUS, "message", "result.message"),
    Name(RESULT, "success: true", "completed"),
    Name(RESULT, "success: false", "failed"),
    Name(RESULT, "data", "result.data"),
    Name(RESULT, "message", "result.message"),
    Name(RESULT, "duration", "result.duration_s"),
    Name(ERROR, "message", "error.message"),
    Name(ERROR, "stack", "result.data.stack"),
    # Fields of answers.
    Name(COMMAND_ANSWER, "commandId", "id"),
    Name(COMMAND_ANSWER, "error_message", "error.message"),
    Name(COMMAND_ANSWER, "completed_at", "finished_at"),
    Name(COMMAND_ANSWER, "retry_count", "attempt"),
    Name(COMMAND_ANSWER, "estimated_duration_seconds", "estimated_duration_s"),
    Name(CLIENT_ANSWER, "last_seen_at", "heard_at"),
    Name(CLIENT_ANSWER, "status", "presence"),
    Name(CLIENT_ANSWER, "client_key", "secret"),
    # Codes of errors: our code is in `code`, theirs in `title`.
    Name(CODE, "VALIDATION_ERROR", "validation_error"),
    Name(CODE, "INVALID_INPUT", "validation_error"),
    Name(CODE, "INVALID_STATUS", "validation_error"),
    Name(CODE, "UNAUTHORIZED", "unauthorized"),
    Name(CODE, "INVALID_TOKEN", "invalid_token"),
    Name(CODE, "TOKEN_INVALID", "invalid_token"),
    Name(CODE, "TOKEN_EXPIRED", "token_expired"),
    Name(CODE, "INVALID_REFRESH_TOKEN", "invalid_refresh_token"),
    Name(CODE, "FORBIDDEN", "forbidden"),
    Name(CODE, "NOT_FOUND", "not_found"),
    Name(CODE, "RATE_LIMIT", "rate_limited"),
    Name(CODE, "REQUEST_EXPIRED", "request_expired"),
    Name(CODE, "INTERNAL_ERROR", "internal_error"),
)
OPTIONS = "options"
"""The object in which the documents put what is asked of a printer."""


def of(place: str) -> Mapping[str, str]:
    """Other names of one place, and ours."""
    return {name.theirs: name.ours for name in TABLE if name.place == place}


def camel(field: str) -> str:
    """A field in camelCase."""
    first, *rest = field.split("_")
    return first + "".join(part.capitalize() for part in rest)


def same(one: Any, other: Any) -> bool:
    """Whether two names of one thing say the same, as JSON: 2.0 is 2, and true is not 1 as it is for Python. A value is
    the same as itself, also one that Python calls different from itself (NaN)."""
    left = [(one, other)]
    while left:
        one, other = left.pop()
        if one is other:
            continue
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            left += [(value, other[name]) for name, value in one.items()]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            left += zip(one, other, strict=True)
        elif isinstance(one, bool) != isinstance(other, bool) or one != other:
            return False
    return True


def contradiction(names: Iterable[str]) -> str:
    """The sentence about names of one thing that say different things."""
    one, *others = names
    return f"{one} contradicts {' and '.join(others)}: they mean the same, so give only one of them"

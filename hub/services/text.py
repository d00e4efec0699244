"""Text that Postgres cannot store: NUL and lone surrogates. Refused at HTTP, cleaned at MQTT."""

import math
from collections.abc import Mapping
from typing import Any

_TEXT = "holds a NUL or half a character, which cannot be stored"


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def clean_text(text: str) -> str:
    """The text with what cannot be stored replaced by U+FFFD."""
    if _storable(text):
        return text
    return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)


def clean(value: Any) -> Any:
    """A JSON value, deeply cleaned; unchanged parts are not copied needlessly."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {clean_text(str(key)): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def find_unstorable(value: Any, path: str) -> tuple[str, str] | None:
    """Where a JSON value cannot be stored or sent, as `path.key[0]`, and why; None when all of it can."""
    match value:
        case str():
            return None if _storable(value) else (path, _TEXT)
        case float():
            return None if math.isfinite(value) else (path, "is no finite number, which JSON does not know")
        case int():
            return None if -(2**63) <= value < 2**63 else (path, "is beyond 64 bits: send it as a string")
        case Mapping():
            for key, item in value.items():
                found = (path, _TEXT) if not _storable(str(key)) else find_unstorable(item, f"{path}.{key}")
                if found:
                    return found
        case list() | tuple():
            for index, item in enumerate(value):
                found = find_unstorable(item, f"{path}[{index}]")
                if found:
                    return found
    return None

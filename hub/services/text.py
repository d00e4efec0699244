"""JSON that cannot be kept: NUL and lone surrogates, which Postgres does not store, and nesting without end. Refused at
HTTP, cleaned at MQTT."""

import math
import re
from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 64
"""Levels of nesting. Far more than anybody needs, and far less than what whoever reads it later can take."""

_TEXT = "holds a NUL or half a character, which cannot be stored"


_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def _storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def clean_text(text: str) -> str:
    """The text with what cannot be stored replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def clean(value: Any, depth: int = 0) -> Any:
    """A JSON value, deeply cleaned: what lies too deep becomes a word that says so."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping | list) and depth >= MAX_DEPTH:
        return f"(nested deeper than {MAX_DEPTH} levels)"
    if isinstance(value, Mapping):
        return {clean_text(str(key)): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item, depth + 1) for item in value]
    return value


def find_unstorable(value: Any, path: str, depth: int = 0) -> tuple[str, str] | None:
    """Where a JSON value cannot be stored or sent, as `path.key[0]`, and why; None when all of it can."""
    if depth > MAX_DEPTH:
        return path.split(".")[0], f"is nested deeper than {MAX_DEPTH} levels"
    match value:
        case str():
            return None if _storable(value) else (path, _TEXT)
        case float():
            return None if math.isfinite(value) else (path, "is no finite number, which JSON does not know")
        case int():
            return None if -(2**63) <= value < 2**63 else (path, "is beyond 64 bits: send it as a string")
        case Mapping():
            for key, item in value.items():
                found = (path, _TEXT) if not _storable(str(key)) else find_unstorable(item, f"{path}.{key}", depth + 1)
                if found:
                    return found
        case list() | tuple():
            for index, item in enumerate(value):
                found = find_unstorable(item, f"{path}[{index}]", depth + 1)
                if found:
                    return found
    return None

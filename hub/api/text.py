"""JSON that cannot be kept: NUL and lone surrogates, which Postgres does not store, and nesting without end. Refused at
HTTP, cleaned at MQTT. And words, which have one form."""

import math
import re
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize

import msgspec

from hub.errors import FieldProblem, RejectedError

MAX_DEPTH = 64
"""Levels of nesting. Far more than anybody needs, and far less than what whoever reads it later can take."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LARGE_EXPONENT = re.compile(rb"[0-9]e\+?[0-9]{2}")


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


def normal(text: str) -> str:
    """A word in the one form in which the hub stores and compares words (NFC): a file's name from macOS has another
    one (NFD), which looks alike."""
    return text if text.isascii() else normalize("NFC", text)


def find_unstorable(value: Any, path: str) -> FieldProblem | None:
    """Where a JSON value cannot be stored or sent, as `path.key[0]`, and why; None when all of it can."""
    found = _find(value, 0)
    if found is None:
        return None
    if found is _TOO_DEEP:
        return FieldProblem(path, "too_deep", {"limit": MAX_DEPTH})
    return FieldProblem(path + found[0], found[1])


def require_storable(**values: Any) -> None:
    """Raise RejectedError that names every value which cannot be stored, by its field."""
    found = (find_unstorable(value, name) for name, value in values.items())
    if problems := tuple(problem for problem in found if problem is not None):
        raise RejectedError("validation_error", fields=problems)


_TOO_DEEP = ("", "too_deep")


def _find(value: Any, depth: int) -> tuple[str, str] | None:
    """The path from here on, which is put together only when something was found, and the problem's code."""
    if depth > MAX_DEPTH:
        return _TOO_DEEP
    if isinstance(value, str):
        return ("", "unstorable") if _UNSTORABLE.search(value) else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else ("", "not_finite")
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else ("", "beyond_64_bits")
    if isinstance(value, Mapping):
        for key, item in value.items():
            if _UNSTORABLE.search(str(key)):
                return "", "unstorable"
            if found := _find(item, depth + 1):
                return found if found is _TOO_DEEP else (f".{key}{found[0]}", found[1])
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            if found := _find(item, depth + 1):
                return found if found is _TOO_DEEP else (f"[{index}]{found[0]}", found[1])
    return None


def kept_size(value: Any) -> int:
    """Bytes of a JSON value as it comes back from Postgres, which writes large numbers out: 1e300 has 301 digits."""
    encoded = msgspec.json.encode(value)
    return len(msgspec.json.encode(_written_out(value)) if _LARGE_EXPONENT.search(encoded) else encoded)


def _written_out(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if abs(value) >= _WHOLE_FROM else value
    if isinstance(value, Mapping):
        return {key: _written_out(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_written_out(item) for item in value]
    return value


_WHOLE_FROM = 1e16
"""From here on a float is written with an exponent, and has nothing behind its point."""

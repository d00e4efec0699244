"""JSON that readers take in different ways. Objects that give a name twice: the first value counts, the last, or none
(RFC 8259, 4), so what one program checks another may not carry out. And numbers that are none (NaN, Infinity), or are
so large (1e999) that they become one: no JSON has them, and NaN is not even equal to itself."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any


class _Repeating(dict[str, Any]):
    """An object with names that were given more than once."""

    names: tuple[str, ...] = ()


class NotFiniteError(ValueError):
    """Numbers that are not finite, at `places`."""

    def __init__(self, places: list[str]) -> None:
        super().__init__("numbers that are not finite")
        self.places = places


def loads(text: str | bytes) -> tuple[Any, list[str]]:
    """The value, and the place of each name that its object gives more than once, such as `commands[0].payload.copies`;
    the value has the last one. Raises NotFiniteError, ValueError for what is no JSON, and RecursionError."""
    found = infinite = False

    def of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        found = True
        repeating = _Repeating(made)
        repeating.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return repeating

    def of_float(digits: str) -> float:
        nonlocal infinite
        number = float(digits)
        infinite = infinite or not math.isfinite(number)
        return number

    value = json.loads(text, object_pairs_hook=of_pairs, parse_float=of_float, parse_constant=of_float)
    repeated, not_finite = _places(value) if found or infinite else ([], [])
    if not_finite:
        raise NotFiniteError(not_finite)
    return value, repeated


def is_plainly_unique(text: bytes, value: Mapping[str, Any]) -> bool:
    """Whether the JSON that was read as `value` certainly gives no name twice; False says nothing. For a path on which
    `loads` would cost too much.

    An object has a colon for each name it gives, and a string may have more. So with as many names as colons none was
    lost. Colons in strings are only looked for if there are too many, and not where a string may hide them.
    """
    colons = text.count(b":")
    return colons == _names(value) or (b"\\" not in text and colons == _names_and_colons(value))


def _names(value: Mapping[str, Any]) -> int:
    count = len(value)
    for each in value.values():
        if type(each) is dict:
            count += _names(each)
    return count


def _names_and_colons(value: Any) -> int:
    if type(value) is str:
        return value.count(":")
    if type(value) is dict:
        return len(value) + sum(map(_names_and_colons, value.values()))
    return sum(map(_names_and_colons, value)) if type(value) is list else 0


def _places(value: Any) -> tuple[list[str], list[str]]:
    """The places of names that are given more than once, and of numbers that are not finite."""
    found: list[str] = []
    not_finite: list[str] = []
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        place, each = left.pop()
        if isinstance(each, dict):
            if isinstance(each, _Repeating):
                found += (_below(place, name) for name in each.names)
            left += reversed([(_below(place, name), inner) for name, inner in each.items()])
        elif isinstance(each, list):
            left += reversed([(f"{place}[{number}]", inner) for number, inner in enumerate(each)])
        elif isinstance(each, float) and not math.isfinite(each):
            not_finite.append(place)
    return found, not_finite


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name

"""JSON whose objects give a name twice. Readers disagree which value counts (RFC 8259, 4): the first, the last, or
none; so what one program checks another may not carry out."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any


class _Repeating(dict[str, Any]):
    """An object with names that were given more than once."""

    names: tuple[str, ...] = ()


def loads(text: str | bytes) -> tuple[Any, list[str]]:
    """The value, and the place of each name that its object gives more than once, such as `commands[0].payload.copies`;
    the value has the last one. Raises ValueError for what is no JSON, and RecursionError."""
    found = False

    def of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        found = True
        repeating = _Repeating(made)
        repeating.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        return repeating

    value = json.loads(text, object_pairs_hook=of_pairs)
    return value, _places(value) if found else []


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


def _places(value: Any) -> list[str]:
    found: list[str] = []
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        place, each = left.pop()
        if isinstance(each, dict):
            if isinstance(each, _Repeating):
                found += (_below(place, name) for name in each.names)
            left += reversed([(_below(place, name), inner) for name, inner in each.items()])
        elif isinstance(each, list):
            left += reversed([(f"{place}[{number}]", inner) for number, inner in enumerate(each)])
    return found


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name

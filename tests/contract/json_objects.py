"""Walking a document of JSON."""

from collections.abc import Iterator
from typing import Any


def objects(part: Any) -> Iterator[dict[str, Any]]:
    """The part itself and every object below it."""
    if isinstance(part, dict):
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from objects(value)

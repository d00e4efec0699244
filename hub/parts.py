"""The parts of one hub process, found by their type."""

from typing import TypeVar

Part = TypeVar("Part")


class Parts:
    """Each type once. Subjects add what others may use; later subjects and routes ask for it."""

    def __init__(self) -> None:
        self._parts: dict[type, object] = {}

    def add(self, part: Part) -> Part:
        """Offer a part under its type; gives it back. Raises ValueError when there is one of this type already."""
        kind = type(part)
        if kind in self._parts:
            raise ValueError(f"there is a {kind.__name__} already")
        self._parts[kind] = part
        return part

    def get(self, kind: type[Part]) -> Part:
        """The part of this type. Raises LookupError when no subject has added one."""
        found = self._parts.get(kind)
        if found is None:
            raise LookupError(f"no subject brings a {kind.__name__}: is its line in hub/app.py?")
        assert isinstance(found, kind)  # noqa: S101 - added under its own type
        return found

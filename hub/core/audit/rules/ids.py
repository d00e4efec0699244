"""Sets of row numbers as ranges, since a block's rows mostly follow each other. Pure."""

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""From the first, up to but without the second."""


class Ids:
    """A set of numbers; immutable."""

    __slots__ = ("_starts", "ranges")

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        """Of ranges in any order, which may overlap."""
        merged: list[Range] = []
        for low, high in sorted(ranges):
            if low >= high:
                continue
            if merged and low <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        self.ranges = tuple(merged)
        self._starts = [low for low, _ in merged]

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Ids":
        """Of single numbers."""
        return cls((number, number + 1) for number in numbers)

    @classmethod
    def parse(cls, text: str) -> "Ids":
        """As Postgres writes an int8multirange: `{[1,4),[6,7)}`. Raises ValueError."""
        if not (text.startswith("{") and text.endswith("}")):
            raise ValueError(f"no multirange: {text[:40]}")
        inner = text[1:-1]
        if not inner:
            return cls()
        if not (inner.startswith("[") and inner.endswith(")")):
            raise ValueError(f"no multirange: {text[:40]}")
        ranges = []
        for one in inner[1:-1].split("),["):
            low, high = one.split(",")
            ranges.append((int(low), int(high)))
        return cls(ranges)

    def __str__(self) -> str:
        """As Postgres writes it."""
        return "{" + ",".join(f"[{low},{high})" for low, high in self.ranges) + "}"

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number < self.ranges[place][1]

    def __len__(self) -> int:
        # What somebody has forged may have more than `len` can say.
        return min(sum(high - low for low, high in self.ranges), sys.maxsize)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.ranges:
            yield from range(low, high)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ids) and self.ranges == other.ranges

    def __hash__(self) -> int:
        return hash(self.ranges)

    def __or__(self, other: "Ids") -> "Ids":
        return Ids((*self.ranges, *other.ranges))

    def __sub__(self, other: "Ids") -> "Ids":
        left: list[Range] = []
        for low, high in self.ranges:
            start = low
            place = max(bisect_right(other._starts, low) - 1, 0)
            for their_low, their_high in other.ranges[place:]:
                if their_low >= high:
                    break
                if their_high <= start:
                    continue
                if their_low > start:
                    left.append((start, their_low))
                start = max(start, their_high)
            if start < high:
                left.append((start, high))
        return Ids(left)

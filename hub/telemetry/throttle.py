"""How many lines of one kind the log gets: some each minute, and a count of what was left out.

What a stranger, one client or an outage causes has no bound of its own, and a full disk stops the hub.
"""

import logging
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

WINDOW_S = 60.0
MOST_LINES = 20
"""Of one kind in a window."""
MOST_KINDS = 20_000
"""Kinds counted apart; those beyond share one, so that made-up names cost no memory and no lines."""


@dataclass(slots=True)
class _Count:
    ends: float
    written: int = 0
    left_out: int = 0


class Throttle:
    """Counts lines by kind. Safe to use from several threads only for separate kinds; a line more does no harm."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts: dict[Hashable, _Count] = {}
        self._forgets_at = 0.0

    def admit(self, kind: Hashable, most: int = MOST_LINES) -> int | None:
        """Whether a line may be written: how many of its kind were left out before it, or None to leave it out."""
        now = self._now()
        count = self._counts.get(kind)
        if count is None:
            if len(self._counts) >= MOST_KINDS and now >= self._forgets_at:
                self._forgets_at = now + 1
                self._forget(now)
            if len(self._counts) >= MOST_KINDS:
                kind = _OTHERS
                count = self._counts.get(kind)
            if count is None:
                count = self._counts[kind] = _Count(now + WINDOW_S)
        if now >= count.ends:
            count.ends, count.written = now + WINDOW_S, 0
        if count.written >= most:
            count.left_out += 1
            return None
        count.written += 1
        left_out, count.left_out = count.left_out, 0
        return left_out

    def over(self) -> list[tuple[Hashable, int]]:
        """Kinds whose window is over, with what was left out of them and not told yet; forgets all that is over."""
        now = self._now()
        told = [(kind, count.left_out) for kind, count in self._counts.items() if now >= count.ends and count.left_out]
        self._forget(now, told=True)
        return told

    def _forget(self, now: float, *, told: bool = False) -> None:
        over = [kind for kind, count in self._counts.items() if now >= count.ends and (told or not count.left_out)]
        for kind in over:
            del self._counts[kind]


_OTHERS = "others"


class LibraryLines(logging.Filter):
    """Throttles what libraries log, by logger and sentence: they write a line for each connection and each try."""

    def __init__(self, throttle: Throttle) -> None:
        super().__init__()
        self._throttle = throttle

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this line is written; it then says how many like it were left out."""
        left_out = self._throttle.admit((record.name, str(record.msg)[:100]))
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} such lines were left out before)"
            record.args = None
        return left_out is not None

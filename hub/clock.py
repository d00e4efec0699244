"""The database's clock between two looks at it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

MAX_AGE_S = 1.0


class DatabaseClock:
    """Postgres's clock decides everything in the hub; a reading of it is good for a second more, counted here."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._read_at: float | None = None
        self._now: datetime | None = None

    def note(self, now: datetime) -> None:
        """Take in a reading that has just arrived. The estimate is never ahead of the database: the way here is not
        counted."""
        self._now, self._read_at = now, self._monotonic()

    def estimate(self) -> datetime | None:
        """The database's time; None when the last reading is too old."""
        if self._now is None or self._read_at is None:
            return None
        age = self._monotonic() - self._read_at
        return self._now + timedelta(seconds=age) if age <= MAX_AGE_S else None

"""A clock that a test sets."""


class Clock:
    """Seconds as a test says."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

"""A start that waits says what for, once the wait is longer than a person takes for granted."""

import time
from collections.abc import Callable

AFTER_S = 2.0

Say = Callable[[str], None]


def silent(_: str) -> None:
    """The `say` of who has nobody to talk to."""


class Patience:
    """One wait: its sentence is said once, `after_s` seconds after the wait began. Call `still_waiting` in the loop."""

    def __init__(self, say: Say, sentence: str, after_s: float = AFTER_S) -> None:
        self._say = say
        self._sentence = sentence
        self._at: float | None = time.monotonic() + after_s

    def still_waiting(self) -> None:
        """Say the sentence if it is time for it."""
        if self._at is not None and time.monotonic() >= self._at:
            self._at = None
            self._say(self._sentence)

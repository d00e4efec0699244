"""Waiting for something to become true, with a deadline."""

import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_S = 10.0


def eventually(condition: Callable[[], bool], what: str, step: Callable[[], None] = lambda: None) -> None:
    """Poll until `condition()`, calling `step` in between; fails the test with `what` at the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end, f"not within {DEADLINE_S} s: {what}"
        step()
        time.sleep(0.01)


def processes_in(folder: Path) -> list[str]:
    """The programs that work in `folder`, by name."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder.resolve():
                found.append((entry / "comm").read_text().strip())
        except OSError:
            continue
    return found

"""What a machine does, run by its agent as an action of its own: writes down that it began, and its effect.

Started as `python -I -S effect.py LOG CLIENT BEFORE_MS AFTER_MS FAILS`. One line per fact, appended in one write; the
line of the effect is on the disk before the program ends. Neither agent nor hub opens the file. The first FAILS
attempts end with 75 before any effect.
"""

import os
import sys
import time

RETRYABLE = 75


def note(log: int, kind: str, client: str) -> None:
    """Append a line: what, when (the machine's true clock), which command, which attempt."""
    words = (kind, f"{time.time():.6f}", os.environ["FLOORHUB_COMMAND_ID"], os.environ["FLOORHUB_ATTEMPT"], client)
    os.write(log, (" ".join(words) + "\n").encode())


def main() -> int:
    """Begin, wait, have the effect, wait, end."""
    file, client, before_ms, after_ms, fails = sys.argv[1:]
    log = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    note(log, "began", client)
    if int(os.environ["FLOORHUB_ATTEMPT"]) <= int(fails):
        return RETRYABLE
    time.sleep(int(before_ms) / 1000)
    note(log, "effect", client)
    os.fsync(log)
    time.sleep(int(after_ms) / 1000)
    note(log, "ended", client)
    return 0


if __name__ == "__main__":
    sys.exit(main())

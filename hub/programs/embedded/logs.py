"""Log files of children: appended to, capped in size, and quoted when a child dies."""

import json
import os
import shutil
from pathlib import Path
from typing import BinaryIO

#: A guess: enough for days of normal talk, small enough for a demo on a small disk. One older file is kept.
CAP_BYTES = 10 * 1024 * 1024
_QUOTED_BYTES = 16 * 1024
_LONGEST_QUOTE = 500


def open_log(path: Path) -> BinaryIO:
    """Open `path` for a child to append to, after capping it. The caller closes it."""
    cap(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "ab", buffering=0)


def cap(path: Path) -> None:
    """Move the content of a log that is too large to `<name>.1`. Works while its child runs.

    The file is emptied in place, because the child keeps its descriptor; it appends, so it goes on at the new end.
    Lines written between copy and cut are lost, which a log can bear.
    """
    try:
        if path.stat().st_size <= CAP_BYTES:
            return
    except FileNotFoundError:
        return
    older = path.with_name(f"{path.name}.1")
    shutil.copyfile(path, older)
    older.chmod(0o600)
    os.truncate(path, 0)


def tail(path: Path, since: int = 0, lines: int = 12) -> str:
    """The last lines that were written after byte `since`; empty when there are none."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(min(since, end), end - _QUOTED_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def last_error(text: str) -> str:
    """What the end of a log says was wrong, in one line: its last line that is a sentence, or a JSON line of level
    error; empty when there is none."""
    said = (_error(line.strip()) for line in reversed(text.splitlines()))
    return next(filter(None, said), "")[:_LONGEST_QUOTE]


def _error(line: str) -> str:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(entry, dict):
        return line
    if entry.get("level") not in {"error", "critical"}:
        return ""
    stack = str(entry.get("exception") or "").strip().splitlines()
    detail = entry.get("message") or (stack[-1] if stack else "")
    return f"{entry.get('event')}: {detail}" if detail else str(entry.get("event"))

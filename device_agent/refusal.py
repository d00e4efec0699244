"""A note in the data folder while the broker refuses the running agent: `doctor` beside it, which leaves the connection
alone, reads why."""

import contextlib
from pathlib import Path

from schemas.text import printable

_NAME = "broker-refused"
_MOST = 200


def note(folder: Path, reason: str | None) -> None:
    """Write the reason, or take the note away. A folder that takes nothing has its own finding in `doctor`."""
    with contextlib.suppress(OSError):
        if reason is None:
            (folder / _NAME).unlink(missing_ok=True)
        else:
            (folder / _NAME).write_text(reason, encoding="utf-8")


def noted(folder: Path) -> str | None:
    """The reason; None: the broker has not refused the agent since it was connected."""
    try:
        return printable((folder / _NAME).read_text(encoding="utf-8"), _MOST).strip() or None
    except (OSError, ValueError):
        return None

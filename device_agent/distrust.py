"""A note in the data folder while the running agent refuses what the hub signs: `doctor` beside it reads why."""

import contextlib
import re
from pathlib import Path

_NAME = "hub-refused"
_CODE = re.compile(r"[a-z_]{1,64}")


def note(folder: Path, code: str | None) -> None:
    """Write the reason, or take the note away. A folder that takes nothing has its own finding in `doctor`."""
    with contextlib.suppress(OSError):
        if code is None:
            (folder / _NAME).unlink(missing_ok=True)
        else:
            (folder / _NAME).write_text(code, encoding="ascii")


def noted(folder: Path) -> str | None:
    """The reason; None: the agent obeys. It may be half a minute old."""
    try:
        code = (folder / _NAME).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return code if _CODE.fullmatch(code) else None

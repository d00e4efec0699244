"""What is kept under another name gets a free one, whatever the clock says.

The name has the time (UTC, seconds). Two in one second, or a clock that was set back, bring a time that is in use: a
number follows it then. What has a name keeps it.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

_MOST = 10_000


def stamps(at: datetime | None = None) -> Iterator[str]:
    """`20261129T080000Z`, `20261129T080000Z_2` and so on: the first that is free is the one to take."""
    first = f"{at or datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    yield first
    for number in range(2, _MOST):
        yield f"{first}_{number}"


def move(path: Path, word: str, companions: Sequence[str] = (), at: datetime | None = None) -> Path:
    """Rename a file, a folder or a link to `NAME.WORD-TIME`, and before it those of its companions (suffixes of its
    name) that exist. Returns the new name; overwrites nothing. Raises OSError."""
    for stamp in stamps(at):
        target = path.with_name(f"{path.name}.{word}-{stamp}")
        if any(_is_there(Path(f"{target}{suffix}")) for suffix in ("", *companions)):
            continue
        try:
            for suffix in companions:
                if _is_there(Path(f"{path}{suffix}")):
                    _rename(Path(f"{path}{suffix}"), Path(f"{target}{suffix}"))
            _rename(path, target)
        except FileExistsError:  # another process was faster
            continue
        return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _rename(path: Path, target: Path) -> None:
    """Raises FileExistsError if the name is taken. A rename would replace a file that came between look and rename; a
    link to the file does not."""
    try:
        os.link(path, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a folder, or a file system without links
        if _is_there(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        path.rename(target)
    else:
        path.unlink()


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()

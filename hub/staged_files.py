"""Secret files that change together with the database.

The new content lies beside its file (`root.key.next`) before the transaction commits, and takes its place only after
that. Whoever finds such a file later asks the database which of the two is right: a process may end at any moment.
"""

from pathlib import Path

from hub.keys import sync_folder, write_secret_file
from schemas import aside

_NEXT = ".next"


def beside(file: Path) -> Path:
    """Where the next content of a file lies."""
    return file.with_name(file.name + _NEXT)


def stage(file: Path, content: str) -> None:
    """Put the next content beside a file. What is left there of an undecided change is kept under another name.
    Raises OSError."""
    if _is_there(beside(file)):
        keep(beside(file))
    write_secret_file(beside(file), content)


def finish(file: Path, *, keep_old: bool) -> None:
    """Let the next content take the place of the file; with `keep_old` what was there gets another name. What is no
    plain file always does, since nothing can take its place. Raises OSError."""
    if _is_there(file) and (keep_old or file.is_symlink() or not file.is_file()):
        keep(file)
    beside(file).replace(file)
    sync_folder(file.parent)


def discard(file: Path) -> None:
    """Remove the next content of a file. Raises OSError."""
    beside(file).unlink(missing_ok=True)
    sync_folder(file.parent)


def keep(file: Path) -> None:
    """Give a file, or whatever lies there, a name with the time (UTC) that nothing else has. Raises OSError."""
    aside.move(file, "replaced")
    sync_folder(file.parent)


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()

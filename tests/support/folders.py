"""Folders for what runs as another user: pytest's own are closed to the one that runs Postgres, broker and printer."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.programs.embedded.data_folder import DataFolder

_ROOM = 4 * 1024**3


@contextmanager
def open_folder(name: str, *, in_memory: bool = False) -> Iterator[Path]:
    """An empty folder that everybody may enter, for as long as the block lasts.

    In memory, where there is room, a sync costs nothing. What a power failure would lose is then not what a test is
    about: a process that is killed leaves the same files either way.
    """
    root = Path(tempfile.mkdtemp(prefix=f"floorhub-{name}-", dir=_memory() if in_memory else None))
    root.chmod(0o755)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def open_data_folder(name: str, *, in_memory: bool = False) -> Iterator[DataFolder]:
    """A prepared data folder that is locked, as the program that works in it would lock it."""
    with open_folder(name, in_memory=in_memory) as root:
        folder = DataFolder.prepare(root)
        with folder.locked():
            yield folder


def _memory() -> str | None:
    """Linux's own folder in memory, or None where it is missing or small, as in some containers."""
    folder = Path("/dev/shm")  # noqa: S108 - Linux's own place for this
    roomy = folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > _ROOM
    return str(folder) if roomy else None

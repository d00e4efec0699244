"""The archive of what clean-up deletes: a file of JSON lines for each kind and day, of whole lines only.

A file is opened by its owner alone (0600 in a folder of 0700). What lies on the disk for sure is what `append` has
returned for; a crash right after may write the same lines again, which have the same `kind` and `id`. Files of days
that are over are packed (`.gz`).
"""

import contextlib
import fcntl
import gzip
import os
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hub.errors import HubError

_BLOCK = 64 * 1024


class ArchiveError(HubError):
    """The archive cannot be written; nothing may be deleted."""

    def __init__(self, folder: Path, problem: OSError) -> None:
        super().__init__("archive_unwritable", folder=folder, reason=problem.strerror or str(problem))


class Archive:
    """The files below `folder`. All methods block: call them in a thread. That goes on when its caller is cancelled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, kind: str, day: date, lines: Sequence[str]) -> None:
        """Add lines to the file of that kind and day; they are on the disk when this returns. Raises ArchiveError;
        then the file has none of them."""
        data = "".join(f"{line}\n" for line in lines).encode()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self.folder / f"{kind}-{day.isoformat()}.jsonl"
            new = not file.exists()
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            try:
                # Another may write yet for a round that was cut off; what it writes so far is no torn line.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                size = _cut_torn_line(descriptor)
                try:
                    _write(descriptor, data)
                    os.fsync(descriptor)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)
            if new:
                _sync_folder(self.folder)
        except OSError as problem:
            raise ArchiveError(self.folder, problem) from problem

    def probe(self) -> None:
        """Raise ArchiveError unless something can be written."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.folder / ".probe"
            descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                _write(descriptor, bytes(4096))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
                probe.unlink(missing_ok=True)
        except OSError as problem:
            raise ArchiveError(self.folder, problem) from problem

    def pack(self, today: date) -> None:
        """Pack the files of days before `today`. Raises ArchiveError; then the plain file is still there."""
        try:
            for file in sorted(self.folder.glob("*-????-??-??.jsonl")):
                if file.stem[-10:] >= today.isoformat():
                    continue
                packed = file.with_name(f"{file.name}.gz")
                if packed.exists():  # A day that was written to again after it was packed, or a crash in between.
                    packed = next(
                        other for n in range(2, 10_000) if not (other := file.with_name(f"{file.name}.{n}.gz")).exists()
                    )
                part = file.with_name(f".{packed.name}.part")
                descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
                with os.fdopen(descriptor, "wb") as raw:
                    with file.open("rb") as source, gzip.GzipFile(fileobj=raw, mode="wb", filename="") as goal:
                        shutil.copyfileobj(source, goal, _BLOCK)
                    raw.flush()
                    os.fsync(raw.fileno())
                part.replace(packed)
                _sync_folder(self.folder)
                file.unlink()
        except OSError as problem:
            raise ArchiveError(self.folder, problem) from problem


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _cut_torn_line(descriptor: int) -> int:
    """Take the end of a line off that a crash cut short; the size then. Its row was not deleted, and comes again."""
    size = os.fstat(descriptor).st_size
    end = size
    while end:
        start = max(end - _BLOCK, 0)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end != size:
        os.ftruncate(descriptor, end)
    return end


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

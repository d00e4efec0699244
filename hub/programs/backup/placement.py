"""The files of a restore: those of the backup take their places, and those of before stay beside them."""

import errno
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec

from hub.errors import SetupError
from hub.keys import sync_folder
from hub.programs.backup.container import AUTHORITY, KEYS
from hub.programs.embedded.errors import reason
from schemas import aside

_IN_PLACE = ("admin.key", *(f"keys/{name}" for name in KEYS), *AUTHORITY)
LIST = "lost.jsonl"
"""What is lost, in the folder of the files of before."""
_AGENT = "agent/agent.toml"
"""Of `make run`'s own agent. Its journal stays where it is: it knows what was done since the backup."""
_Ports = dict[str, dict[str, int]]


class Placement:
    """`put` moves all files, or none; `undo` takes it back."""

    def __init__(self, staged: Path, folder: Path, at: datetime, *, embedded: bool) -> None:
        """`staged` has the parts of the backup, on the same disk as the data folder. `at`: the time for names that are
        made here. `embedded`: it is `make run`'s."""
        self._staged = staged
        self._folder = folder
        self._at = at
        self._settings: Path | None = None
        self._embedded = embedded
        self._reservation: tuple[Path, Path] | None = None
        self._done: list[tuple[Path, Path]] = []

    @property
    def settings(self) -> Path | None:
        """Where the settings of the backup lie, for a person to compare; None: it has none."""
        return self._settings

    def reserve(self) -> Path:
        """Make the folder for the files of before. Raises SetupError."""
        try:
            self._reservation = self._reservation or self._reserved()
        except OSError as problem:
            raise self._refused(problem) from None
        return self._reservation[0]

    def put(self) -> Path:
        """The folder with the files of before. Raises SetupError; then all files are where they were."""
        try:
            kept, settings = self._reservation = self._reservation or self._reserved()
            for name in self._places():
                place, staged = self._folder / name, self._staged / name
                if place.is_symlink() or place.exists():
                    self._move(place, kept / name)
                if staged.exists():
                    self._move(staged, place)
            self._add_archive()
            if (self._staged / "settings.env").exists():
                self._move(self._staged / "settings.env", settings)
                self._settings = settings
            self._add_ports()
            for folder in {target.parent for _, target in self._done}:
                sync_folder(folder)
        except OSError as problem:
            self.undo()
            raise self._refused(problem) from None
        return kept

    def _refused(self, problem: OSError) -> SetupError:
        where = problem.filename or self._folder
        return SetupError(
            f"{where} cannot be written: {reason(problem)}. The files are as they were.",
            ko=f"{where}에 쓸 수 없습니다: {reason(problem)}. 파일은 이전 그대로입니다.",
        )

    def add(self, file: Path) -> Path:
        """Put a file to those of before, under its name. Raises SetupError; then all files are where they were."""
        target = self.reserve() / file.name
        try:
            self._move(file, target)
            sync_folder(target.parent)
        except OSError as problem:
            self.undo()
            raise self._refused(problem) from None
        return target

    def undo(self) -> None:
        """Put everything back that was moved, the last first."""
        for source, target in reversed(self._done):
            with suppress(OSError):
                target.rename(source)
        self._done.clear()
        self._settings = None
        if self._reservation is not None:
            _remove_empty(self._reservation[0])
            self._reservation = None

    def take_back(self, kept: Path) -> None:
        """Put back what an earlier restore, which was killed, moved to its folder. Raises SetupError."""
        if kept.parent != self._folder or not kept.is_dir():
            return
        waiting = [f"keys/{file.name}" for file in (kept / "keys").glob("*.next")]
        try:
            for name in (*_IN_PLACE, _AGENT, *waiting):
                if (kept / name).is_symlink() or (kept / name).exists():
                    (kept / name).replace(self._folder / name)  # here is the backup's, which has it, too
        except OSError as problem:
            raise self._refused(problem) from None
        (kept / LIST).unlink(missing_ok=True)
        _remove_empty(kept)

    def _reserved(self) -> tuple[Path, Path]:
        """A new folder for the files of before, and a free name for the settings of the backup."""
        for stamp in aside.stamps(self._at):
            kept, settings = self._folder / f"before-restore-{stamp}", self._folder / f"settings-{stamp}.env"
            with suppress(FileExistsError):
                if not (settings.is_symlink() or settings.exists()):
                    kept.mkdir(mode=0o700)
                    self._give(kept)
                    return kept, settings
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self._folder))

    def _places(self) -> list[str]:
        """What is replaced: the backup's parts, and keys that wait for a decision about the database of before."""
        parts = [*_IN_PLACE, _AGENT] if self._embedded else _IN_PLACE
        waiting = [f"keys/{file.name}" for file in (self._folder / "keys").glob("*.next")]
        return [*(name for name in parts if (self._staged / name).exists()), *waiting]

    def _move(self, source: Path, target: Path) -> None:
        if not target.parent.exists():
            target.parent.mkdir(mode=0o700, parents=True)
            self._give(target.parent)
        self._give(source)
        source.rename(target)
        self._done.append((source, target))

    def _give(self, path: Path) -> None:
        """Root leaves files to the user of the data folder."""
        if os.geteuid() == 0:
            owner = self._folder.stat()
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)

    def _add_archive(self) -> None:
        """Archived rows that are not here; what is here may be longer than the backup's."""
        source, target = self._staged / "archive", self._folder / "archive"
        for file in sorted(source.iterdir()) if source.is_dir() else ():
            if not (target / file.name).exists():
                self._move(file, target / file.name)

    def _add_ports(self) -> None:
        """In a new folder of `make run`, the ports that agents know; those that are chosen here stay."""
        part, place = self._staged / "ports.json", self._folder / "ports.json"
        if not self._embedded or not part.exists():
            return
        with suppress(msgspec.DecodeError):
            known = msgspec.json.decode(part.read_bytes(), type=_Ports)
            here = msgspec.json.decode(place.read_bytes(), type=_Ports) if place.exists() else {}
            place.write_bytes(msgspec.json.format(msgspec.json.encode({**known, **here}), indent=2) + b"\n")


def _remove_empty(kept: Path) -> None:
    """Remove a folder for files of before; one that has some stays."""
    for folder in (kept / "keys", kept / "agent", kept / "authority", kept):
        with suppress(OSError):
            folder.rmdir()

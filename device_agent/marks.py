"""Facts about attempts that are kept at once, also while the journal cannot be written: a full disk takes the name of
an empty file when it takes nothing else.

They outlive this process, not the machine's power. A fact that is missing says nothing.
"""

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

Attempt = tuple[UUID, int]
_FACT = re.compile(r"[a-z_]{1,40}")


class Marks:
    """The facts of all attempts, in `folder`, which is made when it is needed. Each call but `has` reads or changes the
    disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._marked: set[str] = set()
        """Prefixes of the attempts that have any, so that the end of all others costs no look at the disk."""

    def leave(self, attempt: Attempt, fact: str) -> None:
        """Keep a fact; nothing where even that fails. A fact is a word of small letters and `_`."""
        if not _FACT.fullmatch(fact):
            raise ValueError(f"{fact!r} is no word")
        self._marked.add(_prefix(attempt))
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._file(attempt, fact).touch(mode=0o600)

    def take_back(self, attempt: Attempt, fact: str) -> None:
        """It is so no more. Raises OSError when it stays."""
        self._file(attempt, fact).unlink(missing_ok=True)

    def of(self, attempt: Attempt) -> set[str]:
        """What was kept about an attempt."""
        prefix = _prefix(attempt)
        return {name.removeprefix(prefix) for name in self._names() if name.startswith(prefix)}

    def forget(self, attempts: Iterable[Attempt]) -> None:
        """Drop all that was kept about these."""
        gone = {_prefix(attempt) for attempt in attempts} & self._marked
        if gone:
            self._marked -= gone
            self._drop(name for name in self._names() if _prefix_of(name) in gone)

    def has(self, attempts: Iterable[Attempt]) -> bool:
        """Whether `forget` would have anything to do; reads no disk."""
        return any(_prefix(attempt) in self._marked for attempt in attempts)

    def forget_others(self, attempts: Iterable[Attempt]) -> None:
        """Drop all that was kept about any but these."""
        self._marked = {_prefix(attempt) for attempt in attempts}
        self._drop(name for name in self._names() if _prefix_of(name) not in self._marked)

    def _names(self) -> list[str]:
        try:
            return [file.name for file in self._folder.iterdir()]
        except OSError:
            return []

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(OSError):
                (self._folder / name).unlink()

    def _file(self, attempt: Attempt, fact: str) -> Path:
        return self._folder / f"{_prefix(attempt)}{fact}"


def _prefix(attempt: Attempt) -> str:
    command_id, number = attempt
    return f"{command_id}-{number}."


def _prefix_of(name: str) -> str:
    return name[: name.rfind(".") + 1]

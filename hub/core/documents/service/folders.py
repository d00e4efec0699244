"""Documents from folders of the hub's own machine, as far as the operator names them."""

import contextlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from hub.errors import NotFoundError, RejectedError


class Folders:
    """Opens regular files inside `roots` and nothing else."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(roots)

    def open(self, path: str) -> BinaryIO:
        """The open file. Raises RejectedError `path_not_allowed`, which also stands for what may exist outside, and
        NotFoundError `file_not_found`. Blocks as a disk does."""
        if not path.startswith("/") or "\0" in path:
            raise RejectedError("path_not_allowed", path=path)
        try:
            real = Path(path).resolve()
        except (OSError, RuntimeError):  # a ring of links
            raise RejectedError("path_not_allowed", path=path) from None
        for root in self._roots:
            home = root.resolve()
            if real != home and real.is_relative_to(home):
                return _open_below(home, real.relative_to(home).parts, path)
        raise RejectedError("path_not_allowed", path=path)


def _open_below(home: Path, parts: Sequence[str], asked: str) -> BinaryIO:
    """Walk down without following any link: one that appears after the path was judged leads nowhere."""
    *folders, name = parts
    plain = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.ExitStack() as opened:

        def step(name: str | Path, flags: int, above: int | None = None) -> int:
            descriptor = os.open(name, plain | flags, dir_fd=above)
            opened.callback(os.close, descriptor)
            return descriptor

        try:
            here = step(home, os.O_DIRECTORY)
            for folder in folders:
                here = step(folder, os.O_DIRECTORY, here)
            # A pipe would wait for its writer.
            here = step(name, os.O_NONBLOCK, here)
        except FileNotFoundError:
            raise NotFoundError("file_not_found", path=asked) from None
        except OSError:
            raise RejectedError("path_not_allowed", path=asked) from None
        if not stat.S_ISREG(os.fstat(here).st_mode):
            raise RejectedError("path_not_allowed", path=asked)
        return os.fdopen(os.dup(here), "rb")

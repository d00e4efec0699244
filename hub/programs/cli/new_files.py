"""Files that are written after an effect that cannot be had again: whether they can be is known before."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hub.errors import SetupError
from hub.keys import cannot_write


@contextmanager
def reserved(file: Path) -> Iterator[None]:
    """Hold a file's name with an empty file (0600), which goes again if the block raises before it was filled. Raises
    SetupError when it cannot be made, or there is one already."""
    folder = file.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    try:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise SetupError(
            f"{file} exists already: move it away, or name another file.",
            ko=f"{file}이(가) 이미 있습니다. 옮기거나 다른 파일 이름을 지정하십시오.",
        ) from None
    except OSError as problem:
        raise cannot_write(file, problem) from None
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if file.stat().st_size == 0:
                file.unlink()
        raise


def require_writable(file: Path) -> None:
    """Raise SetupError when a file cannot be written; one that is there keeps its content."""
    try:
        is_new = not file.exists()
        with file.open("ab"):
            pass
        if is_new:
            file.unlink()
    except OSError as problem:
        raise cannot_write(file, problem) from None

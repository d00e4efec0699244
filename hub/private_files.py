"""Files that only we may open: read after a look at who could have written or read them.

Needs no packages, since the set-up imports it before there are any.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from hub.errors import SetupError
from schemas.text import TextError, decode

_MOST_BYTES = 64 * 1024
_OTHERS = 0o077
_OTHERS_WRITE = 0o022
_owner: ContextVar[int | None] = ContextVar("owner", default=None)


@contextmanager
def belonging_to_owner_of(folder: Path) -> Iterator[None]:
    """For root, who looks at a hub of another user: files must belong to the user to whom this folder belongs, instead
    of to us. For others nothing changes."""
    try:
        owner = folder.stat().st_uid if os.geteuid() == 0 else None
    except OSError:
        owner = None
    before = _owner.set(owner)
    try:
        yield
    finally:
        _owner.reset(before)


def check_folder(folder: Path) -> None:
    """Raise SetupError unless a folder of secrets is ours, and nobody else may put files into it. It may be missing."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return
    except OSError as problem:
        raise _unreadable(folder, problem) from None
    if stat.S_ISLNK(status.st_mode):
        raise _is_a_link(folder)
    if not stat.S_ISDIR(status.st_mode):
        raise SetupError(
            f"{folder} must be a folder: move aside what is there, and put the folder back from your backup.",
            ko=f"{folder}은(는) 폴더여야 합니다. 그 자리에 있는 것을 옮기고 백업에서 폴더를 복원하십시오.",
        )
    _require_owner(folder, status)
    if status.st_mode & _OTHERS_WRITE:
        raise SetupError(
            f"Others can put files into {folder}: check who wrote the files there, then run chmod 700 {folder}",
            ko=f"다른 사용자가 {folder}에 파일을 넣을 수 있습니다. 안의 파일을 확인한 다음 "
            f"chmod 700 {folder}을(를) 실행하십시오.",
        )


def check_file(file: Path) -> None:
    """Raise SetupError unless a file is ours and nobody else may open it. A missing one is fine."""
    descriptor = _open(file)
    if descriptor is not None:
        os.close(descriptor)


def read(file: Path) -> str | None:
    """The text of a file that only we may open; None when it is missing. Raises SetupError."""
    descriptor = _open(file)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        try:
            return decode(stream.read(_MOST_BYTES))
        except OSError as problem:
            raise _unreadable(file, problem) from None
        except TextError as problem:
            raise damaged(file, problem.english, problem.korean) from None


def _open(file: Path) -> int | None:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise (_is_a_link(file) if problem.errno == errno.ELOOP else _unreadable(file, problem)) from None
    try:
        _require_private(file, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_private(file: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SetupError(
            f"{file} must be a file: move aside what is there, and put the file back from your backup.",
            ko=f"{file}은(는) 파일이어야 합니다. 그 자리에 있는 것을 옮기고 백업에서 파일을 복원하십시오.",
        )
    _require_owner(file, status)
    if status.st_mode & _OTHERS:
        raise SetupError(
            f"Others can open {file}: run chmod 600 {file}, and replace what it holds if they may have read it.",
            ko=f"다른 사용자가 {file}을(를) 열 수 있습니다. chmod 600 {file}을(를) 실행하고, "
            "누가 읽었을 수 있다면 내용을 새로 만드십시오.",
        )


def damaged(file: Path, what: str, what_ko: str) -> SetupError:
    """The sentence about a file whose content is not what it was."""
    return SetupError(
        f"{file} is damaged ({what}): restore it from your backup.",
        ko=f"{file}이(가) 손상되었습니다({what_ko}). 백업에서 복원하십시오.",
    )


def _require_owner(path: Path, status: os.stat_result) -> None:
    expected = _owner.get()
    expected = os.geteuid() if expected is None else expected
    if status.st_uid != expected:
        raise SetupError(
            f"{path} belongs to another user (number {status.st_uid}; the hub runs as {expected}): look who "
            "put it there, then change its owner, or start as that user.",
            ko=f"{path}은(는) 다른 사용자(번호 {status.st_uid})의 것이고, 허브는 {expected}번으로 "
            "실행됩니다. "
            "누가 두었는지 확인한 다음 소유자를 바꾸거나 그 사용자로 시작하십시오.",
        )


def _is_a_link(path: Path) -> SetupError:
    return SetupError(
        f"{path} is a symbolic link: put the file or folder itself there.",
        ko=f"{path}은(는) 심볼릭 링크입니다. 파일이나 폴더 자체를 두십시오.",
    )


def _unreadable(path: Path, problem: OSError) -> SetupError:
    return SetupError(
        f"{path} cannot be read: {problem.strerror}. Check its rights and its disk.",
        ko=f"{path}을(를) 읽을 수 없습니다: {problem.strerror}. 권한과 디스크를 확인하십시오.",
    )

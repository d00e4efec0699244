"""The file with the secrets of imported clients.

It is written before the hub hears of a client, so that no crash leaves a client whose secret nobody has. The next
import of the same list takes it up.
"""

import csv
import fcntl
import io
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hub.errors import SetupError
from hub.keys import cannot_write, write_secret_file
from hub.tokens import CLIENT_SECRET, is_token

HEADINGS = ["id", "secret"]
MOST_BYTES = 64 * 1024 * 1024


@contextmanager
def held(file: Path) -> Iterator[None]:
    """While the block lasts, no other import writes files beside this one. Raises SetupError."""
    folder = file.absolute().parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as problem:
        raise cannot_write(folder, problem) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(
                f"Another import writes its secrets into {folder}: wait for its end, or name another place with "
                "--secrets.",
                ko=f"다른 가져오기가 {folder}에 비밀 값을 쓰고 있습니다. 끝나기를 기다리거나 --secrets로 다른 위치를 "
                "지정하십시오.",
            ) from None
        yield
    finally:
        os.close(descriptor)


def read(file: Path) -> dict[str, str]:
    """The secrets in the file by client, none when it is missing. Raises SetupError for one that others can read or
    have made, or that is something else."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a FIFO would wait for a writer
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise _no_secrets(file, problem.strerror or "?", problem.strerror or "?") from None
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            raise _no_secrets(file, "it is no list", "목록이 아님")
        if status.st_uid != os.geteuid():
            # Whoever made it would know the secrets of all new clients.
            raise _no_secrets(file, "it belongs to another user", "다른 사용자의 파일임")
        if status.st_mode & 0o077:
            raise SetupError(
                f"Others can read the secrets in {file}: run chmod 600 {file}",
                ko=f"다른 사용자가 {file}의 비밀 값을 읽을 수 있습니다. chmod 600 {file}을(를) 실행하십시오.",
            )
        raw = stream.read()
    try:
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError):
        rows = []
    if rows and rows[0] == HEADINGS and all(len(row) == 2 and is_token(row[1], CLIENT_SECRET) for row in rows[1:]):
        return dict(rows[1:])
    raise _no_secrets(file, "it is no file of secrets of this program", "이 프로그램의 비밀 값 파일이 아님")


def write(file: Path, secrets: Mapping[str, str]) -> None:
    """Replace the file as a whole, also when the power fails. Raises SetupError."""
    lines = [",".join(HEADINGS), *(f"{client_id},{secret}" for client_id, secret in secrets.items()), ""]
    try:
        write_secret_file(file, "\n".join(lines))
    except OSError as problem:
        raise cannot_write(file, problem) from None


def _no_secrets(file: Path, why: str, why_ko: str) -> SetupError:
    return SetupError(
        f"{file} cannot be used for the secrets ({why}): move it away, or name another file with --secrets.",
        ko=f"{file}은(는) 비밀 값을 두는 데 쓸 수 없습니다({why_ko}). 옮기거나 --secrets로 다른 파일을 지정하십시오.",
    )

"""The hub's Unix socket: where a proxy of this machine reaches HTTP that no other user may open."""

import contextlib
import os
import socket
import stat
from pathlib import Path

from hub.errors import SetupError

MOST_BYTES = 107
"""Of a path, by the kernel."""
BACKLOG = 2_048


def listen(path: Path) -> socket.socket:
    """A listening socket at `path` with mode 0600. One that a dead process has left is replaced. Raises SetupError."""
    if len(os.fsencode(path)) > MOST_BYTES:
        raise SetupError(
            f"FLOORHUB_SOCKET is too long ({path}): the system takes at most {MOST_BYTES} bytes. Give a shorter path.",
            ko=f"FLOORHUB_SOCKET이 너무 깁니다({path}). 최대 {MOST_BYTES}바이트입니다. 더 짧은 경로를 지정하십시오.",
        )
    sock = socket.socket(socket.AF_UNIX)
    try:
        _remove_left(path)
        before = os.umask(0o177)
        try:
            sock.bind(os.fspath(path))
        finally:
            os.umask(before)
    except OSError as problem:
        sock.close()
        raise SetupError(
            f"The socket {path} cannot be opened ({problem.strerror}): create its folder, which must belong to the "
            "hub's user, or set FLOORHUB_SOCKET to another path.",
            ko=f"소켓 {path}을(를) 열 수 없습니다({problem.strerror}). 허브 사용자의 폴더를 만들거나 FLOORHUB_SOCKET에 "
            "다른 경로를 지정하십시오.",
        ) from None
    except SetupError:
        sock.close()
        raise
    sock.listen(BACKLOG)
    return sock


def close(sock: socket.socket, path: Path) -> None:
    """Stop listening, and remove the file unless another process has replaced it meanwhile."""
    sock.close()
    with contextlib.suppress(OSError):
        if not _is_answered(path):
            path.unlink()


def _remove_left(path: Path) -> None:
    """Remove the file of a process that has ended. Raises SetupError if there is something else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SetupError(
            f"{path} is no socket: move it away, or set FLOORHUB_SOCKET to another path.",
            ko=f"{path}은(는) 소켓이 아닙니다. 옮기거나 FLOORHUB_SOCKET에 다른 경로를 지정하십시오.",
        )
    if _is_answered(path):
        raise SetupError(
            f"Another hub listens at {path}: stop it, or set FLOORHUB_SOCKET to another path.",
            ko=f"다른 허브가 {path}에서 실행 중입니다. 그 허브를 멈추거나 FLOORHUB_SOCKET에 다른 경로를 지정하십시오.",
        )
    path.unlink()


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(os.fspath(path))
        except BlockingIOError:
            return True  # so busy that it takes no more for the moment
        except OSError:
            return False
    return True

"""The unprivileged user that runs Postgres, the broker and the printer when the hub is started as root."""

import contextlib
import os
import pwd
import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.programs.embedded.errors import EmbeddedError

NAME = "floorhub"
#: Used where `useradd` is missing (minimal images); every Unix has it.
FALLBACK_NAME = "nobody"
_CREATE_DEADLINE_S = 30
_OPEN = 0o755
#: A folder's default access list, as the kernel reads it: the version, then tag, rights and number of each entry, in
#: this order (linux/posix_acl_xattr.h).
_DEFAULT_LIST = "system.posix_acl_default"
_LIST_VERSION = 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_ADMIN_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


@dataclass(frozen=True, slots=True)
class ServiceUser:
    """A system user by name and numbers."""

    name: str
    uid: int
    gid: int


def own_folder_of_user(variable: str, below_home: str, setting: str, environment: Mapping[str, str]) -> Path:
    """The folder that `variable` (XDG) names, else the one below the user's home; HOME may be missing.

    Raises EmbeddedError, which asks for `setting`, when this user has no home at all.
    """
    named = Path(environment.get(variable, "").strip())
    if named.is_absolute():  # as the XDG specification has it: a relative one does not count
        return named
    try:
        home = Path(environment.get("HOME", "").strip() or pwd.getpwuid(os.geteuid()).pw_dir)
    except KeyError:
        raise EmbeddedError(
            f"User {os.geteuid()} has no home folder on this machine.",
            f"Set {setting} to a folder that you may write.",
            ko=f"이 컴퓨터에 사용자 {os.geteuid()}의 홈 폴더가 없습니다. {setting}에 쓸 수 있는 폴더를 지정하십시오.",
        ) from None
    return home / below_home


def user_by_name(name: str) -> ServiceUser | None:
    """The system user called `name`, or None."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def user_by_uid(uid: int) -> ServiceUser | None:
    """The system user with this number, or None."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return ServiceUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def find_or_create() -> ServiceUser | None:
    """The user for children: None for an ordinary user (children run as ourselves), else one without rights.

    As root the system user `floorhub` is created when it is missing. Raises EmbeddedError when there is neither
    `useradd` nor `nobody`.
    """
    if os.geteuid() != 0:
        return None
    found = user_by_name(NAME)
    if found is not None:
        return found
    useradd = shutil.which("useradd", path=_ADMIN_PATH)
    if useradd is not None:
        argv = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        argv += ["--shell", "/usr/sbin/nologin", NAME]
        # Its answer does not count: another process may have created the user at the same moment.
        subprocess.run(argv, check=False, capture_output=True, timeout=_CREATE_DEADLINE_S)
    user = user_by_name(NAME) or user_by_name(FALLBACK_NAME)
    if user is None:
        raise EmbeddedError(
            "Postgres does not run as root, and the system user 'floorhub' could not be created.",
            "Create it (useradd --system floorhub), or start as an ordinary user.",
            ko="Postgres는 root로 실행되지 않는데 시스템 사용자 'floorhub'을 만들 수 없습니다. 직접 만들거나(useradd "
            "--system floorhub) 일반 사용자로 시작하십시오.",
        )
    return user


def create_reachable(folder: Path) -> None:
    """Create `folder` and its missing parents. When root does, other users may pass through, whatever the umask."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=_OPEN, exist_ok=True)
        if os.geteuid() == 0:
            part.chmod(_OPEN)


def open_for_passing(folder: Path) -> None:
    """Let other users pass through a folder that was given to root for this; its parents belong to others."""
    mode = folder.stat().st_mode
    if os.geteuid() == 0 and not mode & 0o001:
        folder.chmod(mode | 0o001)


def let_read_new_files(folder: Path, user: ServiceUser) -> None:
    """Whatever is created in `folder` from now on, by whomever and under whatever umask, `user` may read.

    By a default access list, which replaces the umask. File systems that have none are left as they are.
    """
    read, write = 4, 2
    entries = [(_OWNER, read | write, _NO_ID), (_USER, read, user.uid), (_GROUP, 0, _NO_ID)]
    entries += [(_MASK, read, _NO_ID), (_OTHER, 0, _NO_ID)]
    content = struct.pack("<I", _LIST_VERSION) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setxattr(folder, _DEFAULT_LIST, content, follow_symlinks=False)


def blocked_at(path: Path, user: ServiceUser | None = None) -> Path | None:
    """The first folder on the way to `path` that `user` (None: anybody) may not enter, or None when all are open.

    Judged by mode bits alone; an access list that says otherwise is not seen.
    """
    for folder in (*reversed(path.resolve().parents), path.resolve()):
        status = folder.stat()
        if user is not None and status.st_uid == user.uid:
            open_to_user = status.st_mode & 0o100
        elif user is not None and status.st_gid == user.gid:
            open_to_user = status.st_mode & 0o010
        else:
            open_to_user = status.st_mode & 0o001
        if not open_to_user:
            return folder
    return None

"""Where everything that must survive a restart lies, who owns it, and the lock that keeps a second hub out.

<data folder>/
    postgres/18/    database files            service user, 0700
    broker/         broker config and memory  service user, 0700
    printer/        the virtual printer       service user, 0700
    keys/ agent/    secrets, agent journal    ourselves, 0700
    logs/ run/      logs, process notes       ourselves, 0700
    ports.json      ports chosen at the first start
    lock            held by the running hub
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub import private_files
from hub.programs.embedded import service_user
from hub.programs.embedded.errors import EmbeddedError, NotPermittedError, reason, refuse_odd_name
from hub.programs.embedded.service_user import ServiceUser

VARIABLE = "FLOORHUB_DATA_DIR"
OTHER_NAME = "FLOORHUB_DATA"
"""What the same setting was called before; still read."""
_FOR_ROOT = Path("/var/lib/floorhub")
_OWNED_BY_SERVICE_USER = ("postgres", "broker", "printer")
_OWNED_BY_US = ("keys", "agent", "logs", "run")


def default_root(environment: Mapping[str, str] = os.environ) -> Path:
    """FLOORHUB_DATA_DIR (or FLOORHUB_DATA), else /var/lib/floorhub for root, else the user's own data folder. Not
    created yet. Raises EmbeddedError when the two name different folders."""
    folders = {name: folder for name in (VARIABLE, OTHER_NAME) if (folder := _named(environment, name)) is not None}
    if len(set(folders.values())) > 1:
        raise EmbeddedError(
            f"{VARIABLE} is {folders[VARIABLE]} and {OTHER_NAME}, its old name, is {folders[OTHER_NAME]}.",
            f"Unset {OTHER_NAME}.",
            ko=f"{VARIABLE}은(는) {folders[VARIABLE]}이고, 이전 이름인 {OTHER_NAME}은(는) {folders[OTHER_NAME]}입니다. "
            f"{OTHER_NAME}을(를) 없애십시오.",
        )
    if folders:
        return next(iter(folders.values()))
    if os.geteuid() == 0:
        return _FOR_ROOT
    return service_user.own_folder_of_user("XDG_DATA_HOME", ".local/share", VARIABLE, environment) / "floorhub"


def _named(environment: Mapping[str, str], name: str) -> Path | None:
    named = environment.get(name, "").strip()
    return Path(named).expanduser().absolute() if named else None


def require_readable(root: Path) -> None:
    """Raise NotPermittedError for a data folder of another user, whose keys we may not read."""
    keys = root / "keys"
    try:
        os.scandir(keys).close()
    except PermissionError as error:
        owner = _owner(root)
        whose = f", which belongs to the user {owner}" if owner else ""
        raise NotPermittedError(
            f"You may not read {keys}{whose}: {reason(error)}.",
            f"Run this as that user, for example with sudo, or set {VARIABLE} to a folder of your own.",
            ko=f"{keys}을(를) 읽을 권한이 없습니다({reason(error)}{f', 소유자 {owner}' if owner else ''}). 그 사용자로 "
            f"실행하거나(예: sudo) {VARIABLE}에 자신의 폴더를 지정하십시오.",
        ) from None
    except OSError:
        return  # whoever needs it says what is missing


def _owner(root: Path) -> str | None:
    try:
        user = service_user.user_by_uid(root.stat().st_uid)
    except OSError:
        return None
    return user.name if user else None


def write_private(path: Path, content: str, owner: ServiceUser | None = None, mode: int = 0o600) -> None:
    """Replace `path` atomically by a file that only `owner` may open (None: we ourselves).

    Safe in a folder that the service user may write: a link left in place of the file is replaced, never followed.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if owner is not None:
                os.fchown(file.fileno(), owner.uid, owner.gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A prepared data folder. `user` runs the children; None means ourselves."""

    root: Path
    user: ServiceUser | None

    @classmethod
    def prepare(cls, root: Path | None = None) -> "DataFolder":
        """Create what is missing and return the folder (None: the default one). Safe to call twice.

        Raises EmbeddedError when the folder belongs to another user, its name cannot be written into files of settings,
        or the service user cannot reach it; SetupError when others may put keys into it.
        """
        root = (root or default_root()).absolute()
        refuse_odd_name(root, "data folder", VARIABLE)
        try:
            service_user.create_reachable(root)
            if root.stat().st_uid != os.geteuid():
                owner = service_user.user_by_uid(root.stat().st_uid)
                raise EmbeddedError(
                    f"The data folder {root} belongs to {owner.name if owner else 'another user'}.",
                    f"Start as that user, or set {VARIABLE} to a folder of your own.",
                    ko=f"데이터 폴더 {root}은(는) {owner.name if owner else '다른 사용자'}의 것입니다. "
                    f"그 사용자로 시작하거나 {VARIABLE}에 자신의 폴더를 지정하십시오.",
                )
            folder = cls(root, _user_for(root))
            folder._create_layout()
        except OSError as error:
            raise EmbeddedError(
                f"The data folder {root} cannot be used: {reason(error)}.",
                f"Set {VARIABLE} to a folder that you may write.",
                ko=f"데이터 폴더 {root}을(를) 쓸 수 없습니다({reason(error)}). "
                f"{VARIABLE}에 쓸 수 있는 폴더를 지정하십시오.",
            ) from error
        return folder

    @property
    def postgres(self) -> Path:
        """Parent of one folder per Postgres major."""
        return self.root / "postgres"

    @property
    def broker(self) -> Path:
        """The broker's configuration, accounts and persistence."""
        return self.root / "broker"

    @property
    def printer(self) -> Path:
        """The virtual printer's spool, printed documents and effect log."""
        return self.root / "printer"

    @property
    def keys(self) -> Path:
        """Secrets of the hub."""
        return self.root / "keys"

    @property
    def agent(self) -> Path:
        """State of the agent that runs on the same machine."""
        return self.root / "agent"

    @property
    def logs(self) -> Path:
        """One log file per child."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Notes on running children, so that the next start can end what a crash left behind."""
        return self.root / "run"

    @property
    def ports(self) -> Path:
        """The file with the chosen ports."""
        return self.root / "ports.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process; raises EmbeddedError that names the holder when it is taken.

        The kernel lets go of the lock when the process ends, however it ends, so there is no stale lock.
        """
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
                raise EmbeddedError(
                    f"The data folder {self.root} is in use by process {holder or '(starting)'}.",
                    f"Stop that process first, or set {VARIABLE} to another folder.",
                    ko=f"데이터 폴더 {self.root}을(를) 프로세스 {holder or '(시작 중)'}이(가) 쓰고 있습니다. 먼저 그 "
                    f"프로세스를 멈추거나 {VARIABLE}에 다른 폴더를 지정하십시오.",
                ) from None
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def _create_layout(self) -> None:
        private_files.check_folder(self.keys)
        for name in _OWNED_BY_US:
            own_folder(self.root / name, None)
        for name in _OWNED_BY_SERVICE_USER:
            own_folder(self.root / name, self.user)
        if self.user is None:
            return
        service_user.open_for_passing(self.root)
        blocked = service_user.blocked_at(self.root, self.user)
        if blocked is not None:
            raise EmbeddedError(
                f"The user '{self.user.name}', who runs Postgres and the broker, may not enter {blocked}.",
                f"Set {VARIABLE} to a folder outside of it, for example {_FOR_ROOT}.",
                ko=f"Postgres와 브로커를 실행하는 사용자 '{self.user.name}'은(는) {blocked}에 들어갈 수 없습니다. "
                f"{VARIABLE}에 그 밖의 폴더를 지정하십시오(예: {_FOR_ROOT}).",
            )


def _user_for(root: Path) -> ServiceUser | None:
    """The owner that earlier starts chose, so that data stay readable if `floorhub` appears or disappears later."""
    if os.geteuid() != 0:
        return None
    try:
        uid = (root / "postgres").stat().st_uid
    except FileNotFoundError:
        uid = 0
    earlier = service_user.user_by_uid(uid) if uid != 0 else None
    return earlier or service_user.find_or_create()


def own_folder(folder: Path, owner: ServiceUser | None) -> None:
    """Create `folder` if it is missing and give it to `owner` (None: ourselves) alone.

    A link in its place is refused: the service user could have left it to be given somebody else's folder.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if owner is not None and status.st_uid != owner.uid:
            os.fchown(descriptor, owner.uid, owner.gid)
        if status.st_mode & 0o777 != 0o700:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)

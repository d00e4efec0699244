"""Programs this machine lacks: Debian packages that are unpacked into a folder of ours, never installed.

One folder serves all data folders of a user, so that a test with a temporary data folder downloads nothing again:
FLOORHUB_PACKAGES, else /var/lib/floorhub/packages for root, else the user's cache. Deleting it is always safe; the
next start fetches what it needs, in the then current version.
"""

import fcntl
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.programs.embedded import debian, service_user
from hub.programs.embedded.errors import EmbeddedError, reason, refuse_odd_name
from hub.programs.embedded.patience import Say, silent
from schemas.terminal import either

VARIABLE = "FLOORHUB_PACKAGES"
_FOR_ROOT = Path("/var/lib/floorhub/packages")
_UNFINISHED = ".new-"
#: Debian keeps daemons outside an ordinary user's PATH.
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_LIBRARY_FOLDERS = ("usr/lib", "lib", "usr/local/lib", "usr/lib64")


@dataclass(frozen=True, slots=True)
class Program:
    """An executable, what its environment needs besides, and the root under which its libraries lie."""

    path: Path
    env: Mapping[str, str]
    root: Path

    def find_library(self, name: str) -> Path | None:
        """A file of that name in the library folders that belong to the program, or None."""
        return next((folder / name for folder in library_folders(self.root) if (folder / name).is_file()), None)


def default_root(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder for unpacked packages and copied binaries. Not created yet."""
    named = environment.get(VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    if os.geteuid() == 0:
        return _FOR_ROOT
    return service_user.own_folder_of_user("XDG_CACHE_HOME", ".cache", VARIABLE, environment) / "floorhub" / "packages"


def library_folders(root: Path) -> list[Path]:
    """The folders below `root` where a Debian or other Linux system keeps shared libraries."""
    found: list[Path] = []
    for name in _LIBRARY_FOLDERS:
        folder = root / name
        found += sorted(folder.glob(f"{platform.machine()}-linux-gnu*"))
        found += [folder] if folder.is_dir() else []
    return found


def no_flaw(_: Path) -> str:
    """The `flaw` of a program of which every version will do."""
    return ""


class Packages:
    """Finds programs, and fetches Debian's package for one that is missing. Safe for concurrent processes."""

    def __init__(self, root: Path | None = None, say: Say = silent) -> None:
        """`say` hears which of this machine's own programs are used, and one sentence before each download, since
        that can take minutes on a slow line.
        """
        self.root = root or default_root()
        self._say = say
        self._said: set[str] = set()

    def program(
        self, name: str, package: str, libraries: tuple[str, ...] = (), flaw: Callable[[Path], str] = no_flaw
    ) -> Program:
        """`name` from this machine, else from Debian's `package`; it comes with all `libraries`, such as plugins.

        `flaw` says why an installed one is of no use, such as "is too old"; empty when it is. Raises EmbeddedError
        when there is none that is, and none to be had.
        """
        installed = self._installed(name, libraries)
        if installed is None:
            return self._unpacked(name, package, libraries)
        found = flaw(installed.path)
        if found:
            self._say_once(
                either(
                    f"This machine's own {installed.path} {found}, so another one is used.",
                    f"이 컴퓨터에 설치된 {installed.path}을(를) 쓸 수 없어({found}) 다른 것을 씁니다.",
                )
            )
            return self._unpacked(name, package, libraries)
        self._say_once(
            either(
                f"{name} is installed on this machine and is used: {installed.path}",
                f"이 컴퓨터에 설치된 {name}을(를) 씁니다: {installed.path}",
            )
        )
        return installed

    def folder(self, name: str, fill: Callable[[Path], None]) -> Path:
        """The folder `name`, filled by `fill` if it is new. Appears at once and complete, or not at all."""
        final = self.root / name
        with self._usable():
            self._prepare()
            if final.is_dir():
                return final
            with self._locked():
                if final.is_dir():
                    return final
                for left in self.root.glob(f"{_UNFINISHED}*"):  # by a start that was killed: nobody else fills now
                    shutil.rmtree(left, ignore_errors=True)
                temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self.root))
                try:
                    fill(temporary)
                    temporary.chmod(0o755)  # the service user reads here
                    temporary.rename(final)
                except BaseException:
                    shutil.rmtree(temporary, ignore_errors=True)
                    raise
        return final

    def _prepare(self) -> None:
        """Create the folder, and see that who runs the programs can reach them; root runs them as another user."""
        refuse_odd_name(self.root, "packages folder", VARIABLE, also=os.pathsep + ";")  # it becomes part of a list
        service_user.create_reachable(self.root)
        if os.geteuid() != 0:
            return
        service_user.open_for_passing(self.root)
        blocked = service_user.blocked_at(self.root)
        if blocked is not None:
            raise EmbeddedError(
                f"The packages folder {self.root} lies in {blocked}, which is closed to the user who runs Postgres and "
                "the broker.",
                f"Set {VARIABLE} to a folder outside of it, for example {_FOR_ROOT}.",
                ko=f"패키지 폴더 {self.root}이(가) {blocked} 안에 있습니다. Postgres와 브로커를 실행하는 사용자는 "
                f"그 폴더에 들어갈 수 없습니다. {VARIABLE}에 그 밖의 폴더를 지정하십시오(예: {_FOR_ROOT}).",
            )

    def _installed(self, name: str, libraries: tuple[str, ...]) -> Program | None:
        # Programs work in folders of their own, so a relative folder would be another one there.
        folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
        path = shutil.which(name, path=os.pathsep.join((*folders, *_SYSTEM_FOLDERS)))
        if path is None or (os.geteuid() == 0 and service_user.blocked_at(Path(path).parent) is not None):
            return None  # none, or one in a home that the service user may not enter
        found = Program(Path(path), {}, Path("/"))
        return found if all(found.find_library(library) for library in libraries) else None

    def _unpacked(self, name: str, package: str, libraries: tuple[str, ...]) -> Program:
        def fill(folder: Path) -> None:
            self._say(
                either(
                    f"{name}: getting Debian's package {package}, unpacked, not installed.",
                    f"{name}: Debian 패키지 {package}을(를) 받아 설치하지 않고 풀어 씁니다.",
                )
            )
            debian.unpack(package, folder)

        advice = f"Install the package {package} (apt-get install {package}), then start again."
        advice_ko = f"{package} 패키지를 설치한 뒤(apt-get install {package}) 다시 시작하십시오."
        if not debian.is_available():
            raise EmbeddedError(
                f"{name} was not found on this machine, which has no apt to get it from.",
                advice,
                ko=f"이 컴퓨터에 {name}이(가) 없고, 받아 올 apt도 없습니다. {advice_ko}",
            )
        root = self.folder(f"{debian.release()}-{package}", fill)
        folders = library_folders(root)
        for folder in _SYSTEM_FOLDERS:
            path = root / folder.lstrip("/") / name
            if path.is_file():
                program = Program(path, {"LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}, root)
                if all(program.find_library(library) for library in libraries):
                    return program
        raise EmbeddedError(
            f"Debian's package {package} in {root} lacks {name} or a part of it.",
            advice,
            ko=f"{root}의 Debian 패키지 {package}에 {name}이(가) 없거나 일부가 빠져 있습니다. {advice_ko}",
        )

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """What the system says about the folder, also that its disk is full, as a sentence."""
        try:
            yield
        except OSError as error:
            raise EmbeddedError(
                f"The packages folder {self.root} cannot be used: {reason(error)}.",
                f"Set {VARIABLE} to a folder that you may write, on a disk with about 200 MB free.",
                ko=f"패키지 폴더 {self.root}을(를) 쓸 수 없습니다({reason(error)}). "
                f"{VARIABLE}에 쓸 수 있고 200 MB쯤 남은 폴더를 지정하십시오.",
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process fills at a time; others wait for it and then find its work done."""
        descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(
                    either(
                        f"Another program fills {self.root}: waiting for it.",
                        f"다른 프로그램이 {self.root}을(를) 채우고 있어 기다립니다.",
                    )
                )
                # No deadline of its own: the holder's steps all have one, and the kernel frees a dead holder's lock.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _say_once(self, sentence: str) -> None:
        """A service that is started again finds its program again."""
        if sentence not in self._said:
            self._said.add(sentence)
            self._say(sentence)

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

from hub.programs.embedded import debian
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.patience import Say, silent

VARIABLE = "FLOORHUB_PACKAGES"
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
        return Path("/var/lib/floorhub/packages")
    base = environment.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / "floorhub" / "packages"


def library_folders(root: Path) -> list[Path]:
    """The folders below `root` where a Debian or other Linux system keeps shared libraries."""
    found: list[Path] = []
    for name in _LIBRARY_FOLDERS:
        folder = root / name
        found += sorted(folder.glob(f"{platform.machine()}-linux-gnu*"))
        found += [folder] if folder.is_dir() else []
    return found


class Packages:
    """Finds programs, and fetches Debian's package for one that is missing. Safe for concurrent processes."""

    def __init__(self, root: Path | None = None, say: Say = silent) -> None:
        """`say` hears one sentence before each download, since that can take minutes on a slow line."""
        self.root = root or default_root()
        self._say = say

    def program(self, name: str, package: str, libraries: tuple[str, ...] = ()) -> Program:
        """`name` from this machine, else from Debian's `package`; it comes with all `libraries`, such as plugins.

        Raises EmbeddedError when it is neither here nor to be had.
        """
        installed = self._installed(name, libraries)
        return installed or self._unpacked(name, package, libraries)

    def folder(self, name: str, fill: Callable[[Path], None]) -> Path:
        """The folder `name`, filled by `fill` if it is new. Appears at once and complete, or not at all."""
        final = self.root / name
        if final.is_dir():
            return final
        with self._locked():
            if final.is_dir():
                return final
            temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.root))
            try:
                fill(temporary)
                temporary.chmod(0o755)  # the service user reads here
                temporary.rename(final)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        return final

    def _installed(self, name: str, libraries: tuple[str, ...]) -> Program | None:
        path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS)))
        if path is None:
            return None
        found = Program(Path(path), {}, Path("/"))
        return found if all(found.find_library(library) for library in libraries) else None

    def _unpacked(self, name: str, package: str, libraries: tuple[str, ...]) -> Program:
        def fill(folder: Path) -> None:
            self._say(f"{name} is not installed here: getting Debian's package {package}, unpacked, not installed.")
            debian.unpack(package, folder)

        advice = f"Install the package {package} (apt-get install {package}), then start again."
        if not debian.is_available():
            raise EmbeddedError(f"{name} was not found on this machine, which has no apt to get it from.", advice)
        root = self.folder(f"{debian.release()}-{package}", fill)
        folders = library_folders(root)
        for folder in _SYSTEM_FOLDERS:
            path = root / folder.lstrip("/") / name
            if path.is_file():
                program = Program(path, {"LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}, root)
                if all(program.find_library(library) for library in libraries):
                    return program
        raise EmbeddedError(f"Debian's package {package} in {root} lacks {name} or a part of it.", advice)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process fills at a time; others wait for it and then find its work done."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o755)
            descriptor = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise EmbeddedError(
                f"The packages folder {self.root} cannot be used: {error.strerror}.",
                f"Set {VARIABLE} to a folder that you may write.",
            ) from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"Another program fills {self.root}: waiting for it.")
                # No deadline of its own: the holder's steps all have one, and the kernel frees a dead holder's lock.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

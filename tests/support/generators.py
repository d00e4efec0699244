"""Programs that generate clients, from locked requirements: made once, outside the checkout. Never a reason to skip."""

import hashlib
import subprocess
import sys
from pathlib import Path

from hub.programs.embedded.packages import Packages
from tests.support.paths import ROOT

INSTALL_DEADLINE_S = 300.0


def python_tools() -> Path:
    """The folder of the programs of `requirements/clients.txt`, in an environment of their own."""
    locked = ROOT / "requirements" / "clients.txt"
    digest = hashlib.sha256(locked.read_bytes() + sys.version.encode()).hexdigest()[:16]
    uv = str(Path(sys.executable).with_name("uv"))

    def install(folder: Path) -> None:
        environment = folder / "environment"
        python = str(environment / "bin" / "python")
        for arguments in (
            ["venv", "--quiet", "--relocatable", "--python", sys.executable, str(environment)],
            ["pip", "sync", "--quiet", "--require-hashes", "--python", python, str(locked)],
        ):
            done = subprocess.run(
                [uv, *arguments], cwd=folder, capture_output=True, text=True, timeout=INSTALL_DEADLINE_S, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr

    return Packages().folder(f"clients-{digest}", install) / "environment" / "bin"

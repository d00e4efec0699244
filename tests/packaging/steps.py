"""Steps of a build or of an installation."""

import os
import subprocess
from pathlib import Path

from tests.support.paths import ROOT

INSTALL_S = 300


def run(argv: list[str], *, cwd: Path = ROOT, within_s: float = INSTALL_S, **environment: str) -> str:
    """Run a step to its end; its standard output. Shows all it said when it fails."""
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=within_s, check=False
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
    return done.stdout

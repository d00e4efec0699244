"""The version before this one, built from the repository with its own lock."""

import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

COMMIT = (Path(__file__).parent / "previous_version.txt").read_text(encoding="ascii").strip()
BUILD_DEADLINE_S = 900


def built(folder: Path) -> Path:
    """Unpack and set up the previous version in a folder; its Python. Needs a clone with its whole history."""
    found = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "--format=tar", COMMIT], capture_output=True, check=False, timeout=60
    )
    assert found.returncode == 0, (
        f"the previous version {COMMIT} (tests/support/previous_version.txt) is not in this clone: fetch the whole "
        f"history with git fetch --unshallow. {found.stderr.decode(errors='replace')}"
    )
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=found.stdout, check=True, timeout=60)
    subprocess.run(
        [sys.executable, "-I", "scripts/setup_environment.py", "run"], cwd=folder, check=True, timeout=BUILD_DEADLINE_S
    )
    return folder / ".venv" / "bin" / "python"

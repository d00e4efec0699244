"""A restore in a process of its own that is killed at a step."""

import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT

KILLED = """
import os, sys
from pathlib import Path
from hub.programs.backup import carrying, marks, restoring
from hub.programs.backup.placement import Placement
from hub.programs.cli.backups import next_time

point, file, folder, url, replace = sys.argv[1:]
left = [int(point.partition(":")[2] or 1)]

def dies(target, name):
    whole = getattr(target, name)
    def step(*arguments, **named):
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)
        return whole(*arguments, **named)
    setattr(target, name, step)

dies(*{"load": (carrying, "carry"), "switch": (restoring._Restore, "_rename"), "files": (Placement, "put"),
    "move": (Placement, "_move"), "end": (marks, "remove")}[point.partition(":")[0]])
restoring.restore(Path(file), folder=Path(folder), database_url=url, replace=bool(replace), pg_bin=None,
    next_time=next_time, say=lambda sentence: None)
"""


def kill_restore(point: str, file: Path, folder: Path, url: str, *, replace: bool) -> None:
    """`point`: a step, or the nth time of it (`move:2`). Nothing is cleaned up after it."""
    arguments = [point, str(file), str(folder), url, "yes" if replace else ""]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 9, done.stderr

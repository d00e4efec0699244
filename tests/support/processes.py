"""What runs on this machine, by /proc."""

from pathlib import Path


def processes_in(folder: Path) -> list[str]:
    """The programs that work in `folder`, by name."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder.resolve():
                found.append((entry / "comm").read_text().strip())
        except OSError:
            continue
    return found

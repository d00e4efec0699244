"""Copies of the checkout without some features, and the tests of what is left."""

import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from tests.support.paths import ROOT

CORE = ("access", "audit", "broker", "clients", "commands", "documents", "http_clients", "presence")
TECHNOLOGY = ("api", "mqtt", "outbound")
KINDS = ("unit", "property", "integration")
COPIED = ("hub", "device_agent", "schemas", "broker_config", "tests", "docs", "pyproject.toml")


def features() -> list[str]:
    """All features, by their folders."""
    return sorted(file.parent.name for file in (ROOT / "hub/features").glob("*/subject.py"))


def importing(names: Collection[str]) -> re.Pattern[str]:
    """Finds what imports one of these features."""
    one = "|".join(names)
    return re.compile(rf"^\s*(?:from|import) hub\.features(?:\.| import )(?:{one})\b", flags=re.MULTILINE)


def dependants(feature: str) -> set[str]:
    """A feature and those whose code names it."""
    found, new = {feature}, {feature}
    while new:
        named = importing(new)
        new = {
            file.relative_to(ROOT / "hub/features").parts[0]
            for file in (ROOT / "hub/features").rglob("*.py")
            if named.search(file.read_text(encoding="utf-8"))
        } - found
        found |= new
    return found


def without(removed: Collection[str], folder: Path) -> Path:
    """A copy in `folder` without these features: their folders, their lines in the lists of `app` and of tables, and
    the tests that are theirs or name them. All of them: also the folder `features` itself."""
    ignored = shutil.ignore_patterns("__pycache__", "node_modules", ".*")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    gone = importing(removed)
    for feature in removed:
        shutil.rmtree(folder / "hub/features" / feature)
    if set(removed) == set(features()):
        shutil.rmtree(folder / "hub/features")
        gone = re.compile(r"^\s*(?:from|import) hub\.features\b", flags=re.MULTILINE)
    for name in ("hub/app.py", "hub/database/migrations/tables.py"):
        _forget(folder / name, removed)
    for file in (folder / "tests").rglob("*.py"):
        if gone.search(file.read_text(encoding="utf-8")):
            file.unlink()
    left = [file for file in (folder / "hub").rglob("*.py") if gone.search(file.read_text(encoding="utf-8"))]
    assert not [file for file in left if "programs/cli" not in str(file)], left
    return folder


def _forget(file: Path, removed: Collection[str]) -> None:
    """Take the lines about these features out of a list of imports."""
    names = "|".join(removed)
    text = file.read_text(encoding="utf-8")
    text = re.sub(rf"^from hub\.features\.(?:{names}) import .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(rf"^    (?:{names})\.build,\n", "", text, flags=re.MULTILINE)
    text = re.sub(rf'"(?:{names})", ', "", text)
    file.write_text(text, encoding="utf-8")


def run_tests(
    folder: Path, subjects: Sequence[str], *arguments: str, kinds: Sequence[str] = KINDS
) -> subprocess.CompletedProcess[str]:
    """Run the tests of these subjects in a copy."""
    places = [f"tests/{kind}/{subject}" for kind in kinds for subject in subjects]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    argv += [place for place in places if any((folder / place).rglob("test_*.py"))]
    environment = {"PYTHONPATH": str(folder)}
    return subprocess.run(
        ["env", *(f"{name}={value}" for name, value in environment.items()), *argv],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

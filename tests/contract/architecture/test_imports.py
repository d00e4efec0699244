"""The import contracts refuse a wrong import of each kind, planted into a copy of the packages."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("hub", "device_agent", "schemas", "broker_config")
PLANTS = [
    ("schemas/topics.py", "import hub.errors", "The contract knows neither side"),
    ("device_agent/app.py", "import hub.errors", "The agent runs without the hub"),
    ("broker_config/render.py", "import hub.errors", "The broker's files know the contract only"),
    ("hub/api/problems.py", "import hub.core.audit.store", "technology, core, features, programs"),
    ("hub/database/engine.py", "import hub.core.audit.store", "technology, core, features, programs"),
    ("hub/core/commands/service/commands.py", "import hub.features.batches.rules", "technology, core, features"),
    ("hub/features/batches/store.py", "import hub.runtime", "technology, core, features, programs"),
    ("hub/runtime.py", "import hub.programs.embedded.ports", "technology, core, features, programs"),
    ("hub/core/documents/service/documents.py", "import hub.core.commands.rules.lanes", "Core: what delivery needs"),
    ("hub/core/broker/service/outbound.py", "import hub.core.http_clients.store", "Core: what delivery needs"),
    ("hub/features/batches/store.py", "import hub.features.schedules.rules", "Features: each can be removed"),
    ("hub/features/schedules/store.py", "import hub.features.dead_letters.rules", "Features: each can be removed"),
    ("hub/features/batches/rules.py", "import hub.features.batches.store", "Inside each subject"),
    ("hub/core/commands/store/submit.py", "import hub.core.commands.service.submission", "Inside each subject"),
    ("hub/programs/cli/groups.py", "import hub.database.engine", "The command line speaks HTTP"),
]
NEW = [
    ("hub/newcomer", "technology, core, features, programs"),
    ("hub/core/newcomer", "Core: what delivery needs"),
    ("hub/features/newcomer", "Features: each can be removed"),
    ("hub/features/batches/newcomer", "Inside each subject"),
]


def lint(folder: Path) -> dict[str, str]:
    """What the report says of each contract that does not hold, by the contract's name."""
    argv = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    broken = re.findall(r"^(.+) BROKEN\b", done.stdout, flags=re.MULTILINE)
    assert (done.returncode == 0) == (not broken), done.stdout
    assert "Contracts: " in done.stdout
    _, _, details = done.stdout.partition("Broken contracts\n")
    parts = re.split(rf"^({'|'.join(map(re.escape, broken))})\n-+$", details, flags=re.MULTILINE) if broken else []
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def copied(folder: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def imports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report about a copy with every wrong import."""
    folder = copied(tmp_path_factory.mktemp("imports"))
    for file, line, _ in PLANTS:
        with (folder / file).open("a", encoding="utf-8") as planted:
            planted.write(f"\n{line}\n")
    return lint(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report about a copy with every new folder."""
    folder = copied(tmp_path_factory.mktemp("folders"))
    for name, _ in NEW:
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    return lint(folder)


def said_of(report: dict[str, str], contract: str) -> str:
    return "".join(text for name, text in report.items() if contract in name)


def test_all_contracts_hold() -> None:
    assert lint(ROOT) == {}


@pytest.mark.parametrize(("file", "line", "contract"), PLANTS)
def test_a_wrong_import_breaks_its_contract(imports: dict[str, str], file: str, line: str, contract: str) -> None:
    importer = file.removesuffix(".py").replace("/", ".")
    assert f"{importer} -> {line.removeprefix('import ')}" in said_of(imports, contract)


@pytest.mark.parametrize(("folder", "contract"), NEW)
def test_a_new_folder_must_choose_its_place(folders: dict[str, str], folder: str, contract: str) -> None:
    assert folder.replace("/", ".") in said_of(folders, contract)

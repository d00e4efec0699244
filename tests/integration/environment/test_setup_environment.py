"""The set-up of `.venv`: its result depends on the locks alone, and a place where it cannot be made is named."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

SCRIPT = ROOT / "scripts" / "setup_environment.py"


def checkout(place: Path) -> Path:
    """The script at a place of its own; it works on the folder above it."""
    (place / "scripts").mkdir(parents=True)
    return Path(shutil.copy(SCRIPT, place / "scripts"))


def loaded(script: Path) -> dict[str, Any]:
    """What the script defines."""
    return runpy.run_path(str(script))


def complete(script: Path) -> dict[str, Any]:
    """A checkout whose set-up ended well."""
    setup = loaded(script)
    setup["make_venv"]()
    setup["STAMP"].write_text(json.dumps({"lock": "run", "venv": setup["venv_identity"]()}))
    return setup


@pytest.mark.parametrize("name", ["a\nb", "a:b", "caf\udce9"])
def test_a_place_that_environments_cannot_bear_is_named(tmp_path: Path, name: str) -> None:
    script = checkout(tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-I", str(script), "run"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "Rename or move it" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (script.parents[1] / ".venv").exists()


def test_an_environment_is_ours_only_where_it_was_made(tmp_path: Path) -> None:
    here, there = tmp_path / 'it\'s "here" $HOME', tmp_path / "한글"
    setup = complete(checkout(here))
    assert setup["is_ours"]()
    shutil.move(here, there)
    assert not loaded(there / "scripts" / SCRIPT.name)["is_ours"]()


def test_an_environment_that_another_python_or_a_killed_start_left_is_made_anew(tmp_path: Path) -> None:
    setup = complete(checkout(tmp_path))
    stamp = json.loads(setup["STAMP"].read_text())
    setup["STAMP"].write_text(json.dumps(stamp | {"venv": [stamp["venv"][0], "(3, 9) cpython"]}))
    assert not setup["is_ours"]()
    for unfinished in ("", "{", "[]", "{}"):
        setup["STAMP"].write_text(unfinished)
        assert not setup["is_ours"]()
    foreign = setup["VENV"] / "lib" / "left.pth"
    foreign.write_text("import sys\n")
    setup["make_venv"]()
    assert not foreign.exists()


def test_a_run_after_an_update_keeps_the_tools_of_tests(tmp_path: Path) -> None:
    setup = complete(checkout(tmp_path))
    stamp = json.loads(setup["STAMP"].read_text())
    assert setup["lock_to_install"]("run") == "run"
    setup["STAMP"].write_text(json.dumps(stamp | {"lock": "dev", "digest": "of a version before"}))
    assert setup["lock_to_install"]("run") == "dev"
    setup["STAMP"].write_text(json.dumps(stamp | {"lock": "dev", "venv": ["elsewhere", ""]}))
    assert setup["lock_to_install"]("run") == "run"


def test_settings_say_where_packages_come_from_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"PIP_INDEX_URL": "https://mirror/simple", "PIP_CERT": "/ca.pem", "UV_INDEX_SHOP_USERNAME": "kim"}
    dropped = ("PIP_TARGET", "PIP_USER", "PIP_CONSTRAINT", "PIP_REQUIRE_VIRTUALENV", "UV_SYSTEM_PYTHON", "UV_OVERRIDE")
    for name in (*dropped, "PYTHONPATH", "PYTHONHOME", "PYTHONOPTIMIZE", "VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.setenv(name, "1")
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    environment = loaded(SCRIPT)["environment"]()
    assert kept.items() <= environment.items()
    assert [name for name in environment if name.startswith(("PYTHON", "VIRTUAL", "CONDA")) or name in dropped] == []


def test_a_home_that_is_missing_or_closed_costs_the_cache_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = loaded(SCRIPT)["cache_folder"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache() == str(tmp_path / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache() == str(tmp_path / ".cache")
    monkeypatch.setenv("HOME", "/proc/nowhere")
    assert cache() != "/proc/nowhere/.cache"
    monkeypatch.delenv("HOME")
    assert cache() is None or Path(cache()).is_absolute()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes into the homes of others")
def test_root_leaves_nothing_in_the_cache_of_the_user_who_called_sudo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(tmp_path, 65534, 65534)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert loaded(SCRIPT)["cache_folder"]() != str(tmp_path / ".cache")

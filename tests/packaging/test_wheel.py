"""The wheel has all files, and an agent that is installed from it alone prints."""

import json
import os
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from schemas.version import build_of
from tests.packaging.steps import run
from tests.support.paths import ROOT
from tests.support.site import Process, Site

PACKAGES = ("hub", "device_agent", "schemas", "broker_config")
LOCKED = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", flags=re.MULTILINE)
HUB_ONLY = ("fastapi", "sqlmodel", "sqlalchemy", "psycopg", "pydantic", "typer", "uvicorn", "alembic")


def locked(name: str) -> dict[str, str]:
    """Package and version of a lock."""
    return dict(LOCKED.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


def test_the_wheel_has_every_file_of_the_packages_and_no_other(wheel: Path) -> None:
    listed = run(["git", "ls-files", *PACKAGES]).splitlines()
    # Of the pages the wheel has what was built; an image builds them before it.
    tracked = {name for name in listed if (ROOT / name).exists() and not name.startswith("hub/web/")}
    packed = set(zipfile.ZipFile(wheel).namelist())

    assert tracked - packed == set()
    assert [name for name in packed if name.startswith("hub/web/") and not name.startswith("hub/web/dist/")] == []
    assert {Path(name).suffix for name in tracked} >= {".py", ".sql", ".mako", ".ini", ".conf", ".acl", ".json", ".sh"}
    assert {name.partition("/")[0] for name in packed} == {*PACKAGES, "floorhub-0.1.0.dist-info"}


@pytest.mark.parametrize("name", ["run", "hub", "agent", "build", "tools"])
def test_a_smaller_lock_has_the_versions_that_are_tested(name: str) -> None:
    tested = {**locked("dev"), **locked("tools")}
    assert {package: tested.get(package) for package in locked(name)} == locked(name)


@pytest.mark.parametrize("name", ["agent", "hub"])
def test_a_lock_has_what_the_project_asks_for(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = project["dependencies"] + (project["optional-dependencies"]["hub"] if name == "hub" else [])
    names = {re.split(r"[\[>=<]", requirement)[0].lower() for requirement in asked}
    assert names - locked(name).keys() == set()


def test_an_agent_alone_brings_nothing_of_the_hub(agent_environment: Path) -> None:
    look = f"import importlib.util as u; print([name for name in {HUB_ONLY} if u.find_spec(name)])"
    assert run([f"{agent_environment}/bin/python", "-c", look]) == "[]\n"


def test_the_version_names_the_build_that_is_in_the_wheel(agent_environment: Path, wheel: Path) -> None:
    record = zipfile.ZipFile(wheel).read("floorhub-0.1.0.dist-info/RECORD").decode()
    version = f"0.1.0+{build_of(record)}"
    assert run([f"{agent_environment}/bin/floorhub-agent", "--version"]) == f"floorhub-agent {version}\n"
    assert re.fullmatch(r"0\.1\.0\+[0-9a-f]{8}", version)


def test_an_agent_alone_prints_and_is_examined(agent_environment: Path, site: Site, tmp_path: Path) -> None:
    client = site.client()
    config = site.configure(client, site.office(), file=tmp_path / "agent.toml")
    program = f"{agent_environment}/bin/floorhub-agent"

    # From another folder and without this checkout on the path: nothing may be found but what was installed.
    done = subprocess.run(
        [program, "doctor", "--config", str(config), "--json"],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"] is True

    agent = Process(
        "installed agent", ["env", "-u", "PYTHONPATH", program, "run", "--config", str(config)], {}, tmp_path / "log"
    )
    agent.start()
    try:
        site.wait_online(client["id"], agent)
        command = site.print_page(client["id"], wait=30)
    finally:
        exit_code = agent.stop()

    assert command["status"] == "completed", command
    assert len(site.effects(command["id"])) == 1
    assert exit_code == 0

"""The build of the pages beside everything else, as `floorhub up` starts it, and by hand."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.programs import web_build
from hub.programs.cli.pages import PagesBuild, settings
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.node import Node
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.stack import Stack, StackOptions
from tests.support.folders import open_folder
from tests.support.waiting import until

URL = "http://127.0.0.1:8080"
NO_REGISTRY = "http://127.0.0.1:9/"
"""A port that nobody listens on."""


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty packages folder."""
    with open_folder("packages") as root:
        monkeypatch.setenv("FLOORHUB_PACKAGES", str(root))
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", NO_REGISTRY)
        monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
        yield root


@pytest.fixture
def installed(packages: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that has what npm installs, and nothing built."""
    with monkeypatch.context() as outside:
        outside.delenv("FLOORHUB_PACKAGES")
        outside.delenv("NPM_CONFIG_REGISTRY")
        modules = Node.find().modules(web_build.packages(), web_build.SOURCES)
    (packages / "web").mkdir()
    (packages / "web" / modules.parent.name).symlink_to(modules.parent)
    return packages


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack without any service."""
    options = StackOptions(database_url="postgresql://nobody@127.0.0.1:1/none", own_broker=False, own_printer=False)
    with (
        open_folder("stack") as root,
        Stack(DataFolder.prepare(root), Packages(), options, lambda _: ()) as running,
    ):
        yield running


def said_by(stack: Stack) -> list[str]:
    said: list[str] = []
    build = PagesBuild(stack, said.append, URL)
    build.begin()
    if said:
        until(lambda: len(said) > 1, lambda: f"the end of the build, after {said}", step=build.look)
        build.look()
    return said


def test_pages_are_built_once_and_the_hub_is_told_where(stack: Stack, installed: Path) -> None:
    folder = Path(settings()["FLOORHUB_PAGES_FOLDER"])
    assert folder.parent == installed / "web"
    assert not folder.exists()

    begun, ended = said_by(stack)

    assert begun.startswith("Building the pages")
    assert ended == f"The pages are ready: {URL}"
    assert (folder / "apps" / "console" / "index.html").is_file()
    assert said_by(stack) == [], "these sources are built"


def test_without_a_registry_one_sentence_says_where_to_look(stack: Stack, packages: Path) -> None:
    _, ended = said_by(stack)
    assert "could not be built; everything else works" in ended
    assert "make pages" in ended
    log = Path(ended.partition("See ")[2].partition(", then")[0])
    assert "npm-cli.js failed" in log.read_text()
    assert not Path(settings()["FLOORHUB_PAGES_FOLDER"]).exists()


def test_by_hand_npms_own_words_are_shown(packages: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.programs.web_build"],
        env={**os.environ, "LANG": "ko_KR.UTF-8", "LC_ALL": "ko_KR.UTF-8"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "실패했습니다" in done.stderr
    assert "ECONNREFUSED" in done.stderr
    assert "Traceback" not in done.stderr

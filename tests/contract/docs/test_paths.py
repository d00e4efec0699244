"""Paths in backticks lead somewhere. Dated decisions stay as they were written."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FOLDERS = "hub|device_agent|schemas|broker_config|tests|scripts|packaging|docs|requirements"
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./<>*-]*)`")
MODULE = re.compile(r"`((?:hub|device_agent|tests|broker_config)(?:\.[a-z_]+)+)`")
TOPICS = {"hub/presence", "hub/keys"}
"""Of the broker, not of the checkout."""
PAGES = sorted(page for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if "decisions" not in page.parts)
SOURCES = sorted(file for folder in ("hub", "device_agent", "tests") for file in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_a_page_exist(page: Path) -> None:
    named = set(PATH.findall(page.read_text(encoding="utf-8"))) - TOPICS
    assert {path for path in named if "<" not in path and not list(ROOT.glob(path.rstrip("/")))} == set()


def test_modules_and_paths_in_comments_exist() -> None:
    missing = []
    for file in SOURCES:
        text = file.read_text(encoding="utf-8")
        missing += [(file.name, path) for path in PATH.findall(text) if path not in TOPICS and not _is_there(path)]
        missing += [(file.name, name) for name in MODULE.findall(text) if not _is_module(name)]
    assert missing == []


def _is_there(path: str) -> bool:
    return "<" in path or bool(list(ROOT.glob(path.rstrip("/"))))


def _is_module(name: str) -> bool:
    """A module, or something in one: `hub.subject.Subject`."""
    parts = name.split(".")
    places = [ROOT.joinpath(*parts[:end]) for end in range(len(parts), 1, -1)][:2]
    return any(place.is_dir() or place.with_suffix(".py").exists() for place in places)

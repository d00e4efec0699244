"""Words that the field does not use are gone: from the API, the command line, log events, metrics, docs and code.

Wire fields and database columns keep their names; they are named here where they would be found.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.api.server import application
from hub.app import Hub
from tests.contract.json_objects import objects
from tests.support.hubs import settings, subjects
from tests.support.paths import ROOT

FIELDS = {
    "way": "timeline",
    "trouble": "blocked_by",
    "silent": "unresponsive",
    "keep_away": "fenced",
    "kept_away": "fenced",
    "client_kept_away": "client_fenced",
    "release": "unfence",
}
"""Of the API: fields, parameters, values, codes, and parts of paths."""
EVENTS = {
    "command.stands": "command.stalled",
    "disk.well": "disk.recovered",
    "document.brought": "document.fetched",
    "client.doubted": "client.unverified",
}
PHRASES = {
    "the way of a command": "the timeline of a command",
    "stands where it stands": "has not run yet",
    "asking again is harmless": "idempotent",
    "without a difference": "idempotent",
    "short way": "fast path",
    "long way": "slow path",
    "signs of life": "liveness",
    "sign of life": "liveness",
    "each hop": "each step",
    "every hop": "every step",
    "hop by hop": "step by step",
    "(hop)": "step",
}
"""Of docs, descriptions of the API, help of the command line, and docstrings."""
ODD = (
    "what one can do",
    "paste this as it is",
    "no word within",
    "waits for a person",
    "goes on by itself",
    "mend the cause",
    "need not be named",
    "what came in waits",
    "who may no longer",
    "without fear",
    "is never starved",
    "a proxy that opens tls",
    "goes on by",
    "stands in the way",
    "look at the device whether",
    "what came of it",
    "what is not given",
    "is not used again",
)
"""Of pages that people read from start to end: sentences that newcomers had to read twice."""
NAMES = {
    *("SignsOfLife", "Heard", "Sign", "Judgement", "ShortWay", "SentTimes", "FanOut", "Firing", "LocalWay"),
    *(
        "Hop",
        "HopOutput",
        "Tap",
        "Wire",
        "Stage",
        "Said",
        "Roll",
        "Witness",
        "Floor",
        "BatchWatch",
        "StandingWatch",
        "ScheduleWatch",
    ),
}
"""Of code: classes."""
PAGES = sorted(page for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if "decisions" not in page.parts)
CHANGELOG = ROOT / "CHANGELOG.md"
"""Names old words so that operators find them."""
SOURCES = sorted(file for folder in ("hub", "device_agent", "tests") for file in (ROOT / folder).rglob("*.py"))
THIS = Path(__file__)


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    hub = Hub(settings(data_dir=tmp_path_factory.mktemp("data")))
    routers = [router for subject in hub.subjects for router in subject.routers]
    return application(hub.parts, routers).openapi()


def words_of(schema: Any) -> Iterator[str]:
    """Names and values of a description: keys of properties, names of parameters, enums, parts of paths."""
    for part in objects(schema):
        yield from part.get("properties", {})
        yield from (str(value) for value in part.get("enum", []))
        if isinstance(part.get("name"), str):
            yield part["name"]


def test_the_api_has_none_of_the_old_words(description: dict[str, Any]) -> None:
    words = set(words_of(description)) | {part for path in description["paths"] for part in path.split("/")}
    assert words & FIELDS.keys() == set()
    errors = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    codes = set(re.findall(r"^\| `?(\w+)`? \|", errors, flags=re.MULTILINE))
    assert codes & FIELDS.keys() == set()


def test_the_log_has_none_of_the_old_names() -> None:
    names = {event.value for subject in subjects() for events in subject.events for event in events}
    assert names & EVENTS.keys() == set()


@pytest.mark.parametrize("group", ["", "client", "group", "batch", "schedule", "actions", "dead-letters", "command"])
def test_the_command_line_has_none_of_the_old_words(group: str) -> None:
    argv = [str(Path(sys.executable).with_name("floorhub")), *group.split(), "--help"]
    help_text = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout
    commands = set(re.findall(r"^  ([a-z-]+)  ", help_text, flags=re.MULTILINE))
    assert commands & FIELDS.keys() == set()
    assert [phrase for phrase in PHRASES if phrase in " ".join(help_text.lower().split())] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_docs_have_none_of_the_old_words(page: Path) -> None:
    text = " ".join(page.read_text(encoding="utf-8").lower().split())
    assert [phrase for phrase in PHRASES if phrase in text] == []
    assert [phrase for phrase in ODD if phrase in text] == []
    if page != CHANGELOG:
        assert [name for name in EVENTS if f"`{name}`" in text] == []
        assert [name for name in ("trouble", "silent", "kept_away", "client_kept_away") if f"`{name}`" in text] == []


def test_the_code_has_none_of_the_old_words() -> None:
    gap = r"[\s\"#]+"
    phrases = re.compile("|".join(gap.join(map(re.escape, phrase.split())) for phrase in PHRASES), flags=re.IGNORECASE)
    named = re.compile(rf"^\s*class ({'|'.join(sorted(NAMES))})\b", flags=re.MULTILINE)
    found = []
    for file in SOURCES:
        if file == THIS:
            continue
        text = file.read_text(encoding="utf-8")
        found += [(str(file.relative_to(ROOT)), name) for name in named.findall(text)]
        found += [(str(file.relative_to(ROOT)), phrase) for phrase in phrases.findall(text)]
    assert found == []

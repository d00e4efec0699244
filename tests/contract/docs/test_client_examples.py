"""The example clients, and what `floorhub conformance` says about where a thing is written."""

import json
import re
from pathlib import Path

import pytest

from hub.programs.conformance.catalogue import CHECKS, PAGE, Check
from tests.contract.docs.pages import anchors
from tests.support.paths import ROOT

EXAMPLES = ROOT / "docs" / "examples"
CLIENTS = [
    EXAMPLES / "python" / "client.py",
    EXAMPLES / "python" / "http_client.py",
    EXAMPLES / "javascript" / "client.js",
    EXAMPLES / "generated" / "typescript" / "order.ts",
    EXAMPLES / "generated" / "python" / "order.py",
]


@pytest.mark.parametrize("file", CLIENTS, ids=lambda file: file.name)
def test_an_example_is_short_and_needs_nothing_of_this_repository(file: Path) -> None:
    source = file.read_text(encoding="utf-8")

    assert len(source.splitlines()) < 150
    assert not re.search(r"^(from|import) .*\b(schemas|hub|device_agent)\b", source, re.MULTILINE)


@pytest.mark.parametrize("folder", ["javascript", "generated/typescript"])
def test_an_example_for_node_is_locked_and_names_no_registry(folder: str) -> None:
    package = json.loads((EXAMPLES / folder / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((EXAMPLES / folder / "package-lock.json").read_text(encoding="utf-8"))

    needed = {**package["dependencies"], **package.get("devDependencies", {})}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in needed.values())
    locked = {name: entry for name, entry in lock["packages"].items() if name}
    assert locked
    assert all("resolved" not in entry and entry["integrity"].startswith("sha512-") for entry in locked.values())


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.name)
def test_what_a_client_owes_is_written_where_the_check_says(check: Check) -> None:
    page = ROOT / PAGE
    if check.step.isdigit():
        steps = page.read_text(encoding="utf-8").split("## What a basic client does")[1].split("\n## ")[0]
        assert f"\n{check.step}. **" in steps
    else:
        assert check.step.lower().replace(" ", "-") in anchors(page)

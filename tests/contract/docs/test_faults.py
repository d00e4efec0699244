"""The table of faults and the tests name the same rows."""

import re

from tests.support.paths import ROOT

TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "explanation" / "proof.md"
MARK = re.compile(r'^@pytest\.mark\.fault\("(F\d+)"\)$', re.MULTILINE)
ROW = re.compile(r"^\| (F\d+) \|", re.MULTILINE)


def test_every_row_has_a_test_and_every_marked_test_a_row() -> None:
    marked = {row for file in TESTS.rglob("test_*.py") for row in MARK.findall(file.read_text(encoding="utf-8"))}

    assert marked == set(ROW.findall(PAGE.read_text(encoding="utf-8")))

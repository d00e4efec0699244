"""Each PDF that the docs or the programs make by hand is well-formed: a strict printer takes it, and no queue logs that
it had to repair it."""

import re
import subprocess
from pathlib import Path

import pytest

from hub.programs.cli import testpage
from tests.support import cups
from tests.support.paths import ROOT
from tests.support.pdf import faults

READMES = ("README.md", "README.ko.md")


def _of_readme(name: str) -> bytes:
    """What the example's own lines make."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = re.search(r"^text = .*?^page = [^\n]*encode\(\)$", text, re.DOTALL | re.MULTILINE)
    assert lines is not None
    made: dict[str, object] = {}
    exec(lines[0], made)  # noqa: S102 - our own README
    page = made["page"]
    assert isinstance(page, bytes)
    return page


def _pages() -> dict[str, bytes]:
    return {
        **{name: _of_readme(name) for name in READMES},
        "test page": testpage.page(["Floorhub", "(a \\ b) ((", "한글", "é ü ÿ"]),
        "empty test page": testpage.page([]),
        "support": cups.document(["first", "second"]),
    }


@pytest.mark.parametrize("name", [*READMES, "test page", "empty test page", "support"])
def test_a_strict_reader_finds_nothing_to_repair(name: str) -> None:
    assert faults(_pages()[name]) == []


def test_both_languages_make_the_same_page() -> None:
    assert _of_readme(READMES[0]) == _of_readme(READMES[1])


def test_no_other_page_of_the_docs_makes_a_pdf_by_hand() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    making = [name for name in listed.stdout.split() if "%PDF-1" in Path(ROOT, name).read_text(encoding="utf-8")]
    assert sorted(making) == sorted(READMES)


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        (b"/Length 41>>", b"/Length 40>>", "a stream of 41 bytes"),
        (b"0000000009 0", b"0000000010 0", "object 1 is not at 10"),
        (b"startxref\n", b"startxref\n1", "is not the place of a table"),
        (b" 65535 f", b" 00000 n", "entry 0 is not free"),
        (b"/Size 6", b"/Size 5", "/Size"),
        (b"/Root 1", b"/Root 2", "/Root"),
        (b"xref\n0 6", b"xref\n0 7", "the table has 6 lines"),
        (b"%%EOF", b"", "no trailer"),
        (b"%PDF", b"%pdf", "no header"),
    ],
)
def test_the_strict_reader_is_one(right: bytes, wrong: bytes, fault: str) -> None:
    page = _of_readme("README.md")
    broken = page.replace(right, wrong, 1)
    assert broken != page
    assert any(fault in found for found in faults(broken)), faults(broken)

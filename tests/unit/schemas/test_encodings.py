"""Bytes whose encoding nobody names, on systems of any encoding."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas import terminal
from schemas.encodings import guessed
from tests.support.paths import ROOT

SYSTEMS = ("UTF-8", "ANSI_X3.4-1968", "EUC-KR", "CP949", "ISO-8859-1")
PROGRAM = """
import os, sys
from schemas import terminal, utf8_mode
from pathlib import Path
utf8_mode.ensure()
terminal.prepare()
for name in sys.argv[2:]:
    Path(sys.argv[1], name).write_text("x")
    terminal.write(terminal.recovered(name))
print(os.getpid(), sys.flags.utf8_mode, sys.stdout.encoding)
"""


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain.pdf", "plain.pdf"),
        ("1층 ①🙂".encode(), "1층 ①🙂"),
        ("라벨.pdf".encode(), "라벨.pdf"),
        ("한글".encode(), "한글"),
        ("주문-①-€.pdf".encode(), "주문-①-€.pdf"),
        ("라벨-1001.txt".encode("cp949"), "라벨-1001.txt"),
        ("a한.pdf".encode("cp949"), "a한.pdf"),
        ("똠방각하.pdf".encode("cp949"), "똠방각하.pdf"),
        (b"", ""),
    ],
)
def test_korean_is_read_everywhere(raw: bytes, text: str, system: str) -> None:
    if system == "EUC-KR" and "똠" in text:  # which EUC-KR lacks: CP949 is read instead
        assert guessed(raw, "ascii") == text
    assert guessed(raw, system) == text


@pytest.mark.parametrize("system", ["UTF-8", "ANSI_X3.4-1968", "ISO-8859-1"])
@pytest.mark.parametrize("text", ["café.pdf", "Größe 2.pdf", "Ärzte", "Übersicht.txt", "façade", "año"])
def test_words_of_iso_8859_1_are_read(text: str, system: str) -> None:
    assert guessed(text.encode("latin-1"), system) == text
    assert guessed(text.encode(), system) == text


@pytest.mark.parametrize("system", ["UTF-8", "ANSI_X3.4-1968", "EUC-KR"])
@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"\xff\xfe-1.txt", "\ufffd\ufffd-1.txt"), (b"\x80.pdf", "\ufffd.pdf"), (b"a\xb1\x00", "a\ufffd\x00")],
)
def test_plain_wrong_bytes_have_a_sign(raw: bytes, text: str, system: str) -> None:
    assert guessed(raw, system) == text


@pytest.mark.parametrize(("typed", "read"), [("키", "키"), ("차 칠", "차 칠"), ("가나", "가나"), ("층", "층")])
def test_what_is_typed_in_an_old_terminal_is_korean_also_where_it_is_utf_8_by_chance(typed: str, read: str) -> None:
    assert guessed(typed.encode("euc_kr"), "EUC-KR") == read


NAMES = [
    b"plain.txt",
    "라벨.txt".encode(),
    "라벨.txt".encode("cp949"),
    "café.txt".encode("latin-1"),
    b"\xff\xfe-1.txt",
    "①🙂.txt".encode(),
    b"\x91-\x80.txt",
]


@pytest.mark.parametrize(
    "settings",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C.UTF-8"},
        {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", "PYTHONIOENCODING": "latin-1"},
        {"LANG": "ko_KR"},
    ],
    ids=["ascii", "utf_8", "latin_1_terminal", "old_locale_if_installed"],
)
def test_names_keep_their_bytes_whatever_the_locale_is(settings: dict[str, str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), *map(os.fsdecode, NAMES)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **settings},
    ) as program:
        said = program.communicate(timeout=60)[0].splitlines()
    assert program.returncode == 0
    assert sorted(os.fsencode(file.name) for file in tmp_path.iterdir()) == sorted(NAMES)
    number, mode, encoding = said[-1].split()
    assert int(number) == program.pid
    if settings.get("PYTHONUTF8") == "0" and settings["LC_ALL"] == "C":
        assert (mode, encoding) == (b"1", b"ascii")
        assert said[1] == b"??.txt"
    else:
        assert said[0] == b"plain.txt"


def test_text_that_is_whole_is_left_alone() -> None:
    assert terminal.recovered("Ű 키 é 漢") == "Ű 키 é 漢"

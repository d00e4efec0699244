"""Text of others: shown as text, and read from wherever it was edited."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.text import TextError, decode, json_text, label, printable

OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def obeyed(text: str) -> list[str]:
    """Characters that a terminal would obey or hide."""
    return [char for char in text if unicodedata.category(char) in OBEYED]


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("1[/x]", "1[/x]"),
        ("plain 한글 ①🙂", "plain 한글 ①🙂"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("a\x7fb\x00", "a\\x7fb\\x00"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("txt.\u202egpj\u2066", "txt.\\u202egpj\\u2066"),
        ("a\u200bb\ufeffc\u3164d", "a\\u200bb\\ufeffc\\u3164d"),
        ("half \ud83d", "half \\ud83d"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_escaped(given_: str, shown: str) -> None:
    assert printable(given_) == shown


def test_a_very_long_text_is_cut_and_says_so() -> None:
    assert printable("가" * 5_000, 100) == "가" * 100 + "... (4900 more characters)"


@given(st.text(st.characters(codec=None)))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert obeyed(printable(text)) == []
    shown = json_text({text: [text]})
    assert obeyed(shown) == []
    assert json.loads(shown) == {text: [text]}


@given(st.text(st.characters(codec=None)))
def test_a_label_has_no_character_that_hides_separates_or_breaks(text: str) -> None:
    made = label(text, 50)
    assert obeyed(made) == []
    assert not set(made) & set("/\\")
    assert len(made) <= 50
    assert label(made, 50) == made


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("주문\\라벨.txt", "주문_라벨.txt"),
        ("line\nbreak.txt", "line break.txt"),
        (unicodedata.normalize("NFD", "주문.txt"), "주문.txt"),
        ("a" * 300, "a" * 200),
        (" \u200b\u202e ", ""),
    ],
)
def test_a_name_becomes_a_label(name: str, shown: str) -> None:
    assert label(name, 200) == shown


@pytest.mark.parametrize(
    "raw",
    [
        "가=1\nb=2\n".encode(),
        "가=1\r\nb=2\r\n".encode(),
        "가=1\nb=2\n".encode("utf-8-sig"),
        "가=1\r\nb=2\r\n\x1a".encode("utf-8-sig"),
        "가=1\r\nb=2\r\n\x00\x00".encode(),
    ],
    ids=["plain", "crlf", "mark", "mark_crlf_ctrl_z", "trailing_nul"],
)
def test_utf_8_is_read_as_windows_editors_write_it(raw: bytes) -> None:
    assert decode(raw) == "가=1\nb=2\n"


@pytest.mark.parametrize(
    ("raw", "line", "name"),
    [
        ("a = 1\n".encode("utf-16"), 1, "UTF-16"),
        ("가\n".encode("utf-16"), 1, "UTF-16"),
        ("secret".encode("utf-16-le"), 1, "UTF-16"),
        ("client = 1\n가 = 2\n".encode("utf-16-be"), 1, "UTF-16"),
        ("a = 1\n".encode("utf-32"), 1, "UTF-32"),
        ("a = 1\nb = '주문'\n".encode("cp949"), 2, "CP949"),
        (b"a = 1\n\nb = '\xff\xff'\n", 3, ""),
        (b"a = 1\nb = '\x00'\n", 2, "NUL"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line_and_what_to_do(raw: bytes, line: int, name: str) -> None:
    with pytest.raises(TextError) as caught:
        decode(raw)
    problem = caught.value
    assert problem.english.startswith(f"line {line}")
    assert problem.korean.startswith(f"{line}번째 줄")
    for sentence in (problem.english, problem.korean):
        assert name in sentence
        assert "UTF-8" in sentence

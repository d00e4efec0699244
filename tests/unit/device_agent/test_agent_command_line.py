"""`floorhub-agent` on the command line: help in two languages that fits 80 columns, and errors."""

import argparse
import unicodedata
from collections.abc import Iterator

import pytest

from device_agent import command_line
from device_agent.command_line import PAGES
from schemas.version import installed_version

LANGUAGES = ("C.UTF-8", "ko_KR.UTF-8")


def cells(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in line)


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    top = command_line._parser()
    yield "", top
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", [0, 1], ids=["en", "ko"])
def test_a_page_fits_80_columns_and_names_every_option_and_choice(page: str, language: int) -> None:
    text = PAGES[page][language]
    assert max(map(cells, text.splitlines())) <= 80
    assert (max(map(cells, text.splitlines())) > len(max(text.splitlines(), key=len))) == bool(language)
    parser = dict(parsers())[page]
    for action in parser._actions:
        words = [*action.option_strings, *(action.choices or ())]
        assert [word for word in words if word not in text] == []
    assert ("required" in text or "필수" in text) == any(action.required for action in parser._actions if page)


def test_every_command_has_its_page() -> None:
    assert {name for name, _ in parsers()} == set(PAGES)


def said(arguments: list[str], lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("LANG", lang)
    with pytest.raises(SystemExit) as ended:
        command_line.parse(arguments)
    return ended.value.code, *capsys.readouterr()


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("page", PAGES)
def test_help_is_asked_for_in_two_ways(
    page: str, option: str, lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, error = said([*([page] if page else []), option], lang, monkeypatch, capsys)
    assert (code, out, error) == (0, f"{PAGES[page][lang != 'C.UTF-8']}\n", "")


def test_the_version_has_the_build(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(["--version"], "C", monkeypatch, capsys) == (0, f"floorhub-agent {installed_version()}\n", "")


@pytest.mark.parametrize(
    ("arguments", "english", "korean"),
    [
        (["run"], "the following arguments are required: --config", "필요한 인수가 없습니다: --config"),
        (["doctor", "--config", "x", "--loud"], "unrecognized arguments: --loud", "알 수 없는 인수: --loud"),
        (["run", "--config"], "--config: expected one argument", "--config: 값이 필요합니다"),
        (["run", "--config", "x", "--log-format", "xml"], "invalid choice: 'xml'", "'xml'은(는) 쓸 수 없습니다"),
        (["printers", "-o", "xml"], "invalid choice: 'xml'", "'xml'은(는) 쓸 수 없습니다"),
        (["fly"], "invalid choice: 'fly'", "'fly'은(는) 쓸 수 없습니다"),
    ],
)
def test_what_is_not_understood_is_said_with_where_help_is(
    arguments: list[str],
    english: str,
    korean: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for lang, words, help_word in (("C.UTF-8", english, "Help: "), ("ko_KR.UTF-8", korean, "도움말: ")):
        code, out, error = said(arguments, lang, monkeypatch, capsys)
        assert (code, out) == (2, "")
        first, last = error.splitlines()
        assert first.startswith("floorhub-agent: ")
        assert words in first
        assert last.startswith(f"{help_word}floorhub-agent")
        assert last.endswith("--help")


def test_no_command_shows_the_page(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert said([], "C.UTF-8", monkeypatch, capsys) == (2, "", f"{PAGES[''][0]}\n")

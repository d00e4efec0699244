"""The table of commands is the commands: each has a row, and help in 80 columns in English and Korean."""

import re
from typing import Any

import pytest
from rich.cells import cell_len
from typer.main import get_command
from typer.testing import CliRunner

from hub.programs.cli import help_page, korean
from hub.programs.cli.app import Change, Command, Group
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.main import app
from hub.programs.cli.reference import COMMANDS, Row, answers_programs, commands

ROOT_GROUP = get_command(app)
FOUND = dict(commands(ROOT_GROUP))
GROUPS = sorted({row.words.rpartition(" ")[0] for row in COMMANDS})
PAGES = [*GROUPS, *(row.words for row in COMMANDS)]
WIDTH = 80
HANGUL = re.compile("[가-힣]")


def help_of(words: str, language: str, columns: int = WIDTH) -> list[str]:
    environment = {"LANG": language, "COLUMNS": str(columns)}
    done = CliRunner().invoke(app, [*words.split(), "-h"], env=environment, prog_name="floorhub")
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def texts(words: str) -> list[str]:
    """Every text of a page, in English: paragraphs, arguments and options."""
    command: Any = ROOT_GROUP
    for word in words.split():
        command = command.commands[word]
    shown = [param for param in command.params if not param.hidden]
    assert [param.name for param in shown if not param.help] == []
    paragraphs = [*help_page.paragraphs(command.help), *help_page.paragraphs(command.epilog)]
    return [*paragraphs, *(" ".join(param.help.split()) for param in shown)]


def test_every_command_has_a_row() -> None:
    assert sorted(row.words for row in COMMANDS) == sorted(FOUND)


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.words)
def test_a_row_says_whether_programs_can_read_the_answer(row: Row) -> None:
    assert answers_programs(FOUND[row.words]) == row.json
    assert any("-o" in param.opts for param in FOUND[row.words].params) == row.json


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.words)
def test_a_wrong_option_is_a_matter_of_usage(row: Row) -> None:
    done = CliRunner().invoke(app, [*row.words.split(), "--no-such-option"], env={"LANG": "C"})
    assert (done.exit_code, done.stdout, ExitCode.USAGE in row.codes) == (2, "", True)


def test_every_command_is_one_of_ours() -> None:
    kinds = {type(command) for command in FOUND.values()}
    assert kinds == {Command, Change}
    assert isinstance(ROOT_GROUP, Group)


@pytest.mark.parametrize("language", ["C.UTF-8", "ko_KR.UTF-8"])
@pytest.mark.parametrize("words", PAGES)
def test_help_fits_80_columns(words: str, language: str) -> None:
    lines = help_of(words, language)
    assert [line for line in lines if cell_len(line) > WIDTH] == []
    assert [line for line in lines if re.search(r"\w\.\.\.$", line)] == [], "a sentence that was cut"
    shown = re.sub(r"\s+", "", "".join(lines))
    for text in texts(words):
        meant = (korean.of(text) if language.startswith("ko") else None) or text
        assert re.sub(r"\s+", "", meant) in shown


@pytest.mark.parametrize("words", PAGES)
def test_help_is_korean_where_the_person_reads_korean(words: str) -> None:
    assert [text for text in texts(words) if korean.of(text) is None] == []
    lines = help_of(words, "ko_KR.UTF-8")
    assert lines[0].startswith("사용법: floorhub")
    assert not {"Options:", "Commands:", "Arguments:", "Usage:"} & {line.strip() for line in lines}
    assert all(HANGUL.search(line) for line in lines if line.startswith("  ") and re.search(r"\w{3} \w{3} \w{3}", line))


def test_the_list_of_commands_has_whole_sentences() -> None:
    for words in GROUPS:
        page = "".join(re.sub(r"\s+", "", line) for line in help_of(words, "C.UTF-8"))
        below = [command for row, command in FOUND.items() if row.rpartition(" ")[0] == words]
        assert [one.name for one in below if re.sub(r"\s+", "", help_page.summary(one)) not in page] == []


def test_a_narrow_terminal_breaks_lines_and_cuts_nothing() -> None:
    assert max(map(cell_len, help_of("client add", "ko_KR.UTF-8", 40))) <= 40
    assert max(map(cell_len, help_of("dead-letter replay", "C.UTF-8", 40))) <= 46  # names of options stay whole


def test_no_korean_text_is_for_an_english_one_that_is_gone() -> None:
    hidden = {"The word before `unfence`."}
    used = {text for words in PAGES for text in texts(words)} | {"Show this message and exit."} | hidden
    assert {*korean.COMMANDS, *korean.OPTIONS} - used == set()


def test_old_spellings_are_read_and_not_shown() -> None:
    for words, old in {"schedule add": "--expires-in-s", "action set": "--cap-s", "schedule set": "--grace-s"}.items():
        assert any(old in param.opts for param in FOUND[words].params)
        assert old not in " ".join(help_of(words, "C.UTF-8")).split()


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], ["help", "client", "list"], ["client", "-h"]])
def test_help_has_many_spellings(arguments: list[str]) -> None:
    done = CliRunner().invoke(app, arguments, env={"LANG": "C"}, prog_name="floorhub")
    assert (done.exit_code, done.stdout.startswith("Usage: floorhub")) == (0, True), done.output


def test_the_help_of_a_command_is_that_of_the_word_help() -> None:
    asked = CliRunner().invoke(app, ["help", "client", "list"], env={"LANG": "C"}, prog_name="floorhub").stdout
    assert asked.splitlines() == help_of("client list", "C")


def test_the_version() -> None:
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, bool(re.fullmatch(r"floorhub \d+\.\d+\.\d+\n", done.stdout))) == (0, True)

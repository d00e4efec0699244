"""Mistakes of the command line are told in the person's language, with exit code 2."""

import re

import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app

NOWHERE = {"FLOORHUB_URL": "http://127.0.0.1:9", "FLOORHUB_KEY": "k"}
MISTAKES = {
    ("cmd",): ("No such command 'cmd'.", "'cmd' 명령이 없습니다."),
    ("client", "lst"): ("No such command 'lst'. Did you mean 'list'", "'list', 'set'을(를) 쓰려고"),
    ("client", "list", "--zoen", "x"): (
        "No such option: --zoen",
        "--zoen 옵션이 없습니다. 비슷한 옵션: --json, --zone",
    ),
    ("show",): ("Missing argument 'COMMAND_ID'", "인수 'COMMAND_ID'이(가) 필요합니다."),
    ("show", "1", "2"): ("unexpected extra argument(s) (2)", "알 수 없는 인수입니다: 2"),
    ("show", "1", "--output"): ("Option '--output' requires an argument.", "옵션 '--output'에는 값이 필요합니다."),
    ("show", "1", "--json=yes"): ("does not take a value", "에는 값을 줄 수 없습니다."),
    ("client", "list", "--limit", "x"): ("Invalid value for '--limit': use a whole number.", "정수를 쓰십시오"),
    ("client", "list", "--limit", "-1"): ("use at least 0", "0 이상이어야 합니다"),
    ("send", "pc", "status", "--priority", "11"): ("use at most 10", "10 이하여야 합니다"),
    ("send", "pc", "status", "--wait", "long"): ("use a number", "숫자를 쓰십시오"),
    ("send", "pc", "status", "--when-offline", "x"): ("use one of 'queue', 'fail'", "중 하나를 쓰십시오"),
    ("client", "list", "-o", "xml"): ("use one of 'table', 'json', 'yaml'", "'table', 'json', 'yaml' 중 하나를"),
    ("client", "list", "--json", "-o", "yaml"): ("--json and -o yaml contradict", "--json과 -o yaml은(는) 서로 모순"),
    ("command", "list", "--since", "soon"): ("'soon' is no time", "시간이 아닙니다"),
    ("send", "pc", "status", "--expires-in", "x"): ("'x' is no duration", "기간이 아닙니다"),
    ("send", "pc", "status", "--payload", '{"a": {"b": 1, "b": 2}}'): (
        "--payload gives `a.b` more than once: give it once.",
        "--payload에 `a.b`이(가) 두 번 이상 있습니다. 한 번만 쓰십시오.",
    ),
    ("send", "pc", "status", "--payload", '{"a": [0, NaN]}'): (
        "--payload: `a[1]` is not a finite number",
        "--payload: `a[1]`이(가) 유한한 수가 아닙니다",
    ),
    ("batch", "send", "status", "--all", "--payload", '{"a": -1e999}'): (
        "--payload: `a` is not a finite number",
        "--payload: `a`이(가) 유한한 수가 아닙니다",
    ),
    ("batch", "send", "status", "--all", "--per-minute", "nan"): ("use a number", "숫자를 쓰십시오"),
    ("action", "set", "own", "--factor", "inf"): ("use a number", "숫자를 쓰십시오"),
    ("send", "pc", "status", "--payload", "{"): ("--payload is not JSON", "--payload가 JSON이 아닙니다"),
    ("print",): ("Name a file, or say --test-page.", "파일을 지정하거나 --test-page를"),
    ("batch", "send", "status"): ("Say for whom", "대상을 지정하십시오"),
    ("client", "set", "pc"): ("Say what to change", "바꿀 것을 지정하십시오"),
    ("help", "cmd"): ("There is no command `cmd`.", "`cmd` 명령이 없습니다."),
    ("logs", "pc", "--wait", "0"): ("use --last", "--last를 쓰십시오"),
}


@pytest.mark.parametrize("language", ["C.UTF-8", "ko_KR.UTF-8"])
@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_a_mistake_is_told(arguments: tuple[str, ...], language: str) -> None:
    done = CliRunner().invoke(app, arguments, env={**NOWHERE, "LANG": language})
    said = MISTAKES[arguments][language.startswith("ko")]
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    assert said in done.stderr, done.stderr
    if language.startswith("ko"):
        assert not re.search(r"Error:|Usage:|Try '|Invalid value", done.stderr), done.stderr


def test_words_of_the_command_line_are_shown_as_text() -> None:
    done = CliRunner().invoke(app, ["client", "list", "--\x1b[2J"], env={**NOWHERE, "LANG": "C"})
    assert (done.exit_code, "\x1b" in done.stderr) == (2, False)


def test_a_group_alone_shows_its_help() -> None:
    done = CliRunner().invoke(app, ["client"], env={"LANG": "C"}, prog_name="floorhub")
    assert (done.exit_code, done.stderr.startswith("Usage: floorhub client [OPTIONS] COMMAND")) == (2, True)


@pytest.mark.parametrize("language", ["C.UTF-8", "ko_KR.UTF-8"])
def test_a_hub_that_is_away_is_named_with_where_its_address_is_from(language: str) -> None:
    done = CliRunner().invoke(app, ["client", "list"], env={**NOWHERE, "LANG": language})
    assert done.exit_code == 4
    assert "http://127.0.0.1:9" in done.stderr
    assert "FLOORHUB_URL" in done.stderr

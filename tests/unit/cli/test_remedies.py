"""At the command line an error names commands and options, in place of routes, fields and headers."""

import re

import pytest

from hub.api.catalogue import CATALOGUE
from hub.programs.cli.remedies import PHRASES, at_the_command_line

OF_THE_API = re.compile(
    r"\b(GET|POST|PUT|PATCH|DELETE) /|`errors`|force=true|Authorization|when_offline|allowed_actions"
)
NOT_FROM_HERE = {
    *("client_may_not", "live_feed_missing", "invalid_refresh_token", "csrf_failed", "people_only", "session_not_found")
}
"""What the program never asks for, or asks only with the key of a client."""


@pytest.mark.parametrize("code", PHRASES)
@pytest.mark.parametrize("korean", [False, True])
def test_each_phrase_is_one_of_the_hub(code: str, korean: bool) -> None:
    entry = CATALOGUE[code]
    sentences = [entry.ko if korean else entry.en, *(each[korean] for each in entry.variants.values())]
    for said, _ in PHRASES[code][korean]:
        assert [each for each in sentences if said in each], said


@pytest.mark.parametrize("language", ["C", "ko_KR.UTF-8"])
def test_an_id_that_is_taken_is_told_with_the_option(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", language)
    monkeypatch.setenv("LANG", language)
    sentence = CATALOGUE["client_exists"].variants["to_replace"][language != "C"]
    said = at_the_command_line("client_exists", sentence)
    assert "`--replace`" in said
    assert "`replace`" not in said


@pytest.mark.parametrize("language", ["C", "ko_KR.UTF-8"])
def test_no_sentence_names_a_route_or_a_field(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", language)
    monkeypatch.setenv("LANG", language)
    left = {}
    for code, entry in CATALOGUE.items():
        said = at_the_command_line(code, entry.en if language == "C" else entry.ko)
        if OF_THE_API.search(said) and code not in NOT_FROM_HERE:
            left[code] = said
    assert left == {}

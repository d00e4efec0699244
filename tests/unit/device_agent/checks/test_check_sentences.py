"""Every code a check can give has its sentence in both languages, with the same values."""

import ast
import string
from collections.abc import Iterator

import pytest

from device_agent.checks.findings import SENTENCES
from tests.support.paths import ROOT

AGENT = ROOT / "device_agent"
SOURCES = [file for file in [*(AGENT / "checks").glob("*.py"), AGENT / "doctor.py"] if file.name != "findings.py"]
#: Words of the language itself.
OF_ONE_LANGUAGE = {"direction", "direction_ko", "duration", "duration_ko"}


def used_codes() -> Iterator[str]:
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and node.value in SENTENCES:
                yield str(node.value)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"ok", "warn", "fail"}:
                code = node.args[1]
                assert not isinstance(code, ast.Constant) or code.value in SENTENCES


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_every_sentence_is_used() -> None:
    assert set(used_codes()) == set(SENTENCES)


@pytest.mark.parametrize("code", SENTENCES)
def test_both_languages_say_the_same(code: str) -> None:
    english, korean = SENTENCES[code]
    assert fields(english) - OF_ONE_LANGUAGE == fields(korean) - OF_ONE_LANGUAGE

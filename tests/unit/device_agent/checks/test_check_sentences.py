"""Every code a check can give has its sentence in both languages, with the same values."""

import ast

from device_agent.checks.findings import SENTENCES
from tests.support.paths import ROOT
from tests.support.sentences import codes_in, values_of_one_language

AGENT = ROOT / "device_agent"
SOURCES = [file for file in [*(AGENT / "checks").glob("*.py"), AGENT / "doctor.py"] if file.name != "findings.py"]
#: Words of the language itself.
OF_ONE_LANGUAGE = {"direction", "direction_ko", "duration", "duration_ko"}


def test_every_sentence_is_used_and_every_code_has_one() -> None:
    assert set(codes_in(SOURCES, SENTENCES)) == set(SENTENCES)
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"ok", "warn", "fail"}:
                code = node.args[1]
                assert not isinstance(code, ast.Constant) or code.value in SENTENCES


def test_both_languages_say_the_same() -> None:
    assert values_of_one_language(SENTENCES, but=OF_ONE_LANGUAGE) == {}

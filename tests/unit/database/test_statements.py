"""Named statements, and the fragments that several of them share."""

from pathlib import Path

import pytest

from hub.database.statements import parse
from tests.support.paths import ROOT

FILES = sorted((ROOT / "hub").rglob("statements*/*.sql")) + sorted((ROOT / "hub").rglob("statements.sql"))


def test_each_statement_has_what_follows_its_name() -> None:
    text = "-- About this file.\n-- name: one\n-- Why.\nSELECT 1;\n\n-- name: two\nSELECT 2;\n"
    assert parse(text) == {"one": "-- Why.\nSELECT 1;", "two": "SELECT 2;"}


def test_a_fragment_stands_in_every_statement_that_names_it_and_is_none_itself() -> None:
    text = (
        "-- name: first\nSELECT {columns} FROM t WHERE {due};\n\n-- fragment: columns\na,\nb\n\n"
        "-- fragment: due\nat <= now()\n\n-- name: second\nSELECT {columns}, '{}'::jsonb FROM t;\n"
    )
    assert parse(text) == {
        "first": "SELECT a,\nb FROM t WHERE at <= now();",
        "second": "SELECT a,\nb, '{}'::jsonb FROM t;",
    }


def test_a_fragment_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="columns"):
        parse("-- name: one\nSELECT {columns} FROM t;\n")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_fragment_is_there_because_several_statements_share_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert parse(text)
    for line in text.splitlines():
        if line.startswith("-- fragment: "):
            assert text.count("{" + line.removeprefix("-- fragment: ") + "}") > 1, line

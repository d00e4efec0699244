"""The loader of named statements: fragments stand where they are included."""

from pathlib import Path

import pytest

from hub.database import statements as module
from hub.database.statements import Statement, statement

FILE = """-- What these are about.

-- fragment: living
    AND status <> 'retired'
    AND NOT hidden

-- name: one
-- About one.
SELECT id FROM clients
WHERE id = %(id)s
-- include: living
LIMIT 1;

-- name: all
SELECT id FROM clients WHERE true
-- include: living
;
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A subject of its own with that file."""
    folder = tmp_path / "features" / "some"
    folder.mkdir(parents=True)
    (folder / "statements.sql").write_text(FILE)
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    module.statements.cache_clear()
    return "features/some"


def test_a_fragment_stands_where_it_is_included(place: str) -> None:
    assert statement(place, "one") == (
        b"-- About one.\nSELECT id FROM clients\nWHERE id = %(id)s\n"
        b"    AND status <> 'retired'\n    AND NOT hidden\nLIMIT 1;"
    )
    assert b"NOT hidden\n;" in statement(place, "all")


def test_a_name_that_is_not_there_is_an_error(place: str) -> None:
    for name in ("living", "none"):
        with pytest.raises(KeyError):
            Statement(place, name)

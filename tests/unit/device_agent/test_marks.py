"""Facts that are kept as the names of empty files."""

from pathlib import Path
from uuid import UUID

import pytest

from device_agent.marks import Marks

ONE, OTHER = (UUID(int=1), 1), (UUID(int=2), 1)


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(tmp_path / "marks")


def test_a_fact_is_about_one_attempt(marks: Marks) -> None:
    marks.leave(ONE, "document_sent")
    assert marks.of(ONE) == {"document_sent"}
    assert marks.of((ONE[0], 11)) == marks.of(OTHER) == set()


def test_the_next_process_finds_it(marks: Marks, tmp_path: Path) -> None:
    marks.leave((ONE[0], 11), "document_sent")
    assert Marks(tmp_path / "marks").of((ONE[0], 11)) == {"document_sent"}
    assert Marks(tmp_path / "marks").of(ONE) == set()


def test_it_is_taken_back(marks: Marks) -> None:
    marks.leave(ONE, "document_sent")
    marks.take_back(ONE, "document_sent")
    marks.take_back(ONE, "document_sent")
    assert marks.of(ONE) == set()


def test_what_has_ended_is_forgotten(marks: Marks, tmp_path: Path) -> None:
    marks.leave(ONE, "document_sent")
    marks.leave(OTHER, "document_sent")
    marks.forget([ONE])
    assert (marks.of(ONE), marks.of(OTHER)) == (set(), {"document_sent"})
    marks.forget_others([])
    assert not list((tmp_path / "marks").iterdir())


def test_a_start_keeps_those_of_its_attempts(marks: Marks, tmp_path: Path) -> None:
    marks.leave(ONE, "document_sent")
    marks.leave(OTHER, "document_sent")
    (tmp_path / "marks" / "stranger").touch()
    marks.forget_others([OTHER])
    assert [file.name for file in (tmp_path / "marks").iterdir()] == [f"{OTHER[0]}-1.document_sent"]


def test_a_folder_that_takes_nothing_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "marks").write_text("no folder")
    marks = Marks(tmp_path / "marks")
    marks.leave(ONE, "document_sent")
    marks.forget_others([])
    assert marks.of(ONE) == set()


@pytest.mark.parametrize("fact", ["", "../sent", "a.b", "x" * 41, "보냄"])
def test_a_fact_is_a_word(marks: Marks, fact: str) -> None:
    with pytest.raises(ValueError, match="is no word"):
        marks.leave(ONE, fact)

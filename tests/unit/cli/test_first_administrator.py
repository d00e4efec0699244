"""The link for the first administrator is shown to a person at a terminal, and to nothing else."""

from pathlib import Path

import pytest

from hub.programs.cli import output
from hub.programs.cli.up import first_administrator

LINK = "http://127.0.0.1:8080/first-administrator#token=fhl_x"


def test_the_link_is_shown_to_a_terminal_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "first-administrator.link"
    assert first_administrator(file) == []
    file.write_text(LINK + "\n")
    monkeypatch.setattr(output, "is_terminal", lambda: False)
    [line] = first_administrator(file)
    assert (str(file) in line, "fhl_" in line) == (True, False)
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    assert first_administrator(file) == [f"First administrator: {LINK}"]

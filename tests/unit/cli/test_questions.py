"""Questions to the person at the keyboard: only a yes is one, and what is asked about is shown as text."""

import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app

AWAY = {"FLOORHUB_URL": "http://127.0.0.1:9", "FLOORHUB_KEY": "k", "LANG": "C"}


@pytest.mark.parametrize(
    ("answer", "asked"), [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yo\n", False)]
)
def test_only_a_yes_is_one(answer: str, asked: bool) -> None:
    done = CliRunner().invoke(app, ["client", "retire", "[/x]\x1b[2J"], env=AWAY, input=answer)
    assert done.exit_code == (4 if asked else 1)
    assert "Retire [/x]\\x1b[2J for good? [y/N]: " in done.stderr
    assert ("does not answer" in done.stderr) == asked
    assert done.stdout == ""
    assert ("--yes" in done.stderr) == (answer == "")

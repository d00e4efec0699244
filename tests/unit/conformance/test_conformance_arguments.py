"""What `floorhub conformance` refuses before it connects to anything."""

import pytest
from typer.testing import CliRunner

from hub.programs.cli.main import app


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--action", "reboot"], "reboot ends the client"),
        (["--action", "restart_agent"], "restart_agent ends the client"),
        (["--action", "print", "--payload", '{"printer": "x"}'], "--payload does not fit print"),
        (["--action", "print", "--payload", '{"printer": "a", "document": "x", "copies": 0}'], "copies"),
        (["--payload", '{"verbose": true}'], "verbose"),
        (["--payload", "[]"], "must be a JSON object"),
    ],
)
def test_an_action_that_cannot_be_examined_is_refused_with_its_reason(arguments: list[str], said: str) -> None:
    environment = {"FLOORHUB_URL": "http://127.0.0.1:1", "FLOORHUB_KEY": "fh_none"}
    done = CliRunner().invoke(app, ["conformance", "pda-7", *arguments], env=environment)
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())

"""How the program ends: which exit code, and with which last line."""

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from device_agent import __main__ as program
from device_agent.journal import JournalError, JournalLockedError

LOST = JournalError("the journal could not be written: free disk space")


@pytest.mark.parametrize(
    ("problem", "code", "message", "stack"),
    [
        (LOST, 1, str(LOST), False),
        (JournalLockedError("another agent uses it", "7"), 2, "another agent uses it", False),
        (ExceptionGroup("a bug", [ValueError("x"), KeyError("y")]), 1, "a bug: please report it with this line", True),
        (ValueError("x"), 1, "a bug: please report it with this line", True),
    ],
    ids=["journal", "locked", "group_of_bugs", "bug"],
)
def test_the_last_line_names_a_broken_disk_as_that_and_all_else_as_a_bug(
    problem: Exception, code: int, message: str, *, stack: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(
        'client_id = "pc-1"\nhub_url = "http://127.0.0.1:9"\nmqtt_url = "mqtt://127.0.0.1:9"\nsecret = "s"\n'
        f'root_key = "{"A" * 43}"\n'
    )
    config.chmod(0o600)
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])

    async def breaks(self: Any) -> None:
        raise problem

    monkeypatch.setattr("device_agent.app.App.run", breaks)
    assert program.run(config, program._devices) == code
    for handler in logging.getLogger().handlers:
        handler.close()
    last = json.loads(written.getvalue().splitlines()[-1])
    assert (last["event"], last["message"], "stack" in last) == ("agent_failed", message, stack)

"""How the program ends: which exit code, and with which last line."""

import io
import json
import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from device_agent import __main__ as program
from device_agent.journal import JournalError, JournalLockedError
from tests.support.paths import ROOT

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


@pytest.mark.parametrize(
    ("language", "said"), [("en_US.UTF-8", "Install the newer agent again"), ("ko_KR.UTF-8", "새 버전의 에이전트를")]
)
def test_a_newer_journal_ends_the_program_with_a_sentence(tmp_path: Path, language: str, said: str) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(
        'client_id = "pc-1"\nhub_url = "http://127.0.0.1:9"\nmqtt_url = "mqtt://127.0.0.1:9"\nsecret = "s"\n'
        f'root_key = "{"A" * 43}"\n'
    )
    config.chmod(0o600)
    (tmp_path / "data").mkdir()
    with sqlite3.connect(tmp_path / "data" / "journal.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    done = subprocess.run(
        [sys.executable, "-m", "device_agent", "run", "--config", str(config)],
        env={**os.environ, "LANG": language},
        cwd=ROOT,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    last = json.loads(done.stderr.splitlines()[-1])
    assert last["event"] == "agent_failed"
    assert said in last["message"]
    assert "journal.db" in last["message"]
    assert "99" in last["message"]

"""Commands find the hub that runs on this machine, and none that has stopped."""

import os
import subprocess
from pathlib import Path

import msgspec

from hub.programs.cli.api import RUNNING_FILE, running
from hub.programs.cli.up import noted

URL = "http://127.0.0.1:8080"


def note(folder: Path, **fields: object) -> None:
    (folder / RUNNING_FILE).write_bytes(msgspec.json.encode({"url": URL, **fields}))


def test_a_hub_whose_process_lives_is_found(tmp_path: Path) -> None:
    note(tmp_path, process=os.getpid())
    assert running(tmp_path) == URL
    note(tmp_path)  # of an older version
    assert running(tmp_path) == URL


def test_a_note_that_a_killed_process_left_behind_counts_as_none(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait(10)
    note(tmp_path, process=ended.pid)
    assert running(tmp_path) is None


def test_the_note_goes_with_the_hub(tmp_path: Path) -> None:
    file = tmp_path / RUNNING_FILE
    note(tmp_path)
    with noted(file):
        assert not file.exists()  # that of a run before
        note(tmp_path)
    assert not file.exists()

"""The agent's log: for people and for programs, bounded whatever is said to it, and never a reason to end."""

import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_agent import logs
from device_agent.core.log import Log
from device_agent.logs import BURST, Throttle
from tests.support.paths import ROOT

EVIL = 'a\x1b[2J\x9b1m\u202eb\x7f\n"x"'
"""Steers a terminal (ESC, C1's CSI), turns the direction, and begins a new line."""


class Shown:
    """What stands on standard error so far."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capture.readouterr().err
        return self._text

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Iterator[Shown]:
    """Standard error, with the loggers as they were afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Shown(capsys)
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_kind_has_its_burst_then_one_at_a_time_and_the_left_out_are_counted() -> None:
    now = 0.0
    throttle = Throttle(burst=3, refill_s=60.0, monotonic=lambda: now)
    assert [throttle.take("a") for _ in range(5)] == [0, 0, 0, None, None]
    assert throttle.take("b") == 0
    now = 59.0
    assert throttle.take("a") is None
    now = 61.0
    assert throttle.take("a") == 3
    assert throttle.take("a") is None
    now = 10_000.0
    assert [throttle.take("a") for _ in range(4)] == [1, 0, 0, None]


@pytest.mark.parametrize("event", [event for event in Log if event.throttled], ids=lambda event: event.label)
def test_what_can_be_said_without_end_is_throttled(shown: Shown, event: Log) -> None:
    logs.configure("pc-1")
    for number in range(1_000):
        logs.write(event, message=f"{number}")
    assert len(shown.lines) == BURST


def test_a_library_is_throttled_by_the_place_that_speaks_whatever_it_says(shown: Shown, tmp_path: Path) -> None:
    logs.configure("pc-1", folder=tmp_path)
    for number in range(1_000):
        logging.getLogger("mqtt").warning("Message queue is full: %d. Discarding message %s.", number, os.urandom(8))
    logging.getLogger("mqtt").warning("something else")
    assert [line["event"] for line in shown.lines][-1] == "something else"
    assert len(shown.lines) == BURST + 1
    *_, file = logs.files(tmp_path)
    assert len(file.read_bytes().splitlines()) == BURST + 1


def test_the_facts_of_each_command_are_never_left_out(shown: Shown) -> None:
    logs.configure("pc-1")
    for number in range(200):
        for event in (Log.COMMAND_ACCEPTED, Log.COMMAND_STARTED, Log.COMMAND_ENDED):
            logs.write(event, command_id=number)
    assert len(shown.lines) == 600


@pytest.mark.parametrize("form", ["json", "text"])
def test_foreign_text_cannot_steer_a_terminal(shown: Shown, form: logs.Form) -> None:
    logs.configure("pc-1", form=form)
    logs.write(Log.MESSAGE_REFUSED, message=EVIL, reasons=[EVIL], code=EVIL)
    logging.getLogger("mqtt").warning("%s", EVIL)
    written = shown.text
    assert all(line.isprintable() for line in written.split("\n"))
    assert written.count("\n") == 2
    if form == "json":
        assert shown.lines[0]["message"] == EVIL
        assert shown.lines[0]["reasons"] == [EVIL]


def test_a_line_for_people_has_time_event_words_and_fields(shown: Shown) -> None:
    logs.configure("pc-1", form="text")
    logs.write(Log.COMMAND_ENDED, command_id="c-1", attempt=2, status="failed", code=None, message="종이 없음")
    logs.write(Log.COMMAND_HELD, reasons=["media-empty"], where="tray 1")
    first, second = shown.text.splitlines()
    _, level, rest = first.split(maxsplit=2)
    assert (level, rest) == ("info", "command_ended 종이 없음 command_id=c-1 attempt=2 status=failed")
    assert second.endswith('command_held reasons=["media-empty"] where="tray 1"')
    try:
        int(EVIL)
    except ValueError:
        logs.write(Log.DRIVER_FAILED, stack=True)
    assert "invalid literal for int() with base 10: 'a\\x1b[2J" in shown.text


@pytest.mark.parametrize("where", ["agent.log", "agent.log.1"])
def test_a_full_disk_costs_the_copy_and_nothing_else(shown: Shown, tmp_path: Path, where: str) -> None:
    """/dev/full answers each write with ENOSPC; a folder in the place of the older file refuses to be replaced."""
    older, file = logs.files(tmp_path)
    if where == file.name:
        file.symlink_to("/dev/full")
    else:
        older.mkdir()
        file.write_bytes(b"x" * logs.MAX_FILE)
    logs.configure("pc-1", folder=tmp_path)
    for number in range(5):
        logs.write(Log.COMMAND_ENDED, command_id=number)
    assert len(shown.lines) == 5
    file.unlink()
    logs.write(Log.COMMAND_ENDED, command_id="later")
    assert json.loads(file.read_bytes())["command_id"] == "later"


def test_the_copy_is_bounded_and_nobody_else_reads_it(shown: Shown, tmp_path: Path) -> None:
    logs.configure("pc-1", folder=tmp_path)
    for _ in range(25):  # fields of 900 characters are not cut
        logs.write(Log.COMMAND_ENDED, **{f"field_{number}": "x" * 900 for number in range(110)})
    older, file = logs.files(tmp_path)
    assert 0 < older.stat().st_size <= logs.MAX_FILE + 101_000
    assert 0 < file.stat().st_size <= logs.MAX_FILE
    assert {kept.stat().st_mode & 0o777 for kept in (older, file)} == {0o600}


@pytest.mark.parametrize(
    ("at_a_terminal", "options", "is_json"),
    [
        (True, [], False),
        (False, [], True),
        (True, ["--log-format", "json"], True),
        (False, ["--log-format", "text"], False),
    ],
)
def test_the_form_follows_the_reader_unless_it_is_said(
    tmp_path: Path, options: list[str], *, at_a_terminal: bool, is_json: bool
) -> None:
    config = tmp_path / "agent.toml"
    config.touch(mode=0o600)
    config.write_text(
        'client_id = "pc-1"\nhub_url = "http://127.0.0.1:9"\nmqtt_url = "mqtt://127.0.0.1:9"\nsecret = "s"\n'
        f'root_key = "{"A" * 43}"\ndata = "/proc/self/nowhere"\n'  # it ends at once: no journal can be made there
    )
    ours, theirs = pty.openpty() if at_a_terminal else os.pipe()
    argv = [sys.executable, "-m", "device_agent", "run", "--config", str(config), *options]
    try:
        subprocess.run(argv, cwd=ROOT, stderr=theirs, timeout=30, check=False)
        said = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    last = said.splitlines()[-1]
    assert "agent_failed" in last
    assert last.startswith("{") is is_json

"""What may come without end gets some lines a minute in the log, and a count of the others."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from hub.telemetry import log as telemetry
from hub.telemetry import throttle
from hub.telemetry.log import EventName, Log
from hub.telemetry.throttle import MOST_LINES, WINDOW_S, LibraryLines, Throttle
from tests.support.clocks import Clock


class Event(EventName):
    REFUSED = "message.refused"
    OTHER = "other.event"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> Log:
    log = Log(worker="test")
    log._throttle = Throttle(clock)
    return log


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_each_kind_has_lines_of_its_own_and_says_what_was_left_out(
    log: Log, clock: Clock, lines: list[dict[str, Any]]
) -> None:
    for _ in range(MOST_LINES + 100):
        log.seldom("press-1", "bad").warning(Event.REFUSED, client_id="press-1")
    log.seldom("press-2", "bad").warning(Event.REFUSED, client_id="press-2")
    log.seldom("press-1", "bad").warning(Event.OTHER)
    assert len(lines) == MOST_LINES + 2
    assert not any("left_out" in line for line in lines)

    clock.now += WINDOW_S
    log.seldom("press-1", "bad").warning(Event.REFUSED, client_id="press-1")
    assert lines[-1]["left_out"] == 100


def test_what_was_left_out_is_told_also_when_nothing_follows(
    log: Log, clock: Clock, lines: list[dict[str, Any]]
) -> None:
    for _ in range(MOST_LINES + 7):
        log.bind(part="x").seldom("press-1").warning(Event.REFUSED)
    log.tell_left_out()
    assert len(lines) == MOST_LINES
    clock.now += WINDOW_S
    for _ in range(2):
        log.tell_left_out()
    assert len(lines) == MOST_LINES + 1
    told = lines[-1]
    assert (told["event"], told["of"], told["kind"], told["left_out"]) == (
        "log.left_out",
        "message.refused",
        ["press-1"],
        7,
    )


def test_made_up_kinds_cost_neither_lines_nor_memory(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MOST_KINDS", 50)
    kinds = Throttle(clock)
    admitted = sum(kinds.admit(("event", number)) is not None for number in range(10_000))
    assert admitted == 50 + MOST_LINES
    assert len(kinds._counts) == 51
    clock.now += WINDOW_S
    assert dict(kinds.over()) == {"others": 10_000 - 50 - MOST_LINES}
    assert kinds.admit(("event", "new")) == 0


def test_lines_of_libraries_are_throttled_by_their_sentence(clock: Clock) -> None:
    lines = LibraryLines(Throttle(clock))

    def line(sentence: str, *args: object) -> logging.LogRecord:
        return logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, sentence, args, None)

    written = [lines.filter(line("refused: %s", number)) for number in range(100)]
    assert written == [True] * MOST_LINES + [False] * (100 - MOST_LINES)
    assert lines.filter(line("another"))
    clock.now += WINDOW_S
    last = line("refused: %s", 100)
    assert lines.filter(last)
    assert last.getMessage() == f"refused: 100 ({100 - MOST_LINES} such lines were left out before)"


def test_the_process_throttles_the_lines_of_all_libraries(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        telemetry.configure("info")
        for _ in range(MOST_LINES + 50):
            logging.getLogger("some.library").warning("cannot connect")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert len([line for line in lines if line["event"] == "cannot connect"]) == MOST_LINES

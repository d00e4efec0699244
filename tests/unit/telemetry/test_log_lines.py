"""Log lines of hub and agent: words of others can neither forge a line nor command a terminal."""

import asyncio
import json
import logging
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device_agent import logs
from device_agent.core.log import Log as AgentLog
from hub.telemetry import log

HOSTILE = "x\x1b[2J\x9b31m\u202e\u200b\n{}\r\t\x7f\u2028\ufeff\ud800 한글 🙂"
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


Written = pytest.CaptureFixture[str]


def hub(value: Any) -> None:
    log.configure("info")
    log.Log().info(log.Event.HUB_STARTED, client=value)


def library(value: Any) -> None:
    log.configure("info")
    logging.getLogger("asyncio").error("%s", value)


def agent(value: Any) -> None:
    logs.configure("pc-1")
    logs.write(AgentLog.AGENT_FAILED, message=value)


@pytest.mark.parametrize("write", [hub, library, agent])
def test_a_line_has_no_character_that_a_terminal_obeys(write: Callable[[Any], None], capsys: Written) -> None:
    write(HOSTILE)
    written = capsys.readouterr().err
    (line,) = written.splitlines()
    assert {unicodedata.category(char) for char in line} & OBEYED == set()
    assert HOSTILE in json.loads(line).values()
    assert "한글 🙂" in line


@pytest.mark.parametrize("write", [hub, agent])
@pytest.mark.parametrize("value", ["가" * 100_000, {"a": ["b" * 10_000] * 2_000}], ids=["text", "deep"])
def test_words_that_are_too_long_are_cut(write: Callable[[Any], None], value: object, capsys: Written) -> None:
    write(value)
    written = capsys.readouterr().err
    assert len(written) < 200_000
    assert "more characters)" in written


async def test_lines_of_one_turn_are_written_together_and_stay_in_their_order(capsys: Written) -> None:
    log.configure("info")
    logger = log.Log()

    def written() -> list[int]:
        return [json.loads(line)["number"] for line in capsys.readouterr().err.splitlines()]

    logger.info(log.Event.HUB_STARTED, number=1)
    logger.info(log.Event.HUB_STARTED, number=2)
    assert written() == []
    logger.warning(log.Event.HUB_STARTED, number=3)
    assert written() == [1, 2, 3]
    logger.info(log.Event.HUB_STARTED, number=4)
    log.flush()
    assert written() == [4]
    logger.info(log.Event.HUB_STARTED, number=5)
    await asyncio.sleep(0)
    assert written() == [5]
    logger.info(log.Event.HUB_STARTED, number=6)
    await asyncio.to_thread(logger.info, log.Event.HUB_STARTED, number=7)
    assert sorted(written()) == [6, 7]
    logger.info(log.Event.HUB_STARTED, number=8)
    log.configure("info")
    assert written() == [8]


def break_with_words() -> None:
    raise ValueError("words of a client " * 1_000 + "\x1b[2J")


def hub_stack() -> None:
    log.configure("info")
    log.Log().exception(log.Event.HUB_FAILED)


def agent_stack() -> None:
    logs.configure("pc-1")
    logs.write(AgentLog.AGENT_FAILED, stack=True)


@pytest.mark.parametrize(("write", "name"), [(hub_stack, "exception"), (agent_stack, "stack")])
def test_a_stack_is_whole(write: Callable[[], None], name: str, capsys: Written) -> None:
    try:
        break_with_words()
    except ValueError:
        write()
    (line,) = capsys.readouterr().err.splitlines()
    assert "\x1b" not in line
    assert json.loads(line)[name].endswith("words of a client " * 1_000 + "\x1b[2J")


def test_the_agent_s_own_file_has_the_same_lines(capsys: Written, tmp_path: Path) -> None:
    logs.configure("pc-1", folder=tmp_path)
    logs.write(AgentLog.AGENT_FAILED, message=HOSTILE)
    for handler in logging.getLogger().handlers:
        handler.close()
    *_, file = logs.files(tmp_path)
    assert file.read_text(encoding="utf-8") == capsys.readouterr().err


def test_a_loop_that_ended_before_it_wrote_holds_up_no_line_of_the_next(capsys: Written) -> None:
    log.configure("info")
    logger = log.Log()
    first = asyncio.new_event_loop()
    first.call_soon(lambda: logger.info(log.Event.HUB_STARTED))
    first.call_soon(first.stop)
    first.run_forever()
    first.close()

    async def second() -> None:
        logger.info(log.Event.HUB_STOPPED)

    asyncio.run(second())
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == [log.Event.HUB_STARTED, log.Event.HUB_STOPPED]

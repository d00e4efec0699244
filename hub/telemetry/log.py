"""How log events are written: one JSON object per line, on standard error.

An event's name is stable; each subject declares its own in its `telemetry.py`. Fields that recur are `command_id`,
`client_id`, `attempt`, `worker`.
"""

import enum
import logging
import sys
from typing import Any

import msgspec
import structlog

from schemas.text import LONGEST_LINE, log_line, plain_json


class EventName(enum.StrEnum):
    """A subject's log events derive from this; the log takes nothing else, so that no name is made up on the spot."""


class Event(EventName):
    """Events of the process itself, and of every loop."""

    HUB_STARTED = "hub.started"
    HUB_STOPPED = "hub.stopped"
    HUB_FAILED = "hub.failed"
    TASK_DIED = "task.died"
    TASK_RETRY = "task.retry"


class Log:
    """A logger of declared events."""

    def __init__(self, **fields: Any) -> None:
        self._logger = structlog.get_logger().bind(**fields)

    def bind(self, **fields: Any) -> "Log":
        """The same log with fields that every event of it carries."""
        bound = Log()
        bound._logger = self._logger.bind(**fields)
        return bound

    def debug(self, event: EventName, **fields: Any) -> None:
        """For the one who looks for a fault."""
        self._logger.debug(event.value, **fields)

    def info(self, event: EventName, **fields: Any) -> None:
        """What an operator may want to read later."""
        self._logger.info(event.value, **fields)

    def warning(self, event: EventName, **fields: Any) -> None:
        """What an operator should look at some time."""
        self._logger.warning(event.value, **fields)

    def error(self, event: EventName, **fields: Any) -> None:
        """What an operator must look at."""
        self._logger.error(event.value, **fields)

    def exception(self, event: EventName, **fields: Any) -> None:
        """The same with the stack of the exception that is being handled."""
        self._logger.error(event.value, exc_info=True, **fields)


def _render(_: Any, __: str, event: structlog.typing.EventDict) -> str:
    """One line of JSON: the time as `at` and the event's name first. Words of others stay words."""
    line = {"at": event.pop("at"), "event": event.pop("event"), **event}
    try:
        text = msgspec.json.encode(line, enc_hook=str).decode()
    except UnicodeEncodeError:  # half of a pair of characters, from a file's name
        return log_line(line)
    return plain_json(text) if len(text) <= LONGEST_LINE else log_line(line)


def configure(level: str) -> None:
    """Send all logs, also those of libraries, to standard error as JSON lines. Ours skip the library,
    since there are several for each command."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _render],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)

"""How log events are written: one JSON object per line, on standard error.

An event's name is stable; each subject declares its own in its `telemetry.py`. Fields that recur are `command_id`,
`client_id`, `attempt`, `worker`.
"""

import asyncio
import atexit
import enum
import logging
import sys
from collections.abc import Hashable
from contextvars import ContextVar
from typing import Any

import msgspec
import structlog

from hub.telemetry.throttle import MOST_LINES, LibraryLines, Throttle
from schemas.terminal import line_writer
from schemas.text import LONGEST_LINE, log_line, plain_json

_request: ContextVar[str | None] = ContextVar("request", default=None)


def of_request(request_id: str | None) -> None:
    """From here on the running task, and those that it starts, log for this request."""
    _request.set(request_id)


class EventName(enum.StrEnum):
    """A subject's log events derive from this; the log takes nothing else, so that no name is made up on the spot."""


class Event(EventName):
    """Events of the process itself, and of every loop."""

    HUB_STARTED = "hub.started"
    HUB_STOPPED = "hub.stopped"
    HUB_FAILED = "hub.failed"
    SETTING_DOUBTFUL = "setting.doubtful"
    CERTIFICATE_CHANGED = "certificate.changed"
    CERTIFICATE_UNUSABLE = "certificate.unusable"
    TASK_DIED = "task.died"
    TASK_RETRY = "task.retry"
    LOG_LEFT_OUT = "log.left_out"


class Log:
    """A logger of declared events."""

    def __init__(self, **fields: Any) -> None:
        self._logger = structlog.get_logger().bind(**fields)
        self._throttle = Throttle()

    def bind(self, **fields: Any) -> "Log":
        """The same log with fields that every event of it carries."""
        bound = Log()
        bound._logger = self._logger.bind(**fields)
        bound._throttle = self._throttle
        return bound

    def seldom(self, *kind: Hashable, most: int = MOST_LINES) -> "Log":
        """The same log for an event that a stranger, one client or an outage may cause without end: at most so many
        lines a minute of each event and kind, such as a client's id; `left_out` counts the others."""
        return _Seldom(self, kind, most)

    def debug(self, event: EventName, **fields: Any) -> None:
        """For the one who looks for a fault."""
        self._write("debug", event, fields)

    def info(self, event: EventName, **fields: Any) -> None:
        """What an operator may want to read later."""
        self._write("info", event, fields)

    def warning(self, event: EventName, **fields: Any) -> None:
        """What an operator should look at some time."""
        self._write("warning", event, fields)

    def error(self, event: EventName, **fields: Any) -> None:
        """What an operator must look at."""
        self._write("error", event, fields)

    def exception(self, event: EventName, **fields: Any) -> None:
        """The same with the stack of the exception that is being handled."""
        self._write("error", event, {"exc_info": True, **fields})

    def tell_left_out(self) -> None:
        """Write what was left out, and not told by a later line of its kind; to be called now and then."""
        for kind, left_out in self._throttle.over():
            event, *of = kind if isinstance(kind, tuple) else (kind,)
            self._logger.warning(Event.LOG_LEFT_OUT.value, of=str(event), kind=list(map(str, of)), left_out=left_out)

    def _write(self, level: str, event: EventName, fields: dict[str, Any]) -> None:
        getattr(self._logger, level)(event.value, **fields)


class _Seldom(Log):
    """A log for one line."""

    def __init__(self, log: Log, kind: tuple[Hashable, ...], most: int) -> None:
        self._logger = log._logger
        self._throttle = log._throttle
        self._kind = kind
        self._most = most

    def _write(self, level: str, event: EventName, fields: dict[str, Any]) -> None:
        left_out = self._throttle.admit((event.value, *self._kind), self._most)
        if left_out is not None:
            super()._write(level, event, {**fields, "left_out": left_out} if left_out else fields)


def _add_request(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """`request_id`. The library's own processor looks through all variables of the context, for each line."""
    request_id = _request.get()
    if request_id is not None:
        event["request_id"] = request_id
    return event


def _render(_: Any, __: str, event: structlog.typing.EventDict) -> str:
    """One line of JSON: the time as `at` and the event's name first. Words of others stay words."""
    line = {"at": event.pop("at"), "event": event.pop("event"), **event}
    try:
        text = msgspec.json.encode(line, enc_hook=str).decode()
    except UnicodeEncodeError:  # half of a pair of characters, from a file's name
        return log_line(line)
    return plain_json(text) if len(text) <= LONGEST_LINE else log_line(line)


class _Lines:
    """The library's logger for lines that `_render` made; one for all, so that lines stay in their order. Those of one
    turn of the event loop are written together, since each write costs more than the line. What an operator should look
    at is written at once, with all before it."""

    def __init__(self) -> None:
        self._write = line_writer(sys.stderr)
        self._gathered: list[str] = []
        self._flushed_by: asyncio.AbstractEventLoop | None = None
        """The loop that will write what was gathered."""

    def debug(self, line: str) -> None:
        """Write it at the end of this turn."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a thread of its own, or no loop at all
            self._write(line)
            return
        self._gathered.append(line)
        if self._flushed_by is not loop:  # also where one before ended in between
            self._flushed_by = loop
            loop.call_soon(self.flush)

    info = debug

    def warning(self, line: str) -> None:
        """Write it now."""
        if self._gathered:
            self.flush()
        self._write(line)

    error = warning

    def flush(self) -> None:
        """Write what was gathered."""
        self._flushed_by = None
        lines, self._gathered = self._gathered, []
        if lines:
            self._write("\n".join(lines))


_lines = _Lines()


def flush() -> None:
    """Write at once what this turn of the event loop has logged: before an answer leaves that belongs to it."""
    _lines.flush()


atexit.register(flush)


def configure(level: str) -> None:
    """Send all logs, also those of libraries, to standard error as JSON lines. Ours skip the library,
    since there are several for each command."""
    global _lines
    _lines.flush()
    _lines = _Lines()
    shared: list[structlog.typing.Processor] = [
        _add_request,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, _render],
        logger_factory=lambda: _lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LibraryLines(Throttle()))
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

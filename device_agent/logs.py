"""JSON lines on stderr, with event names that stay the same: what operators search and alert on.

Every line has `at`, `level`, `event`, and `client_id`; most have `command_id`. Secrets are never fields.
"""

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device_agent.core.log import Log
from schemas import terminal
from schemas.text import log_line

_LOGGER = logging.getLogger("floorhub.agent")
_LEVELS = logging.getLevelNamesMapping()


class _JsonLines(logging.Formatter):
    """One JSON object a line; field values that JSON does not know become text."""

    def __init__(self, client_id: str) -> None:
        super().__init__()
        self._client_id = client_id

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "client_id": self._client_id,
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return log_line(line)


MAX_FILE = 1024 * 1024


class _Kept(logging.FileHandler):
    """A file that people may ask for, at most `MAX_FILE` bytes, and the one before it. A disk that takes nothing more
    costs the copy and nothing else: standard error has every line."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        if self.stream is not None and self.stream.tell() > MAX_FILE:
            self.close()
            older, file = files(Path(self.baseFilename).parent)
            file.replace(older)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: the line is on standard error."""


def files(folder: Path) -> list[Path]:
    """Where the agent with this data folder keeps its own log, the older file first."""
    return [folder / "agent.log.1", folder / "agent.log"]


def write(log: Log, *, stack: bool = False, **fields: Any) -> None:
    """Log one event; `stack` adds the exception that is being handled."""
    _LOGGER.log(_LEVELS[log.level.upper()], log.label, extra={"fields": fields}, exc_info=stack)


def configure(client_id: str, level: int = logging.INFO, folder: Path | None = None) -> None:
    """Send everything to stderr as JSON lines, and keep the end of it in `folder`. Safe to call twice: the last call
    stands."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if folder is not None:
        *_, file = files(folder)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            handlers.append(_Kept(file, encoding="utf-8", delay=True))
        except OSError as problem:
            terminal.write(f"floorhub-agent: {file} is not written: {problem}", error=True)  # there is no log
    for handler in handlers:
        handler.setFormatter(_JsonLines(client_id))
    root = logging.getLogger()
    root.handlers[:] = handlers
    root.setLevel(logging.WARNING)  # libraries speak up only when something is wrong
    _LOGGER.setLevel(level)

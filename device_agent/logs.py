"""The agent's log on stderr, as JSON lines or as text for people, with event names that stay the same: what operators
search and alert on. A copy of its end is kept as JSON lines in the data folder.

Every line has `at`, `level`, `event`, and `client_id`; most have `command_id`. Secrets are never fields. What an outage
or foreign input can say again and again is throttled: a line after a gap has `left_out`, how many are missing.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from device_agent.core.log import Log
from schemas import terminal
from schemas.text import LONGEST_LINE, json_text, log_line, printable

_LOGGER = logging.getLogger("floorhub.agent")
_LEVELS = logging.getLevelNamesMapping()
MAX_FILE = 1024 * 1024
BURST = 10
"""How many lines of one kind may come at once."""
REFILL_S = 60.0
"""Afterwards one of that kind in this time, until it was quiet for a while."""

Form = Literal["text", "json"]


class Throttle:
    """Lets `burst` of a kind through, then one in `refill_s`. Kinds must be few: each is remembered for good."""

    def __init__(
        self, burst: int = BURST, refill_s: float = REFILL_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst, self._refill_s, self._monotonic = burst, refill_s, monotonic
        self._kinds: dict[Hashable, tuple[float, float, int]] = {}

    def take(self, kind: Hashable) -> int | None:
        """How many of this kind were left out since the last one that went through; None: leave this one out, too."""
        now = self._monotonic()
        tokens, at, left_out = self._kinds.get(kind, (float(self._burst), now, 0))
        tokens = min(float(self._burst), tokens + (now - at) / self._refill_s)
        if tokens < 1:
            self._kinds[kind] = (tokens, now, left_out + 1)
            return None
        self._kinds[kind] = (tokens - 1, now, 0)
        return left_out


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
            **_fields(record),
        }
        if record.exc_info:
            line["stack"] = self.formatException(record.exc_info)
        return log_line(line)


class _TextLines(logging.Formatter):
    """Time, level, event and fields in one line for people; a stack follows in lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        said = fields.pop("message", None)
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        told = {name: value for name, value in fields.items() if value is not None}
        shown = {name: value if _is_plain(value) else json_text(value) for name, value in told.items()}
        named = [printable(f"{name}={value}", LONGEST_LINE) for name, value in shown.items()]
        event = printable(record.getMessage())
        sentence = [] if said is None else [printable(str(said), LONGEST_LINE)]
        words = [at, f"{record.levelname.lower():<8}", event, *sentence, *named]
        lines = [" ".join(words)]
        if record.exc_info:
            lines += [printable(line) for line in self.formatException(record.exc_info).splitlines()]
        return "\n    ".join(lines)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = getattr(record, "fields", None)
    left_out = getattr(record, "left_out", 0)
    return {**(fields if isinstance(fields, dict) else {}), **({"left_out": left_out} if left_out else {})}


def _is_plain(value: object) -> bool:
    """Whether a value is one word that nobody can take for two."""
    if isinstance(value, list | tuple | dict):
        return False
    return bool(text := str(value)) and all(character.isprintable() and character not in ' "=' for character in text)


class _Kept(logging.Handler):
    """A file that people may ask for, at most `MAX_FILE` bytes, and the one before it. A disk that takes nothing more
    costs the copy and nothing else: standard error has every line."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._path = file
        self._file: IO[bytes] | None = None
        self._torn = False

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record).encode("utf-8", "replace") + b"\n"
        try:
            if self._file is None:
                opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                self._file = os.fdopen(opened, "ab", buffering=0)
            whole = b"\n" + line if self._torn else line
            self._torn = self._file.write(whole) != len(whole)
            if self._file.tell() > MAX_FILE:
                self._let_go()
                older, file = files(self._path.parent)
                file.replace(older)
        except OSError:  # the line is on standard error; the next one tries a file opened anew
            self._let_go()

    def close(self) -> None:
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                return


class _Output(logging.Handler):
    """Hands each line to all of its places, or to none when it is one too many of its kind."""

    def __init__(self, places: Sequence[logging.Handler], throttle: Throttle) -> None:
        super().__init__()
        self._places = places
        self._throttle = throttle

    def emit(self, record: logging.LogRecord) -> None:
        # A library may say anything at any time; the place in its code is its kind, since texts have no end.
        kind = getattr(record, "kind", (record.name, record.pathname, record.lineno))
        if kind is not None:
            left_out = self._throttle.take(kind)
            if left_out is None:
                return
            record.left_out = left_out
        for place in self._places:
            place.handle(record)

    def close(self) -> None:
        for place in self._places:
            place.close()
        super().close()


def files(folder: Path) -> list[Path]:
    """Where the agent with this data folder keeps its own log, the older file first."""
    return [folder / "agent.log.1", folder / "agent.log"]


def write(log: Log, *, stack: bool = False, **fields: Any) -> None:
    """Log one event; `stack` adds the exception that is being handled."""
    kind = log.label if log.throttled else None
    _LOGGER.log(_LEVELS[log.level.upper()], log.label, extra={"fields": fields, "kind": kind}, exc_info=stack)


def configure(client_id: str, level: int = logging.INFO, folder: Path | None = None, form: Form | None = None) -> None:
    """Send everything to stderr, and keep the end of it in `folder` as JSON lines. `form` None: text for a person at a
    terminal, JSON for everything else. Safe to call twice: the last call stands."""
    lines = _JsonLines(client_id)
    for_people = form == "text" or (form is None and sys.stderr.isatty())
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(_TextLines() if for_people else lines)
    places: list[logging.Handler] = [shown]
    if folder is not None:
        *_, file = files(folder)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.touch(mode=0o600)
            kept = _Kept(file)
            kept.setFormatter(lines)
            places.append(kept)
        except OSError as problem:
            terminal.write(f"floorhub-agent: {file} is not written: {problem}", error=True)  # there is no log
    root = logging.getLogger()
    root.handlers[:] = [_Output(places, Throttle())]
    root.setLevel(logging.WARNING)  # libraries speak up only when something is wrong
    _LOGGER.setLevel(level)

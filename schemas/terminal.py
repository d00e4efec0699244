"""The one way of both programs to standard output and standard error: text is shown as text, and that it cannot be
shown changes nothing else.

`prepare` comes first in a program, `write` shows lines. A contract in the tests finds whatever else prints.
"""

import contextlib
import locale
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TextIO

from schemas.encodings import guessed
from schemas.text import LONGEST_LINE, TextError, printable

_lost: list[OSError] = []
"""Why standard output takes nothing more, once it has refused; a reader that went away (`| head`) is no reason."""


class _Plain:
    """A standard stream for whatever writes to it, libraries included: characters that a terminal would obey are
    escaped, what its encoding lacks is replaced, and a full disk or a reader that went away is no exception."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write lines; only their ends stay as they are."""
        return self.write_raw("\n".join(printable(line) for line in text.split("\n")))

    def write_raw(self, text: str) -> int:
        """Write what is known to be harmless."""
        with self._forgiving():
            self._stream.write(text)
        return len(text)

    def write_line(self, line: str) -> None:
        """Write a line that is known to be harmless, at once. Plain ASCII goes past the layer that encodes: a log has
        many lines."""
        try:
            buffer = getattr(self._stream, "buffer", None)
            if buffer is not None and line.isascii():
                buffer.write(line.encode("ascii") + b"\n")
                buffer.flush()
            else:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError) as problem:
            self._forgive(problem)

    def writelines(self, lines: list[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Let it out."""
        with self._forgiving():
            self._stream.flush()

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as problem:
            self._forgive(problem)

    def _forgive(self, problem: OSError | ValueError) -> None:
        if isinstance(problem, BrokenPipeError):
            self._give_up()
        elif isinstance(problem, ValueError):
            pass  # closed while the process ends
        elif self._stream is sys.__stdout__ and not _lost:  # a full disk, which may have room again
            _lost.append(problem)

    def _give_up(self) -> None:
        """Nobody reads any more: let what still waits in buffers go nowhere."""
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def prepare() -> None:
    """Make the standard streams safe to write to, and stacks of exceptions safe to show. Safe to call twice."""
    _open_closed()
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - for as long as the process lives
        if not isinstance(stream, _Plain):
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="replace")
            setattr(sys, name, _Plain(stream))
    sys.excepthook = _show_stack


def write(*lines: str, error: bool = False, end: str = "\n") -> None:
    """Show lines: text only, whatever the words in them are. `end` may also be a carriage return or nothing."""
    stream = sys.stderr if error else sys.stdout
    text = "\n".join(printable(line, LONGEST_LINE) for line in lines) + end
    _out(stream, text)


def forget_typed() -> None:
    """Take for no answer what somebody typed before a question stood there."""
    with contextlib.suppress(Exception):  # no terminal, none of POSIX, or closed
        import termios

        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def write_json(text: str) -> None:
    """One document that `schemas.text.json_text` made, whole; what the encoding lacks is escaped as JSON does."""
    write_document(text, lambda: _ascii_json(text))


def write_document(text: str, in_ascii: Callable[[], str]) -> None:
    """One document whose characters were made harmless, whole; `in_ascii` where the encoding lacks some of them."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = in_ascii()
    _out(sys.stdout, text + "\n")


def line_writer(stream: TextIO) -> Callable[[str], None]:
    """What writes lines that are known to be harmless to a standard stream, each at once, as a log does."""
    return (stream if isinstance(stream, _Plain) else _Plain(stream)).write_line


def lost_output() -> OSError | None:
    """Why standard output did not take everything; None: it did, or its reader went away on purpose."""
    sys.stdout.flush()
    return _lost[0] if _lost else None


def recovered(text: str) -> str:
    """An argument or a file's name as it was meant, where its bytes do not fit this system's encoding: see
    `schemas.encodings.guessed`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return text
    try:
        raw = os.fsencode(text)
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
    return guessed(raw, locale.getencoding())


def shows_korean() -> bool:
    """Whether the person at the keyboard reads Korean, by LANG, and standard output and error can show it."""
    if not os.environ.get("LANG", "").lower().startswith("ko"):
        return False
    try:
        for stream in (sys.stdout, sys.stderr):
            "가".encode(stream.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def either(english: str, korean: str) -> str:
    """The sentence that the person at the keyboard reads."""
    return korean if shows_korean() else english


def told(problem: TextError) -> str:
    """What a file's text lacks, in the language of the person at the keyboard."""
    return problem.korean if shows_korean() else problem.english


def _out(stream: Any, text: str) -> None:
    if isinstance(stream, _Plain):
        stream.write_raw(text)
    else:
        stream.write(text)
    stream.flush()


def _ascii_json(text: str) -> str:
    import json

    return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in text)


def _open_closed() -> None:
    """Give the numbers of closed standard streams to nothing: else the next file or connection would get them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)


def _show_stack(kind: type[BaseException], problem: BaseException, stack: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, problem, stack)
        return
    write(*"".join(traceback.format_exception(kind, problem, stack)).rstrip("\n").split("\n"), error=True)

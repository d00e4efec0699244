"""Names are bytes: a program that was started in an old locale starts again in Python's UTF-8 mode.

In a locale such as ko_KR.eucKR, Python reads the arguments with the C library and writes file names with a codec of its
own. The two differ, so a file whose name is UTF-8 could not be opened there. In UTF-8 mode each name keeps its bytes.
The terminal keeps its encoding.
"""

import contextlib
import locale
import os
import sys
from pathlib import Path

from schemas.encodings import guessed


def ensure() -> None:
    """Come before everything else in a program. The process keeps its number; it is replaced at most once."""
    if not sys.flags.utf8_mode and sys.getfilesystemencoding() != "utf-8":
        with contextlib.suppress(OSError):  # no /proc: stay as we are
            _start_again()
    if sys.flags.utf8_mode:
        encoding = locale.getencoding()
        sys.argv[1:] = [_undecided(argument, encoding) for argument in sys.argv[1:]]


def _start_again() -> None:
    first, *others = Path("/proc/self/cmdline").read_bytes().split(b"\0")[:-1]
    environment = dict(os.environb)
    environment.setdefault(b"PYTHONIOENCODING", locale.getencoding().encode())
    # Not by the first argument, which may be a word for PATH; it stays, since an environment is found by it.
    os.execve(os.readlink(b"/proc/self/exe"), [first, b"-X", b"utf8", *others], environment)  # noqa: PTH115, S606 - a name in bytes


def _undecided(argument: str, encoding: str) -> str:
    """An argument that is UTF-8 by chance becomes bytes again, which `recovered` reads as the locale does. Each name
    of a file stays the same."""
    if argument.isascii():
        return argument
    raw = os.fsencode(argument)
    return raw.decode("ascii", "surrogateescape") if guessed(raw, encoding) != argument else argument

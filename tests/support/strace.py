"""strace for tests: of this machine, or Debian's package unpacked like everything else that a bare machine lacks."""

import os
from functools import cache

from hub.programs.embedded.packages import Packages

_LIBRARIES = "LD_LIBRARY_PATH"


@cache
def _program() -> tuple[str, ...]:
    program = Packages().program("strace", "strace")
    libraries = program.env.get(_LIBRARIES)
    if not libraries:
        return (str(program.path),)
    # For strace alone: what it traces must run with the machine's own libraries.
    inherited = os.environ.get(_LIBRARIES)
    restored = f"{_LIBRARIES}={inherited}" if inherited else _LIBRARIES
    return ("env", f"{_LIBRARIES}={libraries}", str(program.path), "-E", restored)


def strace(*arguments: str) -> list[str]:
    """The words that stand before a command to trace it with these arguments."""
    return [*_program(), *arguments]

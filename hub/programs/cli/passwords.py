"""Asking for a new password: at a terminal, which does not show it, or from a pipe. Never as an option: others on this
machine see those."""

import getpass
import sys

from hub.programs.cli import output
from hub.programs.cli.exits import ExitCode
from hub.programs.cli.output import either

LONGEST = 4_096


def new_password(login: str) -> str:
    """A new password for somebody; ends the program when there is none."""
    if sys.stdin is None or not sys.stdin.isatty():
        return _from_pipe()
    asked = either(f"New password for {login} (not shown)", f"{login}의 새 비밀번호(표시되지 않음)")
    again = either("Once more", "한 번 더")
    try:
        first, second = getpass.getpass(f"{asked}: "), getpass.getpass(f"{again}: ")
    except EOFError:
        first = second = ""
    if not first:
        _none()
    if first != second:
        output.fail(
            either("The two differ: nothing was done.", "두 번 입력한 값이 다릅니다. 아무것도 하지 않았습니다.")
        )
    return first


def _from_pipe() -> str:
    line = sys.stdin.readline(LONGEST) if sys.stdin is not None else ""
    password = line.rstrip("\r\n")
    if not password:
        _none()
    return password


def _none() -> None:
    output.fail(
        either(
            "There is no password: type it at a terminal, or pass it as one line on standard input.",
            "비밀번호가 없습니다. 터미널에서 입력하거나 표준 입력에 한 줄로 보내십시오.",
        ),
        ExitCode.USAGE,
    )

"""The program `floorhub`, also as `python -m hub`."""

import gc
import os
import signal
import sys
from collections.abc import MutableMapping
from typing import NoReturn

from schemas import terminal, utf8_mode

PROGRAM = "floorhub"
BYTE_ORDER_MARK = "\ufeff"
_MANY = 50_000
OURS = ("hub", "device_agent", "schemas", "broker_config")


def main() -> NoReturn:
    """Run the command line."""
    # What is imported stays; to look for garbage in it meanwhile takes a tenth of a start.
    gc.set_threshold(_MANY)
    utf8_mode.ensure()
    terminal.prepare()
    try:
        sys.exit(_run())
    except ModuleNotFoundError as problem:
        package = (problem.name or str(problem)).partition(".")[0]
        if package in OURS:
            raise
        terminal.write(_missing(package, korean=terminal.shows_korean()), error=True)
        sys.exit(2)


def _run() -> int:
    """The exit code of what the command line says: it tells what became of that, not of telling about it."""
    _tidy_settings(os.environ)
    # To import and to build the commands takes half a second, in which Ctrl-C would show a stack; later it is
    # somebody's to handle.
    handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    from typer.main import get_command

    from hub.programs.cli import output
    from hub.programs.cli.main import app

    command = get_command(app)
    signal.signal(signal.SIGINT, handler)
    try:
        # Whatever it was started as: completion and help know it by this name.
        command(prog_name=PROGRAM)
    except SystemExit as end:
        return output.code_after_all_is_said(end.code)
    return 0


def _tidy_settings(environment: MutableMapping[str, str]) -> None:
    """Settings as they were meant that came from a file of a Windows editor (`env_file`, `source`): their names without
    its byte order mark, their values without the half of a line end."""
    for name, value in list(environment.items()):
        meant = name.removeprefix(BYTE_ORDER_MARK)
        if meant.startswith("FLOORHUB_"):
            environment.setdefault(meant, value)
            environment[meant] = environment[meant].rstrip("\r\n\x1a")


def _missing(package: str, *, korean: bool) -> str:
    if korean:
        return (
            f"`floorhub`은 허브의 프로그램이며 이 설치에는 허브의 패키지가 없습니다({package} 없음). Floorhub 폴더에서 "
            "`pip install '.[hub]'`로 설치하십시오. 이 컴퓨터의 에이전트는 `floorhub-agent`입니다."
        )
    return (
        f"`floorhub` is the hub's program, and this installation lacks the hub's packages (there is no {package}): "
        "install them with `pip install '.[hub]'` in Floorhub's folder; the agent of this machine is `floorhub-agent`."
    )


if __name__ == "__main__":
    main()

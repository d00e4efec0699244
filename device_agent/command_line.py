"""The words of `floorhub-agent` on the command line: its pages of help, at most 80 columns wide, and its errors, in
English and Korean."""

import argparse
import re
import sys
from pathlib import Path
from typing import NoReturn

from schemas import terminal
from schemas.version import installed_version

PROGRAM = "floorhub-agent"
USAGE_ERROR = 2
CUPS = "ipp://localhost:631"
PAGES: dict[str, tuple[str, str]] = {
    "": (
        """\
Usage: floorhub-agent COMMAND [OPTIONS]

Carries out a Floorhub hub's commands on this machine.

Commands:
  run        run until it is stopped (SIGTERM, Ctrl-C)
  doctor     find what keeps commands from this machine, and say what to do
  printers   list the print queues of this machine and how to configure them

Options:
  --version  show the version and the build
  -h, --help show this page; floorhub-agent COMMAND --help shows a command's

Exit codes:
  0   stopped as asked; doctor: no problem; printers: listed
  1   failed while running; doctor: problems; printers: nothing to list
  2   wrong command line or configuration, or the journal is in use
  75  run: a command asked for a restart by the service manager""",
        """\
사용법: floorhub-agent 명령 [옵션]

이 컴퓨터에서 Floorhub 허브의 명령을 수행합니다.

명령:
  run        중지할 때까지 실행합니다(SIGTERM, Ctrl-C)
  doctor     명령을 받지 못하는 원인과 해결 방법을 찾습니다
  printers   이 컴퓨터의 인쇄 큐와 설정 방법을 보여 줍니다

옵션:
  --version  버전과 빌드를 표시합니다
  -h, --help 도움말을 표시합니다. 명령별 도움말: floorhub-agent 명령 --help

종료 코드:
  0   요청대로 중지됨, doctor: 문제 없음, printers: 목록 표시
  1   실행 중 실패, doctor: 문제 있음, printers: 표시할 것이 없음
  2   명령줄이나 설정이 잘못됨, 또는 저널이 사용 중
  75  run: 서비스 관리자가 다시 시작하도록 명령이 요청함""",
    ),
    "run": (
        """\
Usage: floorhub-agent run --config FILE [OPTIONS]

Runs the agent until SIGTERM or Ctrl-C.

Options:
  --config FILE      the agent.toml of this client (required)
  --data FOLDER      the data folder; overrides `data` of the file
  --log-format FORM  text or json; default: text at a terminal, else json
  -h, --help         show this page""",
        """\
사용법: floorhub-agent run --config 파일 [옵션]

SIGTERM이나 Ctrl-C로 중지할 때까지 에이전트를 실행합니다.

옵션:
  --config 파일      이 클라이언트의 agent.toml(필수)
  --data 폴더        데이터 폴더. 설정 파일의 `data`보다 우선합니다
  --log-format 형식  text 또는 json. 기본값: 터미널이면 text, 아니면 json
  -h, --help         이 도움말을 표시합니다""",
    ),
    "doctor": (
        """\
Usage: floorhub-agent doctor --config FILE [OPTIONS]

Checks configuration, journal, hub, clock, broker, keys and printers, and says
what to do. Changes nothing; may run beside the agent.

Options:
  --config FILE      the agent.toml of this client (required)
  --data FOLDER      the data folder; overrides `data` of the file
  -o, --output FORM  text (default) or json
  --json             the same as -o json
  -h, --help         show this page""",
        """\
사용법: floorhub-agent doctor --config 파일 [옵션]

설정, 저널, 허브, 시계, 브로커, 키, 프린터를 점검하고 해결 방법을 알려 줍니다.
아무것도 바꾸지 않으며, 에이전트가 실행 중이어도 됩니다.

옵션:
  --config 파일      이 클라이언트의 agent.toml(필수)
  --data 폴더        데이터 폴더. 설정 파일의 `data`보다 우선합니다
  -o, --output 형식  text(기본값) 또는 json
  --json             -o json과 같습니다
  -h, --help         이 도움말을 표시합니다""",
    ),
    "printers": (
        f"""\
Usage: floorhub-agent printers [OPTIONS]

Lists the queues of the local CUPS with their state, device and default, and
prints the lines of agent.toml that use them. With --config it also shows how
the configured printers are.

Options:
  --config FILE      the agent.toml of this client
  --data FOLDER      the data folder; overrides `data` of the file
  --server URI       another CUPS; default: {CUPS}
  -o, --output FORM  text (default), json, or toml: lines for agent.toml alone
  --json             the same as -o json
  -h, --help         show this page""",
        f"""\
사용법: floorhub-agent printers [옵션]

이 컴퓨터의 CUPS 큐를 상태, 장치, 기본 여부와 함께 보여 주고, 사용하기 위해
agent.toml에 넣을 내용을 출력합니다. --config를 주면 설정된 프린터의 상태도
보여 줍니다.

옵션:
  --config 파일      이 클라이언트의 agent.toml
  --data 폴더        데이터 폴더. 설정 파일의 `data`보다 우선합니다
  --server URI       다른 CUPS. 기본값: {CUPS}
  -o, --output 형식  text(기본값), json, toml(agent.toml에 넣을 내용만)
  --json             -o json과 같습니다
  -h, --help         이 도움말을 표시합니다""",
    ),
}
_KOREAN = (
    (re.compile(r"the following arguments are required: (.+)"), "필요한 인수가 없습니다: {}"),
    (
        re.compile(r"argument (.+?): invalid choice: (.+?) \(choose from (.+)\)"),
        "{}: {}은(는) 쓸 수 없습니다. 선택: {}",
    ),
    (re.compile(r"unrecognized arguments: (.+)"), "알 수 없는 인수: {}"),
    (re.compile(r"argument (.+?): expected one argument"), "{}: 값이 필요합니다"),
    (re.compile(r"argument (.+?): not allowed with argument (.+)"), "{}: {}와 함께 쓸 수 없습니다"),
    (re.compile(r"argument (.+?): ignored explicit argument (.+)"), "{}: 값을 받지 않습니다: {}"),
    (re.compile(r"ambiguous option: (.+?) could match (.+)"), "{}: 여러 옵션과 맞습니다: {}"),
)
"""What the library says about a command line, and the same in Korean."""


class _Parser(argparse.ArgumentParser):
    """Shows a page of `PAGES` as its help."""

    page = ""

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - there is one way out
        terminal.write(*_page(self.page))

    def error(self, message: str) -> NoReturn:
        korean = terminal.shows_korean()
        if korean:
            found = ((form.fullmatch(message), words) for form, words in _KOREAN)
            message = next((words.format(*match.groups()) for match, words in found if match), message)
        see = f"{PROGRAM} {self.page}".rstrip()
        hint = f"도움말: {see} --help" if korean else f"Help: {see} --help"
        terminal.write(f"{PROGRAM}: {message}", hint, error=True)
        sys.exit(USAGE_ERROR)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        terminal.write(f"{PROGRAM} {installed_version()}")
        parser.exit()


def _page(name: str) -> list[str]:
    return PAGES[name][terminal.shows_korean()].splitlines()


def parse(arguments: list[str]) -> argparse.Namespace:
    """What the program is asked for; `command` is `run`, `doctor` or `printers`. Ends it for help, versions, and what
    it does not understand."""
    if not arguments:
        terminal.write(*_page(""), error=True)
        sys.exit(USAGE_ERROR)
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    top = _Parser(prog=PROGRAM)
    top.add_argument("--version", action=_Version, nargs=0)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    added = {name: commands.add_parser(name) for name in ("run", "doctor", "printers")}
    for name, command in added.items():
        command.page = name
        command.add_argument("--config", type=Path, required=name != "printers")
        command.add_argument("--data", type=Path)
    added["run"].add_argument("--log-format", choices=("text", "json"))
    added["printers"].add_argument("--server", default=CUPS)
    for name, forms in (("doctor", ("text", "json")), ("printers", ("text", "json", "toml"))):
        added[name].add_argument("-o", "--output", choices=forms, default="text")
        added[name].add_argument("--json", action="store_const", const="json", dest="output")
    return top

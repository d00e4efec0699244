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
  pair       connect this machine to a hub with a link or a code
  run        run until it is stopped (SIGTERM, Ctrl-C)
  doctor     find what keeps commands from this machine, and say what to do
  printers   list the print queues of this machine and how to configure them

Options:
  --version  show the version and the build
  -h, --help show this page; floorhub-agent COMMAND --help shows a command's

Exit codes:
  0   stopped as asked; pair: connected; doctor: no problem; printers: listed
  1   failed while running; pair: not connected, or something is left to do;
      doctor: problems; printers: nothing to list
  2   wrong command line or configuration, or the journal is in use
  75  run: a command asked for a restart by the service manager""",
        """\
사용법: floorhub-agent 명령 [옵션]

이 컴퓨터에서 Floorhub 허브의 명령을 수행합니다.

명령:
  pair       링크나 코드로 이 기기를 허브에 연결합니다
  run        중지할 때까지 실행합니다(SIGTERM, Ctrl-C)
  doctor     명령을 받지 못하는 원인과 해결 방법을 찾습니다
  printers   이 컴퓨터의 인쇄 큐와 설정 방법을 보여 줍니다

옵션:
  --version  버전과 빌드를 표시합니다
  -h, --help 도움말을 표시합니다. 명령별 도움말: floorhub-agent 명령 --help

종료 코드:
  0   요청대로 중지됨, pair: 연결됨, doctor: 문제 없음, printers: 목록 표시
  1   실행 중 실패, pair: 연결되지 않았거나 할 일이 남음, doctor: 문제 있음,
      printers: 표시할 것이 없음
  2   명령줄이나 설정이 잘못됨, 또는 저널이 사용 중
  75  run: 서비스 관리자가 다시 시작하도록 명령이 요청함""",
    ),
    "pair": (
        """\
Usage: floorhub-agent pair LINK [OPTIONS]
       floorhub-agent pair ADDRESS CODE [OPTIONS]
       floorhub-agent pair --enrol FILE [OPTIONS]

Connects this machine to a hub: makes its key, pins the hub's keys, writes
agent.toml, finds the printers, and prints a test page. `floorhub pair` at the
hub shows the link and the code. If the answer is lost, run it again.

Options:
  --config FILE      where to write; default: agent.toml in this folder
  --enrol FILE       an enrolment file, for set-up without a person
  --printer NAME     a print queue, or the address of a printer; may be given
                     several times. label=NAME calls it label in commands
  --no-printers      no printer
  --kind KIND        printer_pc, pda, kiosk or other, if the code leaves it open
  --service          install the systemd unit, and start it (as root)
  --no-test-page     print nothing
  --yes              ask nothing; all print queues
  --replace          connect it anew although it is a client already; printers
                     and actions of its configuration stay
  --fp FINGERPRINT   of the hub's authority, if the link does not have it
  --ca FILE          the hub's certificate authority (PEM)
  --without-tls      send the secret unencrypted to an http address
  --server URI       another CUPS; default: ipp://localhost:631
  -h, --help         show this page""",
        """\
사용법: floorhub-agent pair 링크 [옵션]
        floorhub-agent pair 주소 코드 [옵션]
        floorhub-agent pair --enrol 파일 [옵션]

이 기기를 허브에 연결합니다. 기기의 키를 만들고, 허브의 키를 고정하고,
agent.toml을 쓰고, 프린터를 찾고, 시험 페이지를 인쇄합니다. 링크와 코드는
허브에서 `floorhub pair`로 만듭니다. 응답을 받지 못하면 다시 실행하십시오.

옵션:
  --config 파일      설정 파일을 쓸 위치. 기본값: 현재 폴더의 agent.toml
  --enrol 파일       사람 없이 설정하기 위한 등록 파일
  --printer 이름     인쇄 큐 또는 프린터 주소. 여러 번 쓸 수 있습니다.
                     label=이름: 명령에서 쓸 이름을 label로 정합니다
  --no-printers      프린터를 설정하지 않습니다
  --kind 종류        코드에 없을 때: printer_pc, pda, kiosk, other
  --service          systemd 서비스를 설치하고 시작합니다(root)
  --no-test-page     시험 페이지를 인쇄하지 않습니다
  --yes              묻지 않고 모든 인쇄 큐를 설정합니다
  --replace          이미 클라이언트인 기기를 새로 연결합니다. 설정 파일의
                     프린터와 동작은 유지됩니다
  --fp 지문          링크에 없을 때, 허브 인증 기관의 지문
  --ca 파일          허브의 인증 기관 인증서(PEM)
  --without-tls      http 주소로 비밀 값을 암호화하지 않고 보냅니다
  --server URI       다른 CUPS. 기본값: ipp://localhost:631
  -h, --help         이 도움말을 표시합니다""",
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
    """What the program is asked for; `command` is `pair`, `run`, `doctor` or `printers`. Ends it for help,
    versions, and what it does not understand."""
    if not arguments:
        terminal.write(*_page(""), error=True)
        sys.exit(USAGE_ERROR)
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    top = _Parser(prog=PROGRAM)
    top.add_argument("--version", action=_Version, nargs=0)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    added = {name: commands.add_parser(name) for name in ("pair", "run", "doctor", "printers")}
    for name, command in added.items():
        command.page = name
        command.add_argument("--config", type=Path, required=name in ("run", "doctor"))
        if name != "pair":
            command.add_argument("--data", type=Path)
    _add_pair(added["pair"])
    added["run"].add_argument("--log-format", choices=("text", "json"))
    added["printers"].add_argument("--server", default=CUPS)
    for name, forms in (("doctor", ("text", "json")), ("printers", ("text", "json", "toml"))):
        added[name].add_argument("-o", "--output", choices=forms, default="text")
        added[name].add_argument("--json", action="store_const", const="json", dest="output")
    return top


def _add_pair(command: argparse.ArgumentParser) -> None:
    command.add_argument("link", nargs="?")
    command.add_argument("code", nargs="?")
    command.add_argument("--enrol", type=Path)
    command.add_argument("--printer", action="append", default=[], dest="printers")
    command.add_argument("--kind", choices=("printer_pc", "pda", "kiosk", "other"))
    command.add_argument("--fp", dest="fingerprint")
    command.add_argument("--ca")
    command.add_argument("--server", default=CUPS)
    for name in ("no-printers", "service", "no-test-page", "yes", "replace", "without-tls"):
        command.add_argument(f"--{name}", action="store_true")

"""`floorhub-agent pair`: from a code to a printed page. Asks where a person is there to answer."""

import asyncio
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_agent import doctor
from device_agent.config import AgentConfig
from device_agent.pairing import files, printing, service_unit
from device_agent.pairing.claim import Claim, Credential, credential_of, enrolment
from device_agent.pairing.printing import Found
from device_agent.pairing.problems import PairingError
from device_agent.pairing.trust import recognize
from schemas import findings as shown
from schemas import terminal
from schemas.fingerprints import read_fingerprint
from schemas.pairing import Link, read_link
from schemas.terminal import either
from schemas.text import SaidError, TextError, read

DEFAULT = Path("agent.toml")
OF_SERVICE = Path("/etc/floorhub/agent.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says. `yes`: nobody is asked, and all printers are taken."""

    link: str | None
    code: str | None
    enrol: Path | None
    config: Path | None
    printers: Sequence[str]
    no_printers: bool
    server: str
    kind: str | None
    fingerprint: str | None
    ca: str | None
    without_tls: bool
    yes: bool
    replace: bool
    service: bool
    no_test_page: bool


def run(options: Options) -> int:
    """Connect this machine; the exit code: 0 connected, 1 not connected or something is left to do, 2 wrong command
    line."""
    try:
        return _Pairing(options).run()
    except PairingError as problem:
        terminal.write(f"floorhub-agent: {problem}", error=True)
        return 1
    except SaidError as problem:
        terminal.write(f"floorhub-agent: {either(str(problem), problem.korean)}", error=True)
        return 2
    except KeyboardInterrupt:
        terminal.write("", either("Interrupted. Run the same command again to go on.", "중단했습니다."), error=True)
        return 130


class _Pairing:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._file = options.config or (OF_SERVICE if options.service else DEFAULT)
        self._asks = not options.yes and options.enrol is None and _is_answered()

    def run(self) -> int:
        """All steps; what cannot be undone comes last."""
        options = self._options
        link, credential, authority = self._given()
        self._require_new()
        files.require_writable(self._file)
        found, no_queues = self._find_printers()
        if options.printers:  # a name that is wrong must not cost the code
            printing.chosen(options.printers, found)
        hub = recognize(link, ca_file=options.ca, plain=options.without_tls, authority=authority)
        seed = files.machine_key(self._file.absolute().parent)
        identity = Claim(hub, seed, options.kind, self._show_number).become(credential)
        pinned = identity.ca or hub.authority
        printers = self._choose(found, no_queues)
        aside = files.write_configuration(self._file, identity, pinned, "\n".join(each.toml for each in printers), seed)
        settings = files.check(self._file)
        self._say(
            f"This machine is {identity.client_id} now; configuration: {self._file}.",
            f"이 기기는 이제 {identity.client_id}입니다. 설정 파일: {self._file}.",
        )
        if aside is not None:
            self._say(f"The configuration of before: {aside}", f"이전 설정 파일: {aside}")
        for other in files.others_of(self._file, identity):
            self._say(
                f"{other} is no longer valid: an agent that runs with it ends. Start it with {self._file}, and delete "
                f"{other.name}.",
                f"{other} 파일은 더 이상 유효하지 않아 이 파일로 실행 중인 에이전트가 종료됩니다. {self._file}로 다시 "
                f"시작하고 {other.name} 파일은 삭제하십시오.",
            )
        well = self._examine()
        well = self._start() and well
        return 0 if self._print(settings) and well else 1

    # --- before -------------------------------------------------------------------------------------------

    def _given(self) -> tuple[Link, Credential, str | None]:
        """Hub, credential, and the authority if a file has it."""
        options = self._options
        if options.enrol is not None:
            return _read_enrolment(options.enrol)
        if options.link is None:
            raise SaidError(
                "give the link, or the hub's address and the code: floorhub-agent pair https://hub.local:8443 "
                "7KQ4-M2XD",
                "링크, 또는 허브 주소와 코드를 쓰십시오: floorhub-agent pair https://hub.local:8443 7KQ4-M2XD",
            )
        link = read_link(options.link)
        if options.fingerprint is not None:
            folded = read_fingerprint(options.fingerprint)
            if folded is None:
                raise SaidError("--fp: it has 26 letters and digits", "--fp: 26자입니다")
            link = Link(hub_url=link.hub_url, code=link.code, token=link.token, fingerprint=folded)
        code = options.code or link.code
        if code is None and link.token is None:
            if not self._asks:
                raise SaidError("the code is missing: give it after the address", "코드가 없습니다. 주소 뒤에 쓰십시오")
            code = _ask(either("Code: ", "코드: "))
        return (
            link,
            credential_of(options.code or (None if link.token else code), None if options.code else link.token),
            None,
        )

    def _require_new(self) -> None:
        """Raise PairingError for a machine that is a client already, unless it shall become another."""
        known = files.known_client(self._file)
        if known is None or self._options.replace:
            return
        name = known or either("a client", "클라이언트")
        if self._asks:
            question = either(
                f"{self._file} makes this machine {name} already. Connect it anew? [y/N]: ",
                f"{self._file}에 따르면 이 기기는 이미 {name}입니다. 새로 연결하시겠습니까? [y/N]: ",
            )
            if _ask(question).lower() in ("y", "yes", "예", "네"):
                return
        raise PairingError(
            f"{self._file} makes this machine {name} already: give --replace to connect it anew, or another --config.",
            f"{self._file}에 따르면 이 기기는 이미 {name}입니다. 새로 연결하려면 --replace를, 아니면 다른 --config를 "
            "지정하십시오.",
        )

    def _find_printers(self) -> tuple[list[Found], str | None]:
        if self._options.no_printers:
            return [], None
        return printing.find(self._options.server)

    # --- the hub --------------------------------------------------------------------------------------------

    def _show_number(self, number: str) -> None:
        spelled = f"{number[:3]} {number[3:]}"
        self._say(
            f"Number of this machine: {spelled}",
            f"이 기기의 번호: {spelled}",
        )
        self._say(
            "Compare it with the number at the hub: `floorhub pair`, if it still waits there, asks by itself (answer "
            "y); else run `floorhub pairing list` and `floorhub pairing confirm` there. Waiting",
            "허브의 번호와 비교하십시오. 허브에서 `floorhub pair`가 아직 기다리고 있으면 번호를 물으니 y로 답하고, "
            "아니면 `floorhub pairing list`와 `floorhub pairing confirm`을 실행하십시오. 기다리는 중입니다",
        )

    # --- after ----------------------------------------------------------------------------------------------

    def _choose(self, found: list[Found], no_queues: str | None) -> list[Found]:
        """Which printers the client gets."""
        options = self._options
        if options.printers:
            return printing.chosen(options.printers, found)
        if options.no_printers:
            return []
        if not found:
            because = f" ({no_queues})" if no_queues else ""
            self._say(
                f"No print queues were found{because}. Without CUPS on this machine, name the printer's address when "
                f"you pair (--printer ipp://ADDRESS/ipp/print), or add it to {self._file} later.",
                f"인쇄 큐를 찾지 못했습니다{because}. 이 기기에 CUPS가 없으면 페어링할 때 프린터의 주소를 "
                f"지정하거나(--printer ipp://주소/ipp/print) 나중에 {self._file}에 추가하십시오.",
            )
            return []
        self._say("Print queues of this machine, and printers of its network:", "이 기기의 인쇄 큐와 네트워크 프린터:")
        for number, each in enumerate(found, 1):
            terminal.write(f"  {number}  {printing.described(each)}")
        if not self._asks:
            taken = options.yes or options.enrol is not None
            return [each for each in found if taken and not each.announced]
        while True:
            said = _ask(either("Which ones? Numbers, or Enter for all: ", "사용할 큐의 번호(전부이면 Enter): "))
            numbers = said.replace(",", " ").split()
            if not numbers:
                return found
            if all(each.isdecimal() and 1 <= int(each) <= len(found) for each in numbers):
                return [found[int(each) - 1] for each in dict.fromkeys(numbers)]
            self._say(f"Write numbers from 1 to {len(found)}.", f"1부터 {len(found)}까지의 번호를 쓰십시오.")

    def _examine(self) -> bool:
        """What would keep the client from its commands."""
        found, _ = asyncio.run(doctor.examine(self._file))
        wrong = [each for each in found if shown.failures([each])]
        if wrong:
            self._say("These must be corrected first:", "다음 문제를 먼저 해결하십시오:")
            terminal.write(*shown.lines(wrong, korean=terminal.shows_korean()))
        return not wrong

    def _start(self) -> bool:
        """The service, if somebody wants it; else how to run the agent."""
        because = service_unit.why_not()
        wanted = self._options.service
        if because is None and not wanted and self._asks:
            wanted = _ask(
                either(
                    "Start the agent now and at each boot (systemd)? [Y/n]: ",
                    "에이전트를 지금, 그리고 부팅할 때마다 시작하시겠습니까(systemd)? [Y/n]: ",
                )
            ).lower() in ("", "y", "yes", "예", "네")
        if wanted and because is None:
            service_unit.install(self._file)
            self._say(
                "The agent runs: systemctl status floorhub-agent", "실행 중입니다: systemctl status floorhub-agent"
            )
            return True
        if wanted and because is not None:
            self._say(f"No service was installed: {because[0]}.", f"서비스를 설치하지 않았습니다. {because[1]}.")
        command = f"floorhub-agent run --config {self._file}"
        self._say(f"Start the agent: {command}", f"에이전트 시작: {command}")
        return not wanted

    def _print(self, settings: AgentConfig) -> bool:
        """A test page on the default printer; whether nothing went wrong."""
        if self._options.no_test_page or not settings.printers:
            return True
        printer = next((each for each in settings.printers if each.default), settings.printers[0])
        if self._asks:
            question = either(
                f"Print a test page on {printer.name}? [Y/n]: ", f"{printer.name}에 시험 인쇄할까요? [Y/n]: "
            )
            if _ask(question).lower() not in ("", "y", "yes", "예", "네"):
                return True
        try:
            printed = printing.test_page(printer, settings.client_id, settings.hub_urls[0])
        except PairingError as problem:
            terminal.write(str(problem), error=True)
            return False
        if printed is None:
            return True
        if printed:
            self._say(f"The test page is printed on {printer.name}.", f"{printer.name}에 시험 페이지를 인쇄했습니다.")
        else:
            self._say(
                f"The test page waits at {printer.name}: look at the printer.",
                f"시험 페이지가 {printer.name}에서 기다리고 있습니다. 프린터를 확인하십시오.",
            )
        return printed

    def _say(self, english: str, korean: str) -> None:
        terminal.write(either(english, korean))


def _read_enrolment(file: Path) -> tuple[Link, Credential, str | None]:
    """What an enrolment file says. Raises PairingError."""
    try:
        table: dict[str, Any] = tomllib.loads(read(file))
        hub_url, token, authority = table["hub_url"], table["token"], table.get("ca")
    except OSError as problem:
        raise PairingError(
            f"{file} cannot be read: {problem.strerror}", f"{file} 파일을 읽을 수 없습니다: {problem.strerror}"
        ) from None
    except (TextError, tomllib.TOMLDecodeError, KeyError):
        raise PairingError(
            f"{file} is no enrolment file: `floorhub enrolment add --file` writes one.",
            f"{file}은(는) 등록 파일이 아닙니다. `floorhub enrolment add --file`로 만드십시오.",
        ) from None
    return Link(hub_url=str(hub_url)), enrolment(str(token)), None if authority is None else str(authority)


def _is_answered() -> bool:
    """Whether a person sits at this terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def _ask(question: str) -> str:
    terminal.write(question, end="")
    return (sys.stdin.readline() if sys.stdin is not None else "").strip()

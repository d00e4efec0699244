"""The printers that a new client gets, and a page that shows that they print."""

import asyncio
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from device_agent import printers
from device_agent.actions.config import PRINTER_NAME, PrinterConfig
from device_agent.ipp.client import IppClient, JobTicket
from device_agent.ipp.errors import IppError
from device_agent.ipp.states import ENDED, JobState, job_state
from device_agent.ipp.transport import parse_uri
from device_agent.pairing import network_printers
from device_agent.pairing.problems import PairingError
from schemas import terminal
from schemas.test_page import page
from schemas.text import label

PRINT_S = 60.0
_ASK_S = 0.3
_URI = re.compile(r"(ipps?|socket|folder):")
_ATTRIBUTES = ("job-state", "job-state-reasons", "job-state-message")


@dataclass(frozen=True, slots=True)
class Found:
    """A printer that could be configured."""

    name: str
    """What commands will call it."""
    queue: str
    about: str
    uri: str
    toml: str
    default: bool
    announced: bool = False
    """By itself, in the network: only a person can say that it is the right one."""


def find(server: str) -> tuple[list[Found], str | None]:
    """The queues of this machine's CUPS, and printers of the network that are none of them; and why the queues are not
    known, if they are not."""
    listing = asyncio.run(printers.look(server, ()))
    tables = [f"[[printers]]{part}" for part in listing.toml.split("[[printers]]")[1:]]
    found = []
    for queue, table in zip(listing.queues, tables, strict=True):
        name = re.search(r'^name = "([^"]*)"', table, re.MULTILINE)
        about = ", ".join(each for each in (queue.title, queue.model, queue.location) if each and each != queue.name)
        found.append(
            Found(name[1] if name else queue.name, queue.name, about, queue.uri, f"{table.strip()}\n", queue.default)
        )
    known = [text for queue in listing.queues for text in (queue.name, queue.title, queue.device)]
    for printer in network_printers.hear(known):
        called = printers.name_for(printer.name, [each.name for each in found])
        table = (
            f'[[printers]]\nname = "{called}"\ntitle = {printers.quoted(printer.name)}\n'
            f"uri = {printers.quoted(printer.uri)}\n"
        )
        about = f"{printer.model or printer.name}, {printer.uri}"
        found.append(Found(called, called, about, printer.uri, table, default=False, announced=True))
    return found, listing.problem


def chosen(wanted: Sequence[str], found: Sequence[Found]) -> list[Found]:
    """The printers that somebody named: queues, or addresses of printers without CUPS, each with a name for commands
    before it (`label=ipp://...`) if it shall have another one. Raises PairingError."""
    by_name = {each.queue: each for each in found} | {each.name: each for each in found}
    result: list[Found] = []
    for given in wanted:
        called, text = _named(given)
        known = by_name.get(text)
        if known is None and not _URI.match(text):
            names = ", ".join(each.queue for each in found) or "-"
            raise PairingError(
                f"--printer {text}: there is no such queue; there are: {names}. A printer on the network is named by "
                "its address, such as ipp://ADDRESS/ipp/print.",
                f"--printer {text}: 없는 큐입니다. 있는 큐: {names}. 네트워크 프린터는 ipp://주소/ipp/print처럼 주소로 "
                "지정하십시오.",
            )
        each = known or _of_address(text, [one.name for one in result])
        if called is not None:
            table = each.toml.replace(f'name = "{each.name}"', f'name = "{called}"', 1)
            each = replace(each, name=called, toml=table)
        if each not in result and each.name in (one.name for one in result):
            raise PairingError(
                f"--printer {given}: another printer is called {each.name} already. Give it another name: "
                f"--printer NAME={text}.",
                f"--printer {given}: {each.name}(이)라는 프린터가 이미 있습니다. 다른 이름을 지정하십시오: "
                f"--printer 이름={text}.",
            )
        if each not in result:
            result.append(each)
    return result


def _named(given: str) -> tuple[str | None, str]:
    """The name for commands, and the queue or the address."""
    called, equals, text = given.partition("=")
    if not equals or _URI.match(given):
        return None, given
    if not PRINTER_NAME.fullmatch(called):
        raise PairingError(
            f"--printer {given}: {called} is no name for a printer. Use a-z, 0-9, '.', '_' and '-', and at most 63 "
            "characters.",
            f"--printer {given}: {called}은(는) 프린터 이름으로 쓸 수 없습니다. a-z, 0-9, '.', '_', '-'만, 63자 이하로 "
            "쓰십시오.",
        )
    return called, text


def _of_address(uri: str, taken: Sequence[str]) -> Found:
    try:
        if not uri.startswith(("socket:", "folder:")):
            parse_uri(uri)
    except ValueError as problem:
        raise PairingError(f"--printer {uri}: {problem}", f"--printer {uri}: {problem}") from None
    name = printers.name_for(re.sub(r"^[a-z]+:/*", "", uri).split("/", 1)[0].partition(":")[0] or "printer", taken)
    table = f'[[printers]]\nname = "{name}"\nuri = {printers.quoted(uri)}\n'
    return Found(name, uri, "", uri, table, default=False)


def test_page(printer: PrinterConfig, client_id: str, hub_url: str) -> bool | None:
    """Print a page, and wait for it; False: it is still printing; None: not on this kind of printer. Raises
    PairingError."""
    lines = ["Floorhub", "", f"Client:  {client_id}", f"Printer: {printer.name}", f"Hub:     {hub_url}"]
    lines += ["", f"{time.strftime('%Y-%m-%d %H:%M:%S')}", "", "This machine is connected."]
    if not printer.uri.startswith(("ipp:", "ipps:")):
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test-page.pdf"
        file.write_bytes(page(lines))
        try:
            return asyncio.run(_print(printer, file))
        except (IppError, ValueError) as problem:
            raise PairingError(
                f"The test page could not be printed on {printer.name}: {problem}.",
                f"{printer.name}에 시험 페이지를 인쇄할 수 없습니다: {problem}.",
            ) from None


async def _print(printer: PrinterConfig, file: Path) -> bool:
    ticket = JobTicket(name="floorhub-test-page", document_format="application/pdf")
    async with IppClient(
        printer.uri, tls_verify=printer.tls_verify, ca_file=printer.ca_file, answer_s=printer.timeout_s
    ) as client:
        job = await client.print_job(ticket, file)
        until = time.monotonic() + PRINT_S
        while time.monotonic() < until:
            about = await client.get_job(job.job_id, _ATTRIBUTES)
            state = job_state(about)
            if state is JobState.COMPLETED:
                return True
            if state in ENDED:
                said = label(about.text("job-state-message"), 200) or ", ".join(about.texts("job-state-reasons"))
                raise PairingError(
                    f"The printer did not print the test page: {said}.",
                    f"프린터가 시험 페이지를 인쇄하지 않았습니다: {said}.",
                )
            await asyncio.sleep(_ASK_S)
    return False


def described(found: Found) -> str:
    """A line about a printer."""
    default = terminal.either(" (default)", "(기본)") if found.default else ""
    return f"{found.queue}{default}{f': {found.about}' if found.about else ''}"

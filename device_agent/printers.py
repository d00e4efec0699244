"""`floorhub-agent printers`: which print queues this machine has, and the lines of agent.toml that use them.

Asks and changes nothing.
"""

import asyncio
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from msgspec import Struct

from device_agent import config
from device_agent.actions.config import PRINTER_NAME, PrinterConfig
from device_agent.actions.registry import Drivers
from device_agent.ipp.client import NOT_FOUND, IppClient
from device_agent.ipp.errors import IppError, IppRefused
from device_agent.ipp.message import Group
from device_agent.ipp.states import parse_reasons, printer_state
from device_agent.ipp.transport import parse_uri
from schemas import terminal
from schemas.addresses import AddressError, read_address
from schemas.text import json_text, korean_of, label
from schemas.version import installed_version

Form = Literal["text", "json", "toml"]
_ABOUT = (
    *("printer-name", "printer-info", "printer-location", "printer-make-and-model", "device-uri", "printer-type"),
    *("printer-state", "printer-state-reasons", "printer-state-message", "printer-is-accepting-jobs"),
)
_IS_DEFAULT = 0x20000
"""Of `printer-type` (CUPS_PRINTER_DEFAULT)."""
_ANSWER_S = 10.0
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_LOGIN = re.compile(r"//[^/@]*@")
_STATES = {
    "idle": ("idle", "대기 중"),
    "processing": ("printing", "인쇄 중"),
    "stopped": ("stopped", "멈춤"),
    "unreachable": ("unreachable", "연결되지 않음"),
    "unknown": ("state unknown", "상태를 알 수 없음"),
}


class Queue(Struct, frozen=True, kw_only=True):
    """One queue of a CUPS server. Texts are the server's."""

    name: str
    uri: str
    """For `uri` of agent.toml."""
    title: str
    location: str
    model: str
    device: str
    """The printer behind it, without a login."""
    state: str
    reasons: list[str]
    message: str
    accepting_jobs: bool
    default: bool
    configured_as: str | None
    """The name of the configuration's printer that is this queue."""


class Listing(Struct, frozen=True, kw_only=True):
    """What was found. `problem`: why the server's queues are not known."""

    server: str
    problem: str | None
    queues: list[Queue]
    configured: list[dict[str, Any]]
    """As the state message has them."""
    toml: str
    """Tables for the queues that the configuration does not have yet."""


def run(server: str, path: Path | None, data: Path | None, form: Form) -> int:
    """List, and give the exit code: 0, 1 when there is no printer to show and CUPS does not answer, 2 when the
    configuration or the server's address is wrong."""
    try:
        settings = None if path is None else config.load(path, data)
        _check_server(server)
        listing = asyncio.run(look(server, () if settings is None else settings.printers))
    except (config.ConfigError, ValueError) as problem:  # ValueError: a printer's uri
        said = terminal.either(str(problem), korean_of(problem))
        terminal.write(f"floorhub-agent: {said}", error=True)
        return 2
    if form == "json":
        terminal.write_json(json_text(_document(listing), indent=2))
    elif form == "toml":
        if listing.problem is not None:
            terminal.write(_no_answer(listing), error=True)
        terminal.write(*listing.toml.splitlines())
    else:
        terminal.write(*_lines(listing, path))
    lost = terminal.lost_output()
    if lost is not None:
        terminal.write(f"floorhub-agent: standard output does not take everything: {lost.strerror}.", error=True)
    return 1 if lost is not None or (listing.problem is not None and not listing.configured) else 0


def _check_server(server: str) -> None:
    """Raises ConfigError for what is no address of a CUPS."""
    try:
        parse_uri(server)
    except ValueError:
        raise config.ConfigError(
            f"--server: {server!r} is no address; it must look like ipp://host:631",
            f"--server: {server!r}은(는) 주소가 아닙니다. ipp://host:631 형식이어야 합니다",
        ) from None


async def look(server: str, configured: Sequence[PrinterConfig]) -> Listing:
    """Ask the server for its queues, and the configuration's printers how they are. Raises ValueError for what cannot
    be asked."""
    drivers = Drivers(configured, {}, version=installed_version(), folder=Path())
    (problem, groups), described = await asyncio.gather(_ask(server), drivers.describe())
    known = {_place(printer.uri): printer.name for printer in configured}
    queues = [_queue(group, server, known) for group in groups]
    return Listing(
        server=server,
        problem=problem,
        queues=queues,
        configured=described["printers"],
        toml=_toml(queues, configured),
    )


async def _ask(server: str) -> tuple[str | None, list[Group]]:
    async with IppClient(f"{server.rstrip('/')}/", answer_s=_ANSWER_S) as client:
        try:
            groups = await client.cups_get_printers(_ABOUT)
        except IppRefused as refusal:
            return (None, []) if refusal.status == NOT_FOUND else (str(refusal), [])  # CUPS without a queue says so
        except IppError as problem:
            return str(problem), []
    return None, sorted((group for group in groups if group.text("printer-name")), key=lambda g: g.text("printer-name"))


def _queue(group: Group, server: str, known: dict[tuple[str, int, str], str]) -> Queue:
    name, state = group.text("printer-name"), printer_state(group)
    uri = f"{server.rstrip('/')}/printers/{_in_path(name)}"
    return Queue(
        name=name,
        uri=uri,
        title=label(group.text("printer-info"), 100),
        location=group.text("printer-location"),
        model=group.text("printer-make-and-model"),
        device=_LOGIN.sub("//", group.text("device-uri")),
        state=state.name.lower() if state else "unknown",
        reasons=[reason.name for reason in parse_reasons(group.texts("printer-state-reasons"))],
        message=group.text("printer-state-message"),
        accepting_jobs=group.boolean("printer-is-accepting-jobs") is not False,
        default=bool((group.integer("printer-type") or 0) & _IS_DEFAULT),
        configured_as=known.get(_place(uri)),
    )


def _in_path(name: str) -> str:
    """A queue's name in a URI as people read it: letters of every script stay."""
    return "".join(quote(char, safe="") if char.isascii() or not char.isprintable() else char for char in name)


def _place(uri: str) -> tuple[str, int, str]:
    """What two spellings of one queue's URI share."""
    try:
        address = read_address(uri)
    except AddressError:
        return ("", 0, uri)
    host = "localhost" if address.host in _LOCAL else address.host
    return (host, address.port or 631, address.path.rstrip("/"))


# --- lines for agent.toml ------------------------------------------------------------------------------------


def _toml(queues: Sequence[Queue], configured: Sequence[PrinterConfig]) -> str:
    """Tables for the queues that are not configured. The server's default queue becomes the client's, unless the
    configuration has one."""
    taken = {printer.name for printer in configured}
    may_be_default = not any(printer.default for printer in configured)
    tables = []
    for queue in queues:
        if queue.configured_as is not None:
            continue
        name = name_for(queue.name, taken)
        taken.add(name)
        title = queue.title or (label(queue.name, 100) if queue.name != name else "")
        table = ["[[printers]]", f"name = {quoted(name)}"]
        table += [f"title = {quoted(title)}"] if title else []
        table += [f"uri = {quoted(queue.uri)}"]
        table += ["default = true"] if queue.default and may_be_default else []
        tables.append("\n".join(table))
    return "\n\n".join(tables)


def name_for(queue: str, taken: Iterable[str]) -> str:
    """A name for commands that is like the queue's, and that no other printer has."""
    plain = unicodedata.normalize("NFKD", queue).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9_.-]+", "-", plain).strip("-._")[:60] or "printer"
    others = set(taken)
    numbered = (name if number == 1 else f"{name}-{number}" for number in range(1, len(others) + 2))
    found = next(each for each in numbered if each not in others)
    return found if PRINTER_NAME.fullmatch(found) else "printer"


def quoted(text: str) -> str:
    """A basic string of TOML; `label` has taken out what it could not have."""
    return json.dumps(text, ensure_ascii=False)


# --- what people and programs see ----------------------------------------------------------------------------


def _document(listing: Listing) -> dict[str, Any]:
    names = Queue.__struct_fields__
    queues = [{name: getattr(queue, name) for name in names} for queue in listing.queues]
    return {
        "cups": {"server": listing.server, "problem": listing.problem, "queues": queues},
        "configured": listing.configured,
        "toml": listing.toml,
    }


def _lines(listing: Listing, path: Path | None) -> list[str]:
    lines: list[str] = []
    if path is not None:
        lines.append(_say(f"Printers of {path}:", f"{path}의 프린터:"))
        lines += [line for printer in listing.configured for line in _configured(printer)]
        lines += [] if listing.configured else [_say("  none", "  없음")]
        lines.append("")
    if listing.problem is not None:
        return [*lines, _no_answer(listing)]
    lines.append(_say(f"Queues of CUPS at {listing.server}:", f"{listing.server}의 CUPS 큐:"))
    if not listing.queues:
        none = "  none: add one with lpadmin, or at http://localhost:631/admin"
        none_ko = "  없음: lpadmin이나 http://localhost:631/admin에서 추가하십시오"
        return [*lines, _say(none, none_ko)]
    lines += [line for queue in listing.queues for line in _queue_lines(queue)]
    if listing.toml:
        to_use = _say("To use them, add these lines to agent.toml:", "사용하려면 agent.toml에 다음을 추가하십시오:")
        lines += ["", to_use, "", *listing.toml.splitlines()]
    return lines


def _configured(printer: dict[str, Any]) -> list[str]:
    reasons = [str(reason["reason"]) for reason in printer["reasons"]]
    lines = [_head(printer["name"], printer["state"], reasons, default=bool(printer.get("default")))]
    about = [printer.get("title"), printer.get("model"), printer.get("uri"), printer.get("message")]
    return [*lines, *(f"      {text}" for text in about if text)]


def _queue_lines(queue: Queue) -> list[str]:
    head = _head(queue.name, queue.state, queue.reasons, default=queue.default)
    if not queue.accepting_jobs:
        head += _say(", takes no jobs", ", 작업을 받지 않음")
    if queue.configured_as is not None:
        head += _say(f"; configured as {queue.configured_as}", f"; {queue.configured_as}(으)로 설정됨")
    about = [queue.title if queue.title != queue.name else "", queue.model, queue.location, queue.device, queue.message]
    return [head, *(f"      {text}" for text in about if text)]


def _head(name: str, state: str, reasons: Sequence[str], *, default: bool) -> str:
    chosen = _say(" (default)", "(기본)") if default else ""
    words = _say(*_STATES.get(state, (state, state)))
    because = f" ({', '.join(reasons)})" if reasons else ""
    return f"  {name}{chosen}: {words}{because}"


def _no_answer(listing: Listing) -> str:
    return _say(
        f"No CUPS answers at {listing.server} ({listing.problem}). Printers on the network work without it: "
        'uri = "ipp://ADDRESS/ipp/print".',
        f"{listing.server}에서 CUPS가 응답하지 않습니다({listing.problem}). 네트워크 프린터는 CUPS 없이도 됩니다: "
        'uri = "ipp://주소/ipp/print".',
    )


def _say(english: str, korean: str) -> str:
    return korean if terminal.shows_korean() else english

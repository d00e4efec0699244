"""Printers that announce themselves in the network (DNS-SD), where the system has a program that hears them."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator

from msgspec import Struct

from schemas.addresses import AddressError, read_address
from schemas.text import label

PROGRAM = "avahi-browse"
_SERVICES = ("_ipps._tcp", "_ipp._tcp")
"""Encrypted first: of a printer that announces both, this one counts."""
_PATIENCE_S = 8.0
_MOST = 100
_MOST_BYTES = 1_000_000
_ESCAPED = re.compile(r"\\(\d{3})")
_TEXT = re.compile(r'"([^"=]+)=([^"]*)"')
_PATH = re.compile(r"[A-Za-z0-9._~%/-]{1,200}")
_PDF = "application/pdf"


class Announced(Struct, frozen=True, kw_only=True):
    """One printer. Texts are its own."""

    name: str
    uri: str
    model: str


def hear(known: Iterable[str] = ()) -> list[Announced]:
    """The printers that print PDF and are none of the `known` ones, which are URIs or names. Nothing where the system
    cannot hear them; never raises."""
    program = shutil.which(PROGRAM)
    if program is None:
        return []
    taken = " ".join(known).casefold()
    found: dict[tuple[str, str], Announced] = {}
    for service in _SERVICES:
        for host, each in _read(_ask(program, service), service):
            if each.name.casefold() not in taken and host.casefold() not in taken:
                found.setdefault((host, each.name), each)
    return sorted(found.values(), key=lambda each: each.name)[:_MOST]


def _ask(program: str, service: str) -> str:
    argv = [program, "--resolve", "--parsable", "--terminate", service]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=_PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout[:_MOST_BYTES].decode("utf-8", "replace")


def _read(text: str, service: str) -> Iterator[tuple[str, Announced]]:
    """Host and printer of each line that is one."""
    for line in text.splitlines():
        parts = line.split(";", 9)
        if len(parts) < 10 or parts[0] != "=" or parts[4] != service:
            continue
        about = dict(_TEXT.findall(parts[9]))
        path, host = about.get("rp", "ipp/print"), parts[6]
        if _PDF not in about.get("pdl", _PDF) or not _PATH.fullmatch(path):
            continue
        uri = f"{service[1:-5]}://{host}:{parts[8]}/{path}"
        try:
            if read_address(uri).user:
                continue
        except AddressError:
            continue
        name = label(_ESCAPED.sub(_character, parts[3]), 100)
        if name:
            yield host, Announced(name=name, uri=uri, model=label(about.get("ty", ""), 100))


def _character(found: re.Match[str]) -> str:
    """A byte that the program wrote as three digits; of a letter of several bytes, the parts are dropped."""
    number = int(found[1])
    return chr(number) if 32 <= number < 127 else " "

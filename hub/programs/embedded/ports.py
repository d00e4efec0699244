"""Which TCP port a service gets: the wanted one, or a free one next to it, and the same again at the next start.

A replacement is kept even when the wanted port is free again: the configurations of agents and order systems may name
it. So the sentence about it says how to go back.
"""

import errno
import json
import socket
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from hub.programs.embedded.errors import EmbeddedError
from schemas.terminal import either

LOOPBACK = ("127.0.0.1",)
START_TRIES = 4
"""How often ports are chosen while others take them between choice and start: another stack that starts now, mostly."""
_NEIGHBOURS = 50
_LISTEN = "0A"  # the state column of /proc/net/tcp


@dataclass(frozen=True, slots=True)
class ChosenPort:
    """A free port; `instead_of` is the wanted one when this is another, and `why` a sentence about that, if any."""

    number: int
    instead_of: int | None = None
    why: str = ""


class PortBook:
    """The chosen ports by service name, kept in a small JSON file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._forgotten = ""
        """A sentence about a file that could not be understood."""

    def choose(self, name: str, wanted: int, hosts: tuple[str, ...] = LOOPBACK) -> ChosenPort:
        """A port that is free on all `hosts` right now, and no other service's, written down for the next start. 0
        wants any port.

        Order: the port of the last start (if the same one was wanted then), the wanted one, its neighbours, any.
        Somebody may take it before the service does; whoever starts the service then chooses again (`START_TRIES`).
        """
        book = self._read()
        forgotten = self._forgotten
        kept = book.get(name)
        # They may not listen yet: a neighbour of one wanted port is the wanted port of another service.
        others = {entry["port"] for other, entry in book.items() if other != name}
        candidates = [kept["port"]] if kept is not None and kept["wanted"] == wanted else []
        if wanted:
            candidates += range(wanted, min(wanted + _NEIGHBOURS, 65536))
        mine = (port for port in candidates if port not in others and is_free(port, hosts))
        number = next(mine, None) or _any_free(hosts, others)
        book[name] = {"wanted": wanted, "port": number}
        try:
            self._file.write_text(json.dumps(book, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        except OSError as problem:
            raise EmbeddedError(
                f"{self._file} cannot be written: {problem.strerror}.",
                "Check its rights and its disk.",
                ko=f"{self._file}에 쓸 수 없습니다: {problem.strerror}. 권한과 디스크를 확인하십시오.",
            ) from None
        if wanted in (0, number):
            return ChosenPort(number, why=forgotten.strip())
        if wanted in others or not is_free(wanted, hosts):
            return ChosenPort(number, wanted, forgotten + _taken(name, wanted, number))
        return ChosenPort(
            number,
            wanted,
            either(
                f"Port {wanted} is free again, but {name} keeps {number} of an earlier start, since clients may know "
                f"it. To go back: stop, delete {self._file}, start.",
                f"포트 {wanted}이(가) 다시 비었지만 {name}은(는) 이전에 쓰던 {number}을(를) 계속 씁니다. 클라이언트가 "
                f"알고 있을 수 있기 때문입니다. 되돌리려면 멈춘 뒤 {self._file}을(를) 삭제하고 시작하십시오.",
            ),
        )

    def known(self, name: str) -> int | None:
        """The port of the last start."""
        kept = self._read().get(name)
        return None if kept is None else kept["port"]

    def _read(self) -> dict[str, dict[str, int]]:
        """What was chosen before; a file that cannot be understood only costs the memory of it, which is told. Raises
        EmbeddedError when it cannot be read."""
        self._forgotten = ""
        try:
            raw = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(name): {"wanted": int(e["wanted"]), "port": int(e["port"])} for name, e in raw.items()}
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise EmbeddedError(
                f"{self._file} cannot be read: {problem.strerror}.",
                "Check its rights, or delete it: ports are chosen anew then.",
                ko=f"{self._file}을(를) 읽을 수 없습니다: {problem.strerror}. 권한을 확인하거나 삭제하십시오. "
                "삭제하면 포트를 "
                "다시 고릅니다.",
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            self._forgotten = either(
                f"{self._file} is damaged: the ports of earlier starts are forgotten, and chosen anew. ",
                f"{self._file}이(가) 손상되어 이전 포트를 알 수 없으므로 다시 고릅니다. ",
            )
            return {}


def _taken(name: str, wanted: int, number: int) -> str:
    return either(
        f"Port {wanted} is taken, so {name} uses {number}.",
        f"포트 {wanted}을(를) 다른 프로그램이 쓰고 있어 {name}은(는) {number}을(를) 씁니다.",
    )


def is_free(port: int, hosts: tuple[str, ...] = LOOPBACK) -> bool:
    """Whether nobody listens on `port` at any of `hosts`. An address this machine does not have counts as free."""
    return all(_can_bind(host, port) for host in hosts)


def _can_bind(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As the services do: connections of the last run that the kernel still winds down do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True


def _any_free(hosts: tuple[str, ...], others: Collection[int]) -> int:
    for _ in range(_NEIGHBOURS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK[0], 0))
            port = int(probe.getsockname()[1])
        if port not in others and is_free(port, hosts):
            return port
    raise EmbeddedError(
        "No free TCP port was found.",
        "Close programs that hold many ports, then start again.",
        ko="비어 있는 TCP 포트가 없습니다. 포트를 많이 쓰는 프로그램을 끝낸 뒤 다시 시작하십시오.",
    )


def listens(pid: int, port: int) -> bool:
    """Whether process `pid` itself listens on `port`.

    A plain connect would also succeed against somebody else's service that took the port first, so on Linux the
    socket's owner is looked up; elsewhere a connect has to do.
    """
    if sys.platform != "linux":
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex((LOOPBACK[0], port)) == 0
    inodes = _listening_inodes(port)
    if not inodes:
        return False
    try:
        return any(_link_target(entry) in inodes for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False  # the process ended


def _link_target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""  # closed while we looked


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found

"""Two machines and a cable between them: network namespaces of this one, apart from its own network.

Each lives as long as its process does, so that nothing of it outlives a test that is killed. Needs Linux and root.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_NEW_NETWORK = 0x40000000
_COMMAND_S = 20
_ALL_PROTOCOLS = 3
_IPV4, _IPV6, _TCP = 0x0800, 0x86DD, 6
_LISTENS = "0A"
_PORT = "cable"


class NoNamespacesError(Exception):
    """This machine makes none, and why."""


class Namespace:
    """The network of one machine."""

    def __init__(self, holder: "subprocess.Popen[bytes]") -> None:
        self._holder = holder

    @property
    def pid(self) -> int:
        """The process that keeps it."""
        return self._holder.pid

    def argv(self, *words: str) -> list[str]:
        """A command there."""
        return ["nsenter", "--net", "--target", str(self.pid), *words]

    def ip(self, *words: str) -> None:
        """Change it."""
        _run(self.argv("ip", *words))

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Sockets, and processes that are started, of this thread are there."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _enter(Path(f"/proc/{self.pid}/ns/net"))
            try:
                yield
            finally:
                _set(own)
        finally:
            os.close(own)

    def listening(self) -> set[tuple[str, int]]:
        """Where others could connect: address and port of each TCP listener beyond loopback."""
        found = set()
        for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
            for line in Path(f"/proc/{self.pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                local, state = line.split()[1], line.split()[3]
                address, _, port = local.partition(":")
                if state == _LISTENS and not (text := _address(family, address)).startswith(("127.", "::1")):
                    found.add((text, int(port, 16)))
        return found


@contextmanager
def two_machines(*, first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[Namespace, Namespace]]:
    """Two machines with these addresses (`10.0.0.1/24`) on one cable. Raises NoNamespacesError."""
    with ExitStack() as undo:
        one, other = undo.enter_context(_namespace()), undo.enter_context(_namespace())
        ends = ("link", "add", _PORT, "netns", str(one.pid), "type", "veth", "peer", "name", _PORT)
        _run(["ip", *ends, "netns", str(other.pid)])
        for machine, addresses in ((one, first), (other, second)):
            machine.ip("link", "set", "lo", "up")
            for address in addresses:
                add_address(machine, address)
            machine.ip("link", "set", _PORT, "up")
        yield one, other


def add_address(machine: Namespace, address: str) -> None:
    """Give a machine another address."""
    with_v6 = ("nodad",) if ":" in address else ()
    machine.ip("address", "add", address, "dev", _PORT, *with_v6)


def remove_address(machine: Namespace, address: str) -> None:
    """Take one away."""
    machine.ip("address", "del", address, "dev", _PORT)


class Capture:
    """What passes the cable, as a machine sees it."""

    def __init__(self, machine: Namespace) -> None:
        with machine.entered():
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
        self._socket.bind((_PORT, 0))
        self._socket.settimeout(0.2)
        self._ends = False
        self._frames: list[bytes] = []
        self._thread = threading.Thread(target=self._read, name="capture", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more."""
        self._ends = True
        self._thread.join()
        self._socket.close()

    def ports(self) -> set[int]:
        """The ports to which TCP connections were begun, or tried."""
        return {port for port, flags, _ in map(_tcp, self._frames) if flags & 0x12 == 0x02}

    def has(self, text: str) -> bool:
        """Whether somebody who listens could read a text."""
        return any(text.encode() in frame for frame in self._frames)

    def _read(self) -> None:
        while not self._ends:
            with suppress(TimeoutError):
                self._frames.append(self._socket.recv(65_536))


def _tcp(frame: bytes) -> tuple[int, int, bytes]:
    """Port, flags and payload of a frame; zeros of one without TCP."""
    kind, packet = int.from_bytes(frame[12:14]), frame[14:]
    if kind == _IPV4 and packet[9] == _TCP:
        segment = packet[(packet[0] & 15) * 4 :]
    elif kind == _IPV6 and packet[6] == _TCP:
        segment = packet[40:]
    else:
        return 0, 0, b""
    return int.from_bytes(segment[2:4]), segment[13], segment[(segment[12] >> 4) * 4 :]


@contextmanager
def _namespace() -> Iterator[Namespace]:
    if os.name != "posix" or not Path("/proc/self/ns/net").exists() or not shutil.which("ip"):
        raise NoNamespacesError("this needs Linux with the program ip (Debian: the package iproute2)")
    if os.geteuid() != 0:
        raise NoNamespacesError("only root can make network namespaces here: run it with sudo")
    # A shell that waits for its input ends with whoever started it, however that ends.
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo ready; read -r _"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != b"ready\n":
            raise NoNamespacesError(f"the system makes none: {holder.stderr.read().decode(errors='replace').strip()}")
        yield Namespace(holder)
    finally:
        holder.kill()
        holder.communicate()


def _enter(file: Path) -> None:
    there = os.open(file, os.O_RDONLY)
    try:
        _set(there)
    finally:
        os.close(there)


def _set(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _address(family: int, text: str) -> str:
    """An address as the kernel's tables write it: words of 32 bits, each backwards."""
    packed = b"".join(bytes.fromhex(text[place : place + 8])[::-1] for place in range(0, len(text), 8))
    return socket.inet_ntop(family, packed)


def _run(argv: Sequence[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_COMMAND_S, check=False)
    if done.returncode != 0:
        raise NoNamespacesError(f"{' '.join(argv)}: {done.stderr.strip()}")

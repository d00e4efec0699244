"""The port for other machines: takes connections as fast as their handshakes are done, within the limits of
`admission`."""

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import Callable, Sequence

from hub.api.protocol import refusal
from hub.api.proxies import address_of
from hub.errors import SetupError
from hub.programs.edge.admission import Admission, Visit
from hub.programs.edge.telemetry import Metrics

BACKLOG = 2_048
HANDSHAKE_S = 10.0
"""For the whole TLS handshake."""
GOODBYE_S = 3.0
"""For the end of TLS, before the connection is closed without it."""
AT_ONCE = 16
"""Connections taken before those that stand get their turn."""
NO_FILES_S = 0.2
"""Pause when the system gives no more connections."""
_PLAIN_HTTP = "HTTP_REQUEST"
"""What the library calls bytes that look like HTTP where TLS should begin."""
GONE_MS = 40_000
"""After so long without a sign of the caller's network stack a connection with something under way is over."""


def listen(host: str, port: int, *settings: str) -> socket.socket:
    """The listening socket. `::` takes IPv4, too. `settings` are those of host and port. Raises SetupError."""
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise _cannot_listen(host, port, problem, settings) from None
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
        sock.bind(address)
    except OSError as problem:
        sock.close()
        raise _cannot_listen(host, port, problem, settings) from None
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


def _cannot_listen(host: str, port: int, problem: OSError, settings: Sequence[str]) -> SetupError:
    return SetupError(
        f"The edge cannot listen on port {port} of {host} ({problem.strerror}): give an address of this machine and a "
        f"free port ({', '.join(settings)}).",
        ko=f"{host}의 포트 {port}을(를) 열 수 없습니다({problem.strerror}). 이 컴퓨터의 주소와 빈 포트를 지정하십시오"
        f"({', '.join(settings)}).",
    )


class Listener:
    """Accepts, and begins TLS; each connection then belongs to what `protocol` makes for its visit."""

    def __init__(
        self,
        sock: socket.socket,
        admission: Admission,
        context: ssl.SSLContext,
        metrics: Metrics,
        protocol: Callable[[Visit], asyncio.Protocol],
    ) -> None:
        self._sock = sock
        self._admission = admission
        self._context = context
        self._metrics = metrics
        self._protocol = protocol
        self._handshakes: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take connections until it is cancelled."""
        loop = asyncio.get_running_loop()
        taken = 0
        try:
            while True:
                try:
                    sock, address = await loop.sock_accept(self._sock)
                except OSError:  # out of files, or the caller is gone already
                    await asyncio.sleep(NO_FILES_S)
                    continue
                self._begin(sock, str(address_of(address[0]) or address[0]))
                taken += 1
                if taken % AT_ONCE == 0:
                    await asyncio.sleep(0)
        finally:
            self._sock.close()
            for task in self._handshakes:
                task.cancel()

    def _begin(self, sock: socket.socket, address: str) -> None:
        visit = self._admission.open(address, sock.close)
        if visit is None:
            sock.close()
            return
        task = asyncio.get_running_loop().create_task(self._handshake(sock, visit))
        visit.closes_by(lambda: None if task.cancel() else sock.close())
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _handshake(self, sock: socket.socket, visit: Visit) -> None:
        with contextlib.closing(sock.dup()) as plain, contextlib.ExitStack() as undo:
            undo.callback(visit.end)
            undo.callback(sock.close)  # without effect once a transport has it
            try:
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: self._protocol(visit),
                    sock,
                    ssl=self._context,
                    ssl_handshake_timeout=HANDSHAKE_S,
                    ssl_shutdown_timeout=GOODBYE_S,
                )
            except OSError as problem:  # as ssl.SSLError and ConnectionError, too
                self._metrics.refused.labels("handshake").inc()
                if isinstance(problem, ssl.SSLError) and problem.reason == _PLAIN_HTTP:
                    with contextlib.suppress(OSError):
                        plain.send(refusal("https_only", []))
                return
            undo.pop_all()

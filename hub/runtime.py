"""Starting and stopping a hub process: one TaskGroup, named tasks, a soft stop and then a hard one."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from hub.api import unix_socket
from hub.api.tls import Certificate, CertificateFiles
from hub.app import Hub
from hub.config import Settings
from hub.errors import SetupError
from hub.loops import Loop
from hub.telemetry.log import Event

_YOUNG = 20_000
"""New objects between two looks of the collector at them. By default it looks at each 700, several times for a
command, and finds next to nothing: what a request leaves is freed by its reference counts."""
CANCEL_AGAIN_S = 2.0
"""Longer than any loop needs to leave what it is in."""
BACKLOG = 2_048
GONE_MS = 40_000
"""After so long without a sign of the caller's network stack a connection with something under way is over."""


HANDSHAKE_S = 10.0
"""A connection whose TLS has not begun by then is over."""
CERTIFICATE_S = 5.0
"""How often the files of the certificate are looked at."""


class _Server(uvicorn.Server):
    """Leaves signals to us, says when it answers, and answers by HTTPS at another socket, if there is one."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None], secure: "_Secure | None") -> None:
        super().__init__(config)
        self._tell_started = started
        self._secure = secure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._secure is not None:
            self.servers.append(
                await asyncio.get_running_loop().create_server(
                    self._protocol,
                    sock=self._secure.sock,
                    ssl=self._secure.certificate.context,
                    ssl_handshake_timeout=HANDSHAKE_S,
                    backlog=BACKLOG,
                )
            )
        self._tell_started()

    def _protocol(self) -> asyncio.Protocol:
        kind: Any = self.config.http_protocol_class
        made: asyncio.Protocol = kind(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(hub: Hub, *, ready: Callable[[str], None] | None = None, stop: asyncio.Event | None = None) -> None:
    """Run a hub until SIGTERM or SIGINT, or until `stop` is set. Raises SetupError when it cannot start.

    `ready` is called with the base URL once HTTP answers (role api).
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError, NotImplementedError):
            loop.add_signal_handler(number, stop.set)
    await hub.database.open()
    try:
        async with hub.database.told():
            for subject in hub.subjects:
                for prepare in subject.prepare:
                    await prepare()
        await _run_tasks(hub, ready, stop)
    finally:
        await hub.database.close()
        hub.log.info(Event.HUB_STOPPED)


async def _run_tasks(hub: Hub, ready: Callable[[str], None] | None, stop: asyncio.Event) -> None:
    settings = hub.settings
    sock = _listen(settings) if "api" in settings.roles else None
    secure: _Secure | None = None
    local: socket.socket | None = None
    server: _Server | None = None
    if sock is not None:
        try:
            secure = _Secure.of(hub)
        except SetupError:
            sock.close()
            raise
        host, port = sock.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        server = _http_server(hub, lambda: ready(url) if ready is not None else None, secure)
    background: list[asyncio.Task[None]] = []
    serving: asyncio.Task[None] | None = None
    try:
        if sock is not None and settings.socket is not None:
            local = unix_socket.listen(settings.socket)
        async with asyncio.TaskGroup() as group:
            for subject in hub.subjects:
                background += [group.create_task(_watched(hub, loop), name=loop.name) for loop in subject.loops]
            if secure is not None:
                background.append(group.create_task(secure.run(), name="certificate"))
            if server is not None and sock is not None:
                serving = group.create_task(server.serve(sockets=[sock, local] if local else [sock]), name="http")
            # What the start made stays until the end: to look it over for garbage again and again stops everything.
            gc.collect()
            gc.freeze()
            gc.set_threshold(_YOUNG)
            hub.log.info(Event.HUB_STARTED, roles=sorted(settings.roles))
            try:
                await stop.wait()
                # Soft: no new requests, those under way are finished. Then hard: the loops are cancelled.
                if server is not None and serving is not None:
                    for subject in hub.subjects:
                        for end in subject.stop:
                            end()
                    server.should_exit = True
                    await asyncio.wait({serving}, timeout=settings.stop_grace_s)
                    server.force_exit = True
            finally:
                # Requests too, while there is a database: each that has no answer yet gets one.
                requests = server.server_state.tasks if server is not None else ()
                await _end({*background, *requests, *([serving] if serving is not None else [])})
    except ExceptionGroup as problems:
        # Not `except*`: before 3.11.4 Python wraps again what is raised in it (python/cpython#103590); Debian 12 does.
        wrong = _setup_problems(problems)
        if not wrong:
            raise
        raise wrong[0] from None
    finally:
        if sock is not None:
            sock.close()
        if secure is not None:
            secure.sock.close()
        if local is not None and settings.socket is not None:
            unix_socket.close(local, settings.socket)


class _Secure:
    """The socket for HTTPS and its certificate, which may change while the hub runs."""

    def __init__(self, hub: Hub, sock: socket.socket, certificate: Certificate) -> None:
        self._log = hub.log
        self.sock = sock
        self.certificate = certificate

    @classmethod
    def of(cls, hub: Hub) -> "_Secure | None":
        """As the settings say; None without a certificate. Raises SetupError."""
        settings = hub.settings
        if settings.socket is not None or (settings.tls_certificate is None and settings.tls_key is None):
            return None  # behind the edge HTTPS is the edge's
        if settings.tls_certificate is None or settings.tls_key is None:
            raise SetupError(
                "HTTPS needs both FLOORHUB_TLS_CERTIFICATE and FLOORHUB_TLS_KEY.",
                ko="HTTPS에는 FLOORHUB_TLS_CERTIFICATE와 FLOORHUB_TLS_KEY가 모두 필요합니다.",
            )
        certificate = Certificate(CertificateFiles(settings.tls_certificate, settings.tls_key))
        return cls(hub, _listen_at(settings.tls_host, settings.tls_port, "FLOORHUB_TLS_PORT"), certificate)

    async def run(self) -> None:
        """Look at the files until cancelled: a new certificate is shown to new connections, and none is ended."""
        while True:
            await asyncio.sleep(CERTIFICATE_S)
            try:
                if await asyncio.to_thread(self.certificate.is_due):
                    self.certificate.load()
                    self._log.info(Event.CERTIFICATE_CHANGED)
            except SetupError as problem:
                self._log.seldom("certificate").error(Event.CERTIFICATE_UNUSABLE, reason=problem.sentence)


def _setup_problems(problem: BaseException) -> list[SetupError]:
    """Those in a group, however deep."""
    if isinstance(problem, SetupError):
        return [problem]
    if not isinstance(problem, BaseExceptionGroup):
        return []
    return [found for one in problem.exceptions for found in _setup_problems(one)]


async def _watched(hub: Hub, loop: Loop) -> None:
    """Run a loop that must not end; its death is logged and ends the process, which a supervisor starts again."""
    try:
        await loop.run()
    except Exception as problem:
        if _setup_problems(problem):
            raise  # a sentence for the operator, told at the end
        hub.log.exception(Event.TASK_DIED, task=loop.name)
        raise


async def _end(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel until all have ended. Once is not enough: `asyncio.wait_for`, which libraries use, loses a cancel that
    meets its result before Python 3.12 (python/cpython#86296), and the loop would go on for ever."""
    while tasks:
        for task in tasks:
            task.cancel()
        _, tasks = await asyncio.wait(tasks, timeout=CANCEL_AGAIN_S)


def _http_server(hub: Hub, started: Callable[[], None], secure: _Secure | None) -> _Server:
    from hub.api.protocol import BoundedHttp
    from hub.api.server import build

    config = uvicorn.Config(
        build(
            hub.parts,
            [router for subject in hub.subjects for router in subject.routers],
            [path for subject in hub.subjects for path in subject.fast_paths],
            hub.settings.trusted_proxies,
            gates=[gate for subject in hub.subjects for gate in subject.gates],
            hosts=hub.settings.hosts,
            origins=hub.settings.cors_origins,
            local=hub.settings.socket is not None,
        ),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        # The library believes whoever calls from this machine, and what its own variable of the environment says.
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=int(hub.settings.stop_grace_s),
        limit_concurrency=2_000,
        http=BoundedHttp,
        ws="none",
    )
    return _Server(config, started, secure)


def _listen(settings: Settings) -> socket.socket:
    return _listen_at(settings.host, settings.port, "FLOORHUB_PORT")


def _listen_at(host: str, port: int, setting: str) -> socket.socket:
    """A socket that takes connections; `setting` names the port for people. Raises SetupError."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if host == "::":
        # Every address, of IPv4, too, whatever this system does by itself.
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if sys.platform == "linux":
        # Each connection has it from here. A stream to a machine that is gone looks open for a quarter of an hour else.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
    try:
        sock.bind((host, port))
    except OSError as problem:
        sock.close()
        raise SetupError(
            f"Port {port} on {host} is not free ({problem.strerror}): set {setting} to another.",
            ko=f"{host}의 포트 {port}을(를) 쓸 수 없습니다({problem.strerror}). {setting}에 다른 포트를 지정하십시오.",
        ) from None
    sock.listen(BACKLOG)
    return sock

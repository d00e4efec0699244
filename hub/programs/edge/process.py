"""The edge as a process: its parts, its start, and its end."""

import asyncio
import contextlib
import gc
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from typing import cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from hub.api.hosts import KnownHosts
from hub.api.protocol import BoundedHttp, refusal
from hub.api.proxies import networks
from hub.core.limits.rules import Windows
from hub.loops import log_loop
from hub.programs.edge import listener, page, status
from hub.programs.edge.admission import Admission, State
from hub.programs.edge.certificate import CertificateWatch
from hub.programs.edge.forwarding import Forwarding
from hub.programs.edge.front import Front
from hub.programs.edge.origins import PageOrigins
from hub.programs.edge.page import Page, Patience, Surroundings
from hub.programs.edge.settings import EdgeSettings
from hub.programs.edge.telemetry import Event, Metrics
from hub.telemetry.log import Log
from hub.telemetry.metrics import Meters

KEEP_ALIVE_S = 30
LOOPBACK = "127.0.0.1"
LEAVE_S = 1.0
_HANDSHAKE = (b"host", b"upgrade", b"connection", b"origin")
_WEBSOCKET = b"sec-websocket-"


class Edge:
    """All parts of the process. Raises SetupError when it cannot start."""

    def __init__(self, settings: EdgeSettings, log: Log, patience: Patience | None = None) -> None:
        self.settings = settings
        self.log = log
        self.meters = Meters()
        self.metrics = Metrics(self.meters)
        self.certificate = CertificateWatch(settings.tls_certificate, settings.tls_key, log, self.metrics)
        self.admission = Admission(
            settings.edge_connections,
            settings.edge_connections_per_address,
            settings.edge_half_open_per_address,
            self._refused,
        )
        trusted = networks(settings.trusted_proxies)
        forwarding = Forwarding(settings.socket, trusted, log, self.metrics)
        self._config = _config(forwarding, Front)
        self._state = ServerState()
        self._hosts = KnownHosts(forwarding, settings.hosts)
        self._origins = PageOrigins(settings.cors_origins)
        self._pages: set[Page] = set()
        self._around = Surroundings(
            settings.broker, log, self.metrics, Windows(page.CONNECTS), self._pages, patience or Patience()
        )
        self.sock = listener.listen(settings.tls_host, settings.tls_port, "FLOORHUB_TLS_HOST", "FLOORHUB_TLS_PORT")
        self._status_sock = (
            listener.listen(LOOPBACK, settings.edge_status_port, "FLOORHUB_EDGE_STATUS_PORT")
            if settings.edge_status_port
            else None
        )
        self._listener = listener.Listener(
            self.sock,
            self.admission,
            self.certificate.shown.context,
            self.metrics,
            lambda visit: Front(
                config=self._config, server_state=self._state, app_state={}, visit=visit, take_over=self._take_over
            ),
        )

    async def run(self, stop: asyncio.Event, ready: Callable[[int], None] | None = None) -> None:
        """Serve until `stop` is set; `ready` hears the port."""
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._listener.run(), name="listener"),
            loop.create_task(self.certificate.run(), name="certificate"),
            loop.create_task(log_loop(self.log).run(), name="log"),  # type: ignore[arg-type]  # a coroutine function
        ]
        if self._status_sock is not None:
            tasks.append(loop.create_task(self._serve_status(self._status_sock), name="status"))
        # What the start made stays until the end: to look it over for garbage again and again stops everything.
        gc.collect()
        gc.freeze()
        port = self.sock.getsockname()[1]
        self.log.info(Event.EDGE_STARTED, host=self.settings.tls_host, port=port)
        if ready is not None:
            ready(port)
        stopping = loop.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # none of them ends by itself: what it raises ends the process
        finally:
            stopping.cancel()
            tasks[0].cancel()
            await self._end()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self.log.info(Event.EDGE_STOPPED)

    async def _end(self) -> None:
        """Requests under way are finished, pages are told to come back."""
        for each in list(self._pages):
            each.end()
        for connection in list(self._state.connections):
            cast("Front", connection).shutdown()
        if self.admission.visits():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.settings.stop_grace_s):
                    await self.admission.empty.wait()
        for visit in self.admission.visits():
            visit.close()
        if under_way := set(self._state.tasks):
            # They notice that their callers are gone.
            _, under_way = await asyncio.wait(under_way, timeout=LEAVE_S)
            for task in under_way:
                task.cancel()
        if under_way:
            await asyncio.wait(under_way)

    async def _serve_status(self, sock: socket.socket) -> None:
        checks = {
            "hub": lambda: status.hub_state(self.settings.socket),
            "broker": lambda: status.broker_state(*self.settings.broker),
            "certificate": self._certificate_state,
        }
        app = KnownHosts(status.Status(checks, self.meters, self._look), ["localhost"])
        server = _StatusServer(_config(app, BoundedHttp))
        try:
            await server.serve(sockets=[sock])
        finally:
            sock.close()

    async def _certificate_state(self) -> str:
        return self.certificate.shown.state

    def _look(self) -> None:
        for state in State:
            self.metrics.connections.labels(state.value).set(self.admission.number(state))

    def _take_over(self, front: Front, data: bytes) -> None:
        """Go on with a connection that asks for a WebSocket at `/mqtt`, if it may."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in front.headers:
            found.setdefault(name, []).append(value)
        host = found[b"host"][0].decode("latin-1")
        origins = [value.decode("latin-1") for value in found.get(b"origin", ())]
        offered = b",".join(found.get(b"sec-websocket-protocol", ())).split(b",")
        if not self._hosts.is_known(host, front.server):
            answer = refusal("unknown_host", front.headers, host=host)
        elif not self._origins.may_open(origins, host):
            self._refused("origin", front.visit.address)
            answer = refusal("page_origin_refused", front.headers, origin=", ".join(origins))
        elif page.SUBPROTOCOL.encode() not in {each.strip() for each in offered}:
            answer = refusal("websocket_needed", front.headers)
        else:
            kept = [each for each in front.headers if each[0] in _HANDSHAKE or each[0].startswith(_WEBSOCKET)]
            lines = [b"GET /mqtt HTTP/1.1", *(name + b": " + value for name, value in kept), b"", b""]
            refused = refusal("websocket_needed", front.headers)
            Page(front.visit, self._around).begin(front.transport, b"\r\n".join(lines), data, refused)
            return
        front.transport.write(answer)
        front.transport.close()

    def _refused(self, why: str, address: str) -> None:
        self.metrics.refused.labels(why).inc()
        self.log.seldom(why, address).info(Event.EDGE_REFUSED, reason=why, address=address)


class _StatusServer(uvicorn.Server):
    """Leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: ASGIApp, protocol: type[BoundedHttp]) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        date_header=False,  # the hub's answers have it
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        http=protocol,
        ws="none",
    )
    config.load()
    return config


async def serve(settings: EdgeSettings, log: Log) -> None:
    """Run the edge until SIGTERM or SIGINT; SIGHUP makes it look at the certificate's files at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # A page takes two files: one to it, one to the broker.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    edge = Edge(settings, log)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    looking: set[asyncio.Task[None]] = set()

    def look() -> None:
        task = loop.create_task(edge.certificate.look())
        looking.add(task)
        task.add_done_callback(looking.discard)

    loop.add_signal_handler(signal.SIGHUP, look)
    await edge.run(stop)

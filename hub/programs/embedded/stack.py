"""Everything one machine needs beside the hub and the agents: started in order, kept alive, stopped in reverse."""

import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from broker_config.render import Client, Tls, hash_password, render_dynsec
from hub.programs.embedded import accounts, logs
from hub.programs.embedded.accounts import Accounts
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.mosquitto import BrokerOptions, EmbeddedBroker
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.patience import Say, silent
from hub.programs.embedded.ports import LOOPBACK, START_TRIES, PortBook, is_free
from hub.programs.embedded.postgres import EmbeddedPostgres
from hub.programs.embedded.printer import HOSTS, EmbeddedPrinter, find_programs
from hub.programs.embedded.processes import ChildSpec, end_leftover
from hub.programs.embedded.supervision import Program, Service, Supervisor
from schemas.terminal import either

PrepareDatabase = Callable[[str], Iterable[Client]]
RESTART_FILE = "restart-broker"
"""In the data folder: the hub asks for a restart of the broker by making it."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start, and on which ports of this machine (0: any free one).

    With a `database_url` no Postgres is started, with `own_broker=False` no Mosquitto.
    """

    postgres_port: int = 54320
    mqtt_port: int = 1883
    websocket_port: int = 9001
    printer_port: int = 8631
    database_url: str | None = None
    own_broker: bool = True
    own_printer: bool = True
    postgres_major: int = 18
    broker_max_connections: int = -1
    broker_autosave_s: int = 30
    broker_tls: Tls | None = None
    broker_pins: Mapping[str, str] | None = None
    """The only client id of an account, by role: see `render_dynsec`."""


Kept = TypeVar("Kept", bound=Service)


@dataclass(frozen=True, slots=True)
class _Listens:
    ports: tuple[int, ...]
    hosts: tuple[str, ...] = LOOPBACK

    def all_free(self) -> bool:
        return all(is_free(port, self.hosts) for port in self.ports)


class Stack:
    """A context manager: inside it the services run, and `tick` keeps them alive.

    `prepare_database` gets the database's URL, brings its schema up to date, and returns the clients that the broker
    shall know. `say` hears sentences for the person at the keyboard. Entering raises EmbeddedError, with everything
    that had been started stopped again. Use it from the main thread.
    """

    def __init__(
        self,
        folder: DataFolder,
        packages: Packages,
        options: StackOptions,
        prepare_database: PrepareDatabase,
        say: Say = silent,
    ) -> None:
        self._folder = folder
        self._packages = packages
        self._options = options
        self._prepare_database = prepare_database
        self._say = say
        self._exit = ExitStack()
        self._supervisor = Supervisor(say)
        self._ports = PortBook(folder.ports)
        self._database_url = options.database_url
        self.postgres: EmbeddedPostgres | None = None
        self.broker: EmbeddedBroker | None = None
        self.printer: EmbeddedPrinter | None = None
        self.accounts: Accounts | None = None

    def __enter__(self) -> "Stack":
        with ExitStack() as undo_on_failure:
            undo_on_failure.enter_context(self._folder.locked())
            # Before ports are chosen: what a crash left behind may still hold them.
            for note in sorted(self._folder.run.iterdir()):
                fast = signal.SIGINT if note.name.startswith("postgres") else signal.SIGTERM
                end_leftover(note, fast, self._say)
            if self._database_url is None:
                self._database_url = self._start_postgres(undo_on_failure)
            clients = self._prepare_database(self._database_url)
            if self._options.own_broker:
                self._start_broker(undo_on_failure, clients)
            if self._options.own_printer:
                self._start_printer(undo_on_failure)
            self._exit = undo_on_failure.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.__exit__(kind, error, trace)

    @property
    def database_url(self) -> str:
        """The Postgres to use, the embedded or the given one."""
        if self._database_url is None:
            raise RuntimeError("the stack was not entered")
        return self._database_url

    @property
    def hub_database_url(self) -> str:
        """The same for the hub: as its own role at the embedded Postgres, as it is at a given one."""
        return self.postgres.hub_url if self.postgres is not None else self.database_url

    @property
    def mqtt_url(self) -> str | None:
        """MQTT over TCP at the embedded broker; None without one."""
        return self.broker.url if self.broker else None

    @property
    def websocket_url(self) -> str | None:
        """MQTT over WebSocket at the embedded broker; None without one."""
        return self.broker.websocket_url if self.broker else None

    @property
    def printer_url(self) -> str | None:
        """IPP address of the virtual printer; None when there is none."""
        return self.printer.url if self.printer else None

    def start_child(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        cwd: Path | None = None,
        stop_deadline_s: float = 15,
        keep_alive: bool = True,
    ) -> Program:
        """Start a program of ours as the current user, log to `logs/<name>.log`, and keep it alive if it is to stay.

        `env` is added to a minimal environment; ours is not handed down. `name` is a file-name-safe word, new in
        this stack. The program is stopped before the services it uses.
        """
        program = Program(
            ChildSpec(
                name=name,
                argv=argv,
                log=self._folder.logs / f"{name}.log",
                note=self._folder.run / name,
                env=env,
                cwd=cwd,
                stop_deadline_s=stop_deadline_s,
            )
        )
        self._exit.callback(program.stop)
        program.start()
        if keep_alive:
            self._supervisor.watch(program)
        return program

    def stop_child(self, program: Program) -> None:
        """Stop a program and do not start it again."""
        self._supervisor.release(program.name)
        program.stop()

    @property
    def restart_request(self) -> Path:
        """The file by which the hub asks that the broker be restarted with all rules."""
        return self._folder.root / RESTART_FILE

    def restart_broker(self, clients: Iterable[Client]) -> None:
        """Stop the broker, which sends wills and saves what it retains, and start it with the rules of these clients.
        From the main thread. Raises EmbeddedError; whoever keeps it alive then goes on trying."""
        broker = self.broker
        if broker is None:
            raise RuntimeError("this stack has no broker of its own")
        dynsec = self._dynsec(clients)  # before the broker is away
        broker.stop()
        broker.start(dynsec)

    def _dynsec(self, clients: Iterable[Client]) -> dict[str, Any]:
        assert self.accounts is not None  # noqa: S101 - there is a broker
        hashed = {role: hash_password(password) for role, password in self.accounts.passwords().items()}
        return render_dynsec(hashed, clients, self._options.broker_pins)

    def tick(self) -> None:
        """Restart what died and cap the logs. Call it a few times a second from the main thread's loop."""
        self._supervisor.tick()
        for log in self._folder.logs.glob("*.log"):
            logs.cap(log)

    def _start_postgres(self, undo: ExitStack) -> str:
        def attempt() -> tuple[EmbeddedPostgres, _Listens]:
            port = self._port("postgres", self._options.postgres_port)
            self.postgres = EmbeddedPostgres(
                self._folder, self._packages, port, self._options.postgres_major, self._say
            )
            return self.postgres, _Listens((port,))

        return self._start(attempt, EmbeddedPostgres.start, undo)

    def _start_broker(self, undo: ExitStack, clients: Iterable[Client]) -> None:
        self.accounts = accounts.load_or_create(self._folder.keys / "broker-accounts.json")
        dynsec = self._dynsec(clients)
        self.restart_request.unlink(missing_ok=True)  # this start is one

        def attempt() -> tuple[EmbeddedBroker, _Listens]:
            options = BrokerOptions(
                mqtt_port=self._port("mqtt", self._options.mqtt_port),
                websocket_port=self._port("websocket", self._options.websocket_port),
                max_connections=self._options.broker_max_connections,
                autosave_s=self._options.broker_autosave_s,
                tls=self._tls(),
            )
            self.broker = EmbeddedBroker(self._folder, self._packages, options)
            return self.broker, _Listens((options.mqtt_port, options.websocket_port))

        self._start(attempt, lambda broker: broker.start(dynsec), undo)

    def _tls(self) -> Tls | None:
        """With a port that is free."""
        tls = self._options.broker_tls
        return None if tls is None else replace(tls, port=self._port("mqtts", tls.port, (tls.bind,)))

    def _start_printer(self, undo: ExitStack) -> None:
        programs = find_programs(self._packages)
        if isinstance(programs, str):
            self._say(programs)
            return

        def attempt() -> tuple[EmbeddedPrinter, _Listens]:
            port = self._port("printer", self._options.printer_port, HOSTS)
            self.printer = EmbeddedPrinter(self._folder, programs, port)
            return self.printer, _Listens((port,), HOSTS)

        self._start(attempt, EmbeddedPrinter.start, undo)

    def _start(
        self, attempt: Callable[[], tuple[Kept, _Listens]], start: Callable[[Kept], str], undo: ExitStack
    ) -> str:
        """Start what `attempt` makes, on other ports when somebody took one before the service did; what `start`
        returns. Raises EmbeddedError."""
        for tries_left in reversed(range(START_TRIES)):
            service, listens = attempt()
            undo.callback(service.stop)
            try:
                url = start(service)
            except EmbeddedError:
                service.stop()
                if not tries_left or listens.all_free():
                    raise
                self._say(
                    either(
                        f"Somebody took a port of {service.name} in the meantime: choosing again.",
                        f"그사이 다른 프로그램이 {service.name}의 포트를 차지하여 다시 고릅니다.",
                    )
                )
                continue
            self._supervisor.watch(service)
            return url
        raise AssertionError("unreachable")

    def _port(self, name: str, wanted: int, hosts: tuple[str, ...] = LOOPBACK) -> int:
        chosen = self._ports.choose(name, wanted, hosts)
        if chosen.why:
            self._say(chosen.why)
        return chosen.number

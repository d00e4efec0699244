"""`floorhub up`: everything on one machine, and a first page through all of it."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TypeVar

import msgspec
import psycopg
from psycopg.rows import dict_row

from broker_config.render import Client
from hub.database import migrate, roles, session
from hub.database.statements import statement
from hub.errors import SetupError
from hub.keys import load_signing_keys
from hub.programs.cli import machine_authority, output, testpage, timeline
from hub.programs.cli.agent_configs import write_agent_config
from hub.programs.cli.api import RUNNING_FILE, Api, ApiError
from hub.programs.cli.broker_files import held_clients, known_clients
from hub.programs.cli.exits import UNFINISHED, ExitCode
from hub.programs.cli.handing_down import check_handed_down, handed_down
from hub.programs.cli.network import Network
from hub.programs.cli.new_files import require_writable
from hub.programs.cli.output import either
from hub.programs.cli.pages import PagesBuild
from hub.programs.cli.pages import settings as pages_settings
from hub.programs.cli.words import STATUSES, word
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.errors import EmbeddedError, reason
from hub.programs.embedded.lan import Lan, read_listen
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.patience import Patience, Say
from hub.programs.embedded.ports import START_TRIES, PortBook, is_free, listens
from hub.programs.embedded.stack import Stack, StackOptions
from hub.programs.embedded.supervision import Program
from hub.programs.installation import WORKER
from hub.programs.settings_sentences import wrong_port
from schemas.text import printable, read

Value = TypeVar("Value")

CLIENT_ID = "front-desk"
PRINTER = "office"
READY_PATIENCE_S = 60.0
PRINT_PATIENCE_S = 45.0
TICK_S = 0.1
HUB_PORT = 8080
FIRST_LINK = "first-administrator.link"
"""The hub's file with the link for the first administrator."""
WRONG_SETUP = 2
"""With this a program of ours ends when a person has to change something; its last line says what."""
STOPPED_EARLY = 130
"""As a shell says it of a program that Ctrl-C ended."""


class _Stopped(Exception):  # noqa: N818 - not an error
    """The person asked to stop."""


class _StopSignal:
    """SIGTERM and SIGINT end the start at its next step, and the loop at its next tick; a second one ends this process
    at once, and the kernel its children."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    def check(self) -> None:
        """Raise _Stopped once asked."""
        if self.asked:
            raise _Stopped


def run_up(*, once: bool, listen: str = "") -> int:
    """Start, print a page, and stay up until stopped; the exit code. `listen`: the address at which other machines are
    served; empty: none are. Raises EmbeddedError, SetupError, ApiError."""
    stop = _StopSignal()
    began = time.monotonic()
    _wanted_port()  # a setting that is wrong must not cost a start
    check_handed_down(network=bool(listen))
    address = read_listen(listen) if listen else None
    folder = DataFolder.prepare()
    with folder.locked():
        pass  # a folder in use is refused before anything is said to start
    packages = Packages(say=say)

    def prepare(url: str) -> Iterable[Client]:
        stop.check()
        clients = prepare_database(url)
        separate_roles(stack, url)
        if lan is not None and lan.asks_machines:
            lan.write_machine_authority(machine_authority.prepared(folder.keys, url))
        return clients

    output.say(
        either(
            "Starting Postgres, broker, printer, hub and an agent ...",
            "Postgres, 브로커, 프린터, 허브, 에이전트를 시작합니다 ...",
        )
    )
    lan = None
    options = StackOptions()
    if address is not None:
        lan = Lan(folder.root, address, WORKER, say)
        options = StackOptions(broker_tls=lan.broker_tls(), broker_pins=lan.broker_pins())
    stack = Stack(folder, packages, options, prepare, say)
    try:
        with stack, noted(folder.root / RUNNING_FILE):
            return _Machine(folder, stack, stop, began, lan).run(once=once)
    except _Stopped:
        pass
    except (EmbeddedError, SetupError, ApiError):
        if not stop.asked:  # Ctrl-C reaches a download or initdb, too, and then it fails
            raise
    except OSError as error:
        raise EmbeddedError(
            f"{error.filename or folder.root}: {reason(error)}.",
            "Check that the disk has room and that the files of the data folder are yours, then start again.",
            ko=f"{error.filename or folder.root}: {reason(error)}. 디스크에 여유가 있는지, 데이터 폴더의 파일이 이 "
            "사용자의 것인지 확인한 뒤 다시 시작하십시오.",
        ) from error
    output.say(either("Stopped.", "멈췄습니다."))
    return STOPPED_EARLY if once else 0


@contextmanager
def noted(note: Path) -> Iterator[None]:
    """While the hub runs, commands on this machine find it by its note; afterwards they must not."""
    note.unlink(missing_ok=True)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def say(sentence: str) -> None:
    """A sentence for the person at the keyboard."""
    output.say(f"  {sentence}")


def ready(took_s: float) -> str:
    """That everything runs."""
    return either(f"Ready after {took_s:.1f} s.", f"{took_s:.1f}초 만에 준비되었습니다.")


def places(url: str, root: Path, admin_key: Path, logs: Path) -> list[str]:
    """Where everything is, and how to stop it, line by line."""
    return [
        either(f"Address:  {url}   (API: {url}/docs)", f"주소:    {url}   (API: {url}/docs)"),
        either(f"Data:     {root}", f"데이터:  {root}"),
        either(f"Key:      {admin_key}", f"키:      {admin_key}"),
        either(f"Logs:     {logs}", f"로그:    {logs}"),
        either("Stop with Ctrl-C.", "Ctrl-C로 멈춥니다."),
    ]


def first_administrator(file: Path) -> list[str]:
    """How a person becomes the first administrator, while there is none. The link is shown to a terminal only: whoever
    reads it may become administrator."""
    if not file.exists():
        return []
    if not output.is_terminal():
        return [
            either(
                f"First administrator: open the link in {file}",
                f"첫 관리자: {file} 파일의 링크를 여십시오.",
            )
        ]
    try:
        link = read(file).strip()
    except (OSError, ValueError):
        return []
    return [either(f"First administrator: {link}", f"첫 관리자: {link}")]


def prepare_database(url: str) -> Iterable[Client]:
    """Bring the tables up to date; the clients that the broker shall know, which makes its outbox obsolete."""
    migrate.migrate(url)
    with session.connect(url, row_factory=dict_row) as connection:
        clients = known_clients(connection)
        connection.execute(statement("core/clients/clients", "outbox_all_done"))
    return clients


def restart_if_asked(stack: Stack, say: Say) -> None:
    """Restart the broker with the rules of all clients if the hub asks for it. What fails is said, and the hub then
    tells the broker about new clients one by one. From the main thread."""
    if not stack.restart_request.exists():
        return
    began = time.monotonic()
    try:
        with held_clients(stack.database_url) as clients:
            known = output.number_of(len(clients), "client")
            say(
                either(
                    f"Restarting the broker with the rules of {known}: connections end for some seconds.",
                    f"클라이언트 {len(clients)}대의 규칙으로 브로커를 다시 시작합니다. 연결이 몇 초 동안 끊깁니다.",
                )
            )
            stack.restart_broker(clients)
    except (EmbeddedError, psycopg.Error, OSError) as problem:
        english, korean = (
            (problem.sentence, problem.korean) if isinstance(problem, EmbeddedError) else (str(problem),) * 2
        )
        say(
            either(
                f"The broker was not restarted with the rules of all clients: {printable(english, 300)}",
                f"모든 클라이언트의 규칙으로 브로커를 다시 시작하지 못했습니다: {printable(korean, 300)}",
            )
        )
    else:
        took = time.monotonic() - began
        say(either(f"The broker is back after {took:.1f} s.", f"{took:.1f}초 만에 브로커가 다시 실행 중입니다."))
    finally:
        stack.restart_request.unlink(missing_ok=True)


def is_registered(api: Api, client_id: str) -> bool:
    """Whether there is such a client that is not retired. Raises ApiError."""
    try:
        return bool(api.get(f"/api/clients/{client_id}")["status"] != "retired")
    except ApiError as problem:
        if problem.exit_code != ExitCode.NOT_FOUND:
            raise
        return False


def separate_roles(stack: Stack, owner_url: str) -> None:
    """Let the hub of an embedded Postgres be another role than the owner of its tables. Raises SetupError."""
    if stack.postgres is not None:
        roles.separate(owner_url, stack.hub_database_url, stack.postgres.superuser_url)


class _Machine:
    """The hub and its agent as children of this process, and the first page."""

    def __init__(
        self, folder: DataFolder, stack: Stack, stop: _StopSignal, began: float, lan: Lan | None = None
    ) -> None:
        self._network = None if lan is None else Network(lan, stack, folder, say)
        self._folder = folder
        self._stack = stack
        self._stop = stop
        self._began = began
        self._admin_key = folder.root / "admin.key"

    def run(self, *, once: bool) -> int:
        """Until stopped, or until the page is out; the exit code."""
        url, key, hub = self._begin_hub()
        with Api(url, key) as api:
            self._until("the hub and its broker", "허브와 브로커를", lambda: self._is_ready(api), hub)
            self._start_network()
            agent = self._start_agent(api)
            self._until(f"the agent of {CLIENT_ID}", f"{CLIENT_ID}의 에이전트를", lambda: self._is_online(api), agent)
            took = time.monotonic() - self._began
            output.say(ready(took))
            earlier = api.get("/api/commands", limit=1)["items"]
            printed = self._print_page(api)
            if earlier:
                last = earlier[0]
                when = output.local(last["created_at"], named=True)
                output.say(
                    either(
                        f"The command before it: {last['action']} {last['id']}, {last['status']}, of {when}.",
                        f"이전 명령: {last['action']} {last['id']}, {word(STATUSES, last['status'])}, {when}.",
                    )
                )
            if once:
                return 0 if printed else 1
            self._tell(url)
            pages = PagesBuild(self._stack, say, url)
            pages.begin()
            while True:
                pages.look()
                self._pause()

    def _begin_hub(self) -> tuple[str, str, Program]:
        """The hub's address, the administrator's key and the process, once the hub takes the key. On another port when
        somebody took the chosen one before the hub did, unless the user asked for that one."""
        for tries_left in reversed(range(START_TRIES)):
            port, hub = self._start_hub()
            url = f"http://127.0.0.1:{port}"
            try:
                return url, self._until("the hub", "허브를", partial(self._key_of, url), hub), hub
            except SetupError:
                is_asked_for = bool(os.environ.get("FLOORHUB_PORT", "").strip()) and port == _wanted_port()
                if not tries_left or is_asked_for or hub.exit_code != WRONG_SETUP or is_free(port):
                    raise
                self._stack.stop_child(hub)
                say(
                    either(
                        f"Somebody took port {port} of the hub in the meantime: choosing again.",
                        f"그사이 다른 프로그램이 허브의 포트 {port}을(를) 차지하여 다시 고릅니다.",
                    )
                )
        raise AssertionError("unreachable")

    def _start_hub(self) -> tuple[int, Program]:
        stack = self._stack
        accounts = stack.accounts
        if accounts is None or stack.mqtt_url is None:
            raise SetupError(
                "The embedded broker did not start; see logs/mosquitto.log in the data folder.",
                ko="내장 브로커가 시작되지 않았습니다. 데이터 폴더의 logs/mosquitto.log를 확인하십시오.",
            )
        chosen = PortBook(self._folder.ports).choose("hub", _wanted_port())
        if chosen.why:
            say(chosen.why)
        url = f"http://127.0.0.1:{chosen.number}"
        network = self._network.hub_settings() if self._network is not None else {}
        hub = stack.start_child(
            "hub",
            [sys.executable, "-m", "hub", "serve"],
            {
                "FLOORHUB_DATABASE_URL": stack.hub_database_url,
                "FLOORHUB_MQTT_URL": stack.mqtt_url,
                "FLOORHUB_MQTT_USERNAME": accounts.hub.username,
                "FLOORHUB_MQTT_PASSWORD": accounts.hub.password,
                "FLOORHUB_MQTT_ADMIN_USERNAME": accounts.admin.username,
                "FLOORHUB_MQTT_ADMIN_PASSWORD": accounts.admin.password,
                "FLOORHUB_DATA_DIR": str(self._folder.root),
                "FLOORHUB_BROKER_RESTART_FILE": str(stack.restart_request),
                "FLOORHUB_PORT": str(chosen.number),
                "FLOORHUB_WORKER": WORKER,
                **network,
                **pages_settings(),
                **handed_down(),
                "LANG": os.environ.get("LANG", ""),  # its sentences are shown here
            },
        )
        (self._folder.root / RUNNING_FILE).write_bytes(
            msgspec.json.encode(
                {
                    "url": url,
                    "mqtt_url": stack.mqtt_url,
                    "process": os.getpid(),
                    "network": self._network.noted if self._network is not None else {},
                    "pinned": self._network is not None and self._network.pinned,
                }
            )
        )
        return chosen.number, hub

    def _start_network(self) -> None:
        """What serves other machines, once it does."""
        edge = self._network.start(handed_down()) if self._network is not None else None
        if edge is not None and self._network is not None:
            port = int(self._network.noted["FLOORHUB_TLS_PORT"])
            serves = partial(self._listens, edge, port)
            self._until("what serves other machines", "다른 기기에 서비스하는 프로그램을", serves, edge)

    @staticmethod
    def _listens(program: Program, port: int) -> bool:
        return program.pid is not None and listens(program.pid, port)

    def _key_of(self, url: str) -> str | None:
        """The administrator's key, once the hub has written it and takes it."""
        try:
            key = read(self._admin_key).strip()
            with Api(url, key) as api:
                api.get("/api/clients", limit=1)
        except (OSError, ValueError, ApiError):
            return None
        return key

    @staticmethod
    def _is_ready(api: Api) -> bool:
        try:
            return bool(api.get("/health/ready")["status"] == "ready")
        except ApiError:
            return False

    @staticmethod
    def _is_online(api: Api) -> bool:
        return bool(api.get(f"/api/clients/{CLIENT_ID}")["presence"] == "online")

    def _start_agent(self, api: Api) -> Program:
        config = self._folder.agent / "agent.toml"
        if not is_registered(api, CLIENT_ID):
            require_writable(config)
            body = {"id": CLIENT_ID, "name": "Front desk", "kind": "printer_pc"}
            client = api.post("/api/clients", body)
            secret, root_key = client["secret"], client["root_key"]
        else:
            secret = _secret_of(config)
            # As the hub has it now: it may have been replaced.
            root_key = load_signing_keys(self._folder.keys).root_public_key
        printer = self._stack.printer_url
        if printer is None:
            out = self._folder.agent / "printed"
            out.mkdir(mode=0o700, exist_ok=True)
            printer = f"folder:{out}"
        write_agent_config(
            config,
            client_id=CLIENT_ID,
            hub_url=api.url,
            mqtt_url=self._stack.mqtt_url or "",
            secret=secret,
            root_key=root_key,
            extra=f'\n[[printers]]\nname = "{PRINTER}"\nuri = "{printer}"\n',
        )
        return self._stack.start_child(
            "agent", [sys.executable, "-m", "device_agent", "run", "--config", str(config)], {}
        )

    def _print_page(self, api: Api) -> bool:
        """Print a page and show its timeline; whether it came out."""
        lines = ["Floorhub", "", "This page went from HTTP through Postgres, Mosquitto and an agent to IPP.", ""]
        document = api.upload(
            testpage.page([*lines, time.strftime("%Y-%m-%d %H:%M:%S %Z")]), "application/pdf", "first.pdf"
        )
        command = api.post(
            "/api/commands",
            {
                "client_id": CLIENT_ID,
                "action": "print",
                "payload": {"printer": PRINTER, "document": document["id"], "title": "First page"},
                "reference": "first-page",
            },
        )
        end = time.monotonic() + PRINT_PATIENCE_S
        while command["status"] in UNFINISHED and time.monotonic() < end:
            self._pause()
            command = api.get(f"/api/commands/{command['id']}")
        timeline.show(command, api.get(f"/api/commands/{command['id']}/explain")["timeline"], korean=output.korean())
        return bool(command["status"] == "completed")

    def _tell(self, url: str) -> None:
        link = first_administrator(self._folder.root / FIRST_LINK)
        network = self._network.lines() if self._network is not None else []
        output.say("", *places(url, self._folder.root, self._admin_key, self._folder.logs), *network, *link)

    def _until(self, what: str, what_ko: str, look: Callable[[], Value | None], program: Program) -> Value:
        """Keep everything alive until `look` finds something. Raises SetupError at the deadline."""
        end = time.monotonic() + READY_PATIENCE_S
        patience = Patience(
            say,
            either(
                f"Still waiting for {what}, at most {READY_PATIENCE_S:.0f} s; see {program.log}.",
                f"{what_ko} 기다리는 중입니다(최대 {READY_PATIENCE_S:.0f}초). 로그: {program.log}",
            ),
        )
        while True:
            found = look()
            if found:
                return found
            if program.exit_code == WRONG_SETUP:
                raise SetupError(program.log_tail().splitlines()[-1])
            patience.still_waiting()
            if time.monotonic() > end:
                raise SetupError(
                    f"{what} is not ready after {READY_PATIENCE_S:.0f} s. Its log ends:\n{program.log_tail()}",
                    ko=f"{what_ko} {READY_PATIENCE_S:.0f}초 동안 기다렸으나 준비되지 않았습니다. 로그의 끝:\n"
                    f"{program.log_tail()}",
                )
            self._pause()

    def _pause(self) -> None:
        self._stop.check()
        self._stack.tick()
        restart_if_asked(self._stack, say)
        if self._network is not None:
            self._network.tick()
        time.sleep(TICK_S)


def _wanted_port() -> int:
    """FLOORHUB_PORT, else the usual one. Raises SetupError."""
    wanted = os.environ.get("FLOORHUB_PORT", "").strip() or str(HUB_PORT)
    if not wanted.isascii() or not wanted.isdecimal() or int(wanted) > 65_535:
        raise wrong_port("FLOORHUB_PORT", wanted)
    return int(wanted)


def _secret_of(config: Path) -> str:
    """The secret of the agent that this data folder had before."""
    import tomllib

    try:
        table = tomllib.loads(read(config))
        return str(table["secret"])
    except (OSError, ValueError, KeyError) as problem:
        raise SetupError(
            f"{config} is not what it was ({problem}): retire the client {CLIENT_ID} and use another data folder.",
            ko=f"{config}이(가) 바뀌었습니다({problem}). 클라이언트 {CLIENT_ID}을(를) 폐기하고 다른 데이터 폴더를 "
            "쓰십시오.",
        ) from None

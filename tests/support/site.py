"""A whole site as processes: Postgres, broker and printer of the embedded stack, hubs and agents as children.

Nothing here restarts what died: a test kills, and a test brings back. Effects are read from the printer's own log,
which neither hub nor agent can write.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from broker_config.render import Client
from hub.keys import create_seeds
from hub.programs.cli import testpage
from hub.programs.cli.agent_configs import write_agent_config
from hub.programs.cli.up import prepare_database, separate_roles
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.stack import PrepareDatabase, Stack, StackOptions
from tests.support import plain_http
from tests.support.folders import open_folder
from tests.support.paths import ROOT
from tests.support.postgres import copy_cluster
from tests.support.waiting import READY_S, until

AGENT = (sys.executable, "-m", "device_agent", "run", "--config")
NOWHERE = str(UUID(int=7))
"""An id that nothing has."""
ANY_PORTS = StackOptions(postgres_port=0, mqtt_port=0, websocket_port=0, printer_port=0)


def agent_process(config: Path, log: Path) -> "Process":
    """An agent with a configuration, which has yet to be started."""
    return Process("agent", [*AGENT, str(config)], {}, log)


class Process:
    """A child that a test may kill and start again."""

    def __init__(self, name: str, argv: list[str], env: dict[str, str], log: Path, root: Path = ROOT) -> None:
        """`root`: the checkout whose code runs."""
        self.name = name
        self._argv = argv
        self._env = {**env, "PATH": os.environ["PATH"], "PYTHONPATH": str(root)}
        self._root = root
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Process":
        """Start it; it must not be running."""
        assert self._process is None or self._process.poll() is not None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, env=self._env, stdout=log, stderr=log, cwd=self._root)
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise AssertionError(f"{self.name} did not stop within 20 s:\n{self.tail()}") from None

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]


@contextmanager
def open_site(
    name: str,
    prepare: PrepareDatabase = prepare_database,
    cluster: DataFolder | None = None,
    options: StackOptions = ANY_PORTS,
) -> Iterator["Site"]:
    """A site in a folder of its own, for as long as the block lasts; see `Site`.

    The folder is in memory when the database is a copy, which is for tests that are not about the disk.
    """
    with (
        open_folder(name, in_memory=cluster is not None) as root,
        contextlib.closing(Site(root, prepare, cluster, options)) as site,
    ):
        yield site


class Site:
    """Everything a test commands. Close it."""

    def __init__(
        self,
        root: Path,
        prepare: PrepareDatabase = prepare_database,
        cluster: DataFolder | None = None,
        options: StackOptions = ANY_PORTS,
    ) -> None:
        """`prepare` may put clients into the database before the broker is told of them, which is fast for many.

        `cluster` is an empty database to copy, which is faster than to create one.
        """
        self.folder = DataFolder.prepare(root)
        if cluster is not None:
            copy_cluster(cluster, self.folder)
        if prepare is not prepare_database:
            create_seeds(self.folder.keys)  # clients before the first hub are those of a hub of before, with its keys

        def prepared(url: str) -> Iterable[Client]:
            clients = prepare(url)
            separate_roles(self.stack, url)
            return clients

        self.stack = Stack(self.folder, Packages(), options, prepared)
        self.stack.__enter__()
        self.hub_ports: dict[str, int] = {}
        self._processes: list[Process] = []
        self._agents = 0
        self.hub = self.add_hub("one")
        self.url = self.hub_url("one")
        try:
            self.wait_ready()
        except AssertionError:
            self.close()
            raise
        self.key = (self.folder.root / "admin.key").read_text().strip()
        self.http = self.http_at("one")

    def close(self) -> None:
        """Stop everything, the services last."""
        if hasattr(self, "http"):
            self.http.close()
        for process in reversed(self._processes):
            process.stop()
        self.stack.__exit__(None, None, None)

    def clear(self) -> None:
        """Leave the site to others: only the first hub runs, nobody has work, and no client of before is left."""
        for process in reversed(self._processes[1:]):
            process.stop()
        del self._processes[1:]
        self.control_printer()
        unfinished: dict[str, Any] = {"status": ["pending", "queued", "running"], "limit": 200}
        for command in self.http.get("/api/commands", params=unfinished).json()["items"]:
            self.http.post(f"/api/commands/{command['id']}/cancel")
        for client in self.http.get("/api/clients", params={"limit": 200}).json()["items"]:
            if client["status"] != "retired":
                self.http.delete(f"/api/clients/{client['id']}")

    def start(self, name: str, argv: list[str], env: dict[str, str], log: str) -> Process:
        """Start a child that ends with the site at the latest; its output goes to `log` among the site's logs."""
        process = Process(name, argv, env, self.folder.logs / log)
        self._processes.append(process)
        return process.start()

    # --- hubs --------------------------------------------------------------------------------------------

    def new_port(self, name: str) -> int:
        """The port of a hub of this name, whether it runs or not."""
        if name not in self.hub_ports:
            self.hub_ports[name] = PortBook(self.folder.ports).choose(f"hub-{name}", 0).number
        return self.hub_ports[name]

    def add_hub(self, name: str, **settings: str) -> Process:
        """Start a hub of this name on a port of its own, with further settings."""
        self.new_port(name)
        accounts = self.stack.accounts
        assert accounts is not None
        env = {
            "FLOORHUB_DATABASE_URL": self.stack.hub_database_url,
            "FLOORHUB_MQTT_URL": str(self.stack.mqtt_url),
            "FLOORHUB_MQTT_PASSWORD": accounts.hub.password,
            "FLOORHUB_MQTT_ADMIN_PASSWORD": accounts.admin.password,
            "FLOORHUB_DATA_DIR": str(self.folder.root),
            "FLOORHUB_PORT": str(self.hub_ports[name]),
            "FLOORHUB_WORKER": name,
            "FLOORHUB_HOSTS": "hub,hub.example",
            # A test sends in seconds what a program sends in hours.
            "FLOORHUB_LIMIT_PROGRAMS": "0",
            "FLOORHUB_LIMIT_PEOPLE": "0",
            "FLOORHUB_LIMIT_ADDRESSES": "0",
            **settings,
        }
        return self.start(f"hub {name}", [sys.executable, "-m", "hub", "serve"], env, f"hub-{name}.log")

    @contextmanager
    def another_hub(self, name: str, **settings: str) -> Iterator[Process]:
        """A hub beside the first one, ready, that stops with the block unless it is dead by then."""
        hub = self.add_hub(name, **settings)
        try:
            self.wait_ready(name, hub)
            yield hub
        finally:
            hub.stop()

    def hub_url(self, name: str) -> str:
        """Where a hub answers."""
        return f"http://127.0.0.1:{self.hub_ports[name]}"

    def http_at(self, name: str) -> httpx.Client:
        """The administrator's HTTP at one of the hubs. Close it."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return plain_http.client(self.hub_url(name), headers=headers)

    def answers(self, name: str = "one", path: str = "/health") -> bool:
        """Whether a hub answers that all is well."""
        try:
            return plain_http.get(f"{self.hub_url(name)}{path}", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def is_ready(self, name: str = "one") -> bool:
        """Whether a hub answers, and its database and its broker work."""
        return self.answers(name, "/health/ready")

    def wait_ready(self, name: str = "one", process: Process | None = None) -> None:
        """Until a hub is ready, whose process must live meanwhile."""
        hub = process or (self.hub if name == "one" else None)

        def ready() -> bool:
            assert hub is None or hub.process.poll() is None, hub.tail()
            return self.is_ready(name)

        until(ready, f"hub {name}")

    # --- clients and agents ------------------------------------------------------------------------------

    def client(self, **fields: Any) -> dict[str, Any]:
        """Register a client that may be sent as much as a test likes."""
        self._agents += 1
        body = {"id": f"pc-{self._agents}", "rate_limit": 100_000, "max_commands_per_day": 1_000_000, **fields}
        answer = self.http.post("/api/clients", json=body)
        assert answer.status_code == 201, answer.text
        registered: dict[str, Any] = answer.json()
        return registered

    def configure(
        self, client: dict[str, Any], extra: str = "", *, file: Path | None = None, mqtt_url: str | None = None
    ) -> Path:
        """Write the configuration of a client's agent, with these further lines."""
        config = file or self.folder.agent / f"{client['id']}.toml"
        write_agent_config(
            config,
            client_id=client["id"],
            hub_url=self.url,
            mqtt_url=mqtt_url or str(self.stack.mqtt_url),
            secret=client["secret"],
            root_key=client["root_key"],
            extra=extra,
        )
        return config

    def office(self) -> str:
        """The lines of a configuration for the virtual printer, as `office`."""
        return f'\n[[printers]]\nname = "office"\nuri = "{self.stack.printer_url}"\n'

    def agent(self, client: dict[str, Any], extra: str = "") -> Process:
        """Start the agent of a client, with the virtual printer as `office`; wait until it is online."""
        process = self.start_agent(client["id"], self.configure(client, f"{self.office()}{extra}"))
        self.wait_online(client["id"], process)
        return process

    def start_agent(self, name: str, config: Path, *options: str, **env: str) -> Process:
        """Start an agent with a configuration; its log has the name."""
        return self.start(f"agent {name}", [*AGENT, str(config), *options], env, f"agent-{name}.log")

    def wait_online(self, client_id: str, process: Process | None = None) -> None:
        """Until the hub says that the client is there."""

        def online() -> bool:
            assert process is None or process.process.poll() is None, process.tail()
            return bool(self.http.get(f"/api/clients/{client_id}").json()["presence"] == "online")

        until(online, f"{client_id} online")

    # --- commands ----------------------------------------------------------------------------------------

    def upload(self, content: bytes | None = None) -> dict[str, Any]:
        """Upload a PDF."""
        answer = self.http.post(
            "/api/documents",
            content=content or testpage.page([f"page of {time.time_ns()}"]),
            headers={"Content-Type": "application/pdf"},
        )
        assert answer.status_code == 201, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def send(self, client_id: str, action: str, payload: dict[str, Any], *, wait: float = 0, **fields: Any) -> Any:
        """Post a command; its answer's JSON. It must be accepted."""
        body = {"client_id": client_id, "action": action, "payload": payload, **fields}
        answer = self.http.post("/api/commands", json=body, params={"wait": wait})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def print_page(self, client_id: str, *, wait: float = 0, **fields: Any) -> Any:
        """Print a page of its own on `office`."""
        return self.send(
            client_id, "print", {"printer": "office", "document": self.upload()["id"]}, wait=wait, **fields
        )

    def command(self, command_id: str) -> Any:
        """A command as it stands now."""
        return self.http.get(f"/api/commands/{command_id}").json()

    def wait_status(self, command_id: str, *statuses: str, deadline_s: float = READY_S) -> Any:
        """The command once it is in one of these statuses."""

        def reached() -> Any:
            command = self.command(command_id)
            return command if command["status"] in statuses else None

        return until(reached, lambda: f"{command_id} {statuses}, now {self.command(command_id)['status']}", deadline_s)

    def events(self, command_id: str) -> list[str]:
        """The events of a command, oldest first."""
        items = self.http.get(f"/api/commands/{command_id}/logs").json()["items"]
        return [item["event"] for item in items]

    # --- the printer's own word --------------------------------------------------------------------------

    def effects(self, command_id: str | None = None) -> list[dict[str, Any]]:
        """What the printer printed, all of it or for one command."""
        assert self.stack.printer is not None
        file = self.stack.printer.effects_file
        lines = file.read_text().splitlines() if file.exists() else []
        effects = [json.loads(line) for line in lines]
        return [e for e in effects if command_id is None or f"floorhub-{command_id}-" in e["job_name"]]

    def control_printer(self, **files: object) -> None:
        """Make the printer slow or broken (see print_command.sh); without arguments it is well again."""
        assert self.stack.printer is not None
        folder = self.stack.printer.control_folder
        for file in folder.iterdir():
            file.unlink()
        for name, content in files.items():
            (folder / name).write_text(str(content))
            (folder / name).chmod(0o644)

    def fill_tray(self, sheets: int) -> None:
        """Put so much paper into the printer: 0 is none, 250 is full."""
        assert self.stack.printer is not None
        trays = f"size1=iso_a4_210x297mm&type1=stationery&level1={sheets}&size3=na_number-10_4.125x9.5in&type3=envelope"
        web = f"http://localhost:{self.stack.printer.port}/media?{trays}&level3=25"
        plain_http.get(web).raise_for_status()

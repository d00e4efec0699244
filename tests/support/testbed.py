"""The site that is broken: two hubs over one Postgres and agents as processes, each on lines of its own."""

import contextlib
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.rows import dict_row

from hub.core.commands.store.dispatch import run_of
from hub.keys import load_signing_keys
from hub.programs.embedded.errors import EmbeddedError
from hub.programs.embedded.packages import Packages
from schemas import signing
from schemas.codec import encode
from schemas.signing import Signer
from schemas.topics import Channel, client_topic
from tests.chaos.plan import CLOCKS, HUBS
from tests.support.broker_client import BrokerClient
from tests.support.fault_proxy import FaultProxy, Loop
from tests.support.folders import open_folder
from tests.support.site import Process, Site
from tests.support.waiting import until

EFFECT = Path(__file__).with_name("effect.sh")
RETRYABLE = 75
_RECENT = """
SELECT *, queued_at AS issued_at FROM (
    SELECT * FROM commands WHERE attempt >= 1 AND queued_at IS NOT NULL ORDER BY id DESC LIMIT 500
) c WHERE journal IS NOT NULL
"""
_CLOCK = """
CREATE OR REPLACE FUNCTION floorhub_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT statement_timestamp() + interval '{seconds} seconds'
        + coalesce(nullif(current_setting('floorhub.clock_shift', true), ''), '0')::interval
$$
"""


class Testbed(Site):
    """A site whose hubs reach Postgres and the broker, and whose agents reach the broker, through proxies."""

    __test__ = False  # pytest takes a name that begins with Test for one of its own

    def __init__(self, root: Path, agents: int, plant: str | None = None) -> None:
        """`plant` names a bug of `plants` that the processes of this site have."""
        self._lines = Loop()
        self._plant = plant
        self.to_broker: dict[str, FaultProxy] = {}
        """The line to the broker of each hub and each client, by name."""
        self.to_database: dict[str, FaultProxy] = {}
        self.processes: dict[str, Process] = {}
        self.notes = root / "notes"
        self.notes.mkdir()
        self.skewed: list[str] = []
        self._faketime = _faketime()
        super().__init__(root)
        try:
            for name in HUBS[1:]:
                self.add_hub(name)
            for _ in range(agents):
                self._add_agent()
            for name, process in self.processes.items():
                if name not in HUBS:
                    self.wait_online(name, process)
        except BaseException:
            self.close()
            raise

    @property
    def urls(self) -> list[str]:
        """Where the hubs answer, in the order of HUBS."""
        return [self.hub_url(name) for name in HUBS]

    def close(self) -> None:
        """End everything. How programs stop in peace is tested elsewhere; these may be frozen, or cut off."""
        for process in self.processes.values():
            process.process.send_signal(signal.SIGCONT)
            process.kill()
        super().close()
        for proxy in (*self.to_broker.values(), *self.to_database.values()):
            proxy.close()
        self._lines.close()

    def add_hub(self, name: str, **settings: str) -> Process:
        """Start a hub behind its proxies."""
        postgres, broker = self.stack.postgres, self.stack.broker
        assert postgres is not None
        assert broker is not None
        self.to_database[name] = database = FaultProxy(self._lines, postgres.port)
        self.to_broker[name] = line = FaultProxy(self._lines, broker.options.mqtt_port)
        settings = {
            "FLOORHUB_DATABASE_URL": self.stack.database_url.replace(f":{postgres.port}/", f":{database.port}/"),
            "FLOORHUB_MQTT_URL": f"mqtt://127.0.0.1:{line.port}",
            **settings,
        }
        process = super().add_hub(name, **settings)
        if self._plant is not None:
            process.kill()
            process._argv[1:3] = ["-m", "tests.chaos.plants", self._plant, "hub"]
            process.start()
        self.processes[name] = process
        return process

    def _add_agent(self) -> None:
        client = self.client()
        name: str = client["id"]
        assert self.stack.broker is not None
        self.to_broker[name] = line = FaultProxy(self._lines, self.stack.broker.options.mqtt_port)
        argv = ["/bin/bash", str(EFFECT), str(self.notes / f"{name}.log"), name]
        words = ", ".join(f'"{word}"' for word in (*argv, "{before}", "{after}", "{fails}"))
        config = self.configure(
            client,
            f"stop_timeout_s = 1\n[actions.work]\nargv = [{words}]\nretryable_exit_codes = [{RETRYABLE}]\n",
            mqtt_url=f"mqtt://127.0.0.1:{line.port}",
        )
        module = ["device_agent"] if self._plant is None else ["tests.chaos.plants", self._plant, "agent"]
        program = [sys.executable, "-m", *module, "run", "--config", str(config)]
        env = {}
        if name in CLOCKS and self._faketime is not None:
            self.skewed.append(name)
            env = {
                "LD_PRELOAD": str(self._faketime),
                "FAKETIME": f"{CLOCKS[name]:+d}",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        self.processes[name] = self.start(f"agent {name}", program, env, f"agent-{name}.log")

    # --- what the broker or the clock may do -----------------------------------------------------------------

    def repeat_commands(self, chance: float, signer: Signer | None = None) -> int:
        """Deliver up to 40 commands of late again, as the hub signed them or with another key; how many."""
        accounts, broker = self.stack.accounts, self.stack.broker
        assert accounts is not None
        assert broker is not None
        with psycopg.connect(self.stack.database_url, row_factory=dict_row, autocommit=True) as connection:
            rows = connection.execute(_RECENT).fetchall()
        chosen = random.Random(chance).sample(rows, min(40, len(rows)))  # noqa: S311 - no secret
        signer = signer or load_signing_keys(self.folder.keys).signer
        repeater = BrokerClient(broker.options.mqtt_port, "_hub-repeater", accounts.hub.username, accounts.hub.password)
        assert repeater.connect() == 0
        try:
            for row in chosen:
                payload = signer.sign(signing.COMMAND, encode(run_of(row)))
                repeater.publish(client_topic(row["client_id"], Channel.COMMANDS), payload.decode())
        finally:
            repeater.close()
        return len(chosen)

    def shift_clock(self, seconds: float) -> None:
        """Put the hub's only clock this far from the true time."""
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            connection.execute(_CLOCK.format(seconds=f"{seconds:.3f}").encode())

    def end_sessions(self) -> None:
        """End every session of the database, as an administrator may."""
        with psycopg.connect(self.stack.database_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND usename = current_user"
            )

    def wait_hubs(self, deadline_s: float) -> None:
        """Until both hubs are ready."""

        until(lambda: all(map(self.is_ready, HUBS)), "both hubs", deadline_s)


def _faketime() -> Path | None:
    """The library that gives a process a wrong clock, unpacked like other programs; None where it is not to be had."""
    try:
        program = Packages().program("faketime", "faketime")
    except EmbeddedError:
        return None
    return next(program.root.glob("usr/lib/*/faketime/libfaketime.so.1"), None)


@contextmanager
def running(agents: int, plant: str | None = None) -> Iterator[Testbed]:
    """A testbed in a folder of its own, which is removed afterwards."""
    with open_folder("chaos") as root, contextlib.closing(Testbed(root, agents, plant)) as testbed:
        yield testbed

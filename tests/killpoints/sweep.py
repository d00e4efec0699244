"""One kill point after the other on a running site, and what became of the commands."""

import contextlib
import json
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import httpx
import psycopg

from tests.support.site import Site, open_site
from tests.support.traced import Traced
from tests.support.waiting import until

Target = Literal["agent", "hub"]
COMMANDS = 6
END_S = 90.0
ENDED = frozenset({"completed", "failed", "cancelled", "expired", "unknown"})
SYNCS, SENDS, WRITES = "fsync,fdatasync", "sendto,sendmsg", "write,writev"
"""libpq and the agent's loop send with sendto; uvloop, which carries the hub's broker and HTTP, writes."""
NEVER = 65_000
# The effect: a line, synced before the program ends. A child of the agent, which strace must not kill: it makes one
# sync, and the agent never gets as far as an effect without more of them.
_NOTE = '#!/bin/sh\nset -eu\nprintf "%s\\n" "$2" >>"$1"\nsync "$1"\n'


@dataclass
class Point:
    """One kill and its outcome. `faults` is empty when all is well."""

    target: Target
    calls: str
    when: int
    place: str = ""
    """What the killed call was about: a file, or the peer of a socket."""
    killed: bool = False
    seconds: float = 0.0
    ends: dict[str, str] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Sweep:
    """A site, one client and its agent. Close it by leaving `running`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.folder = Path(tempfile.mkdtemp(prefix="floorhub-killpoints-"))
        self.log = self.folder / "effects"
        self.log.touch()
        note = self.folder / "note"
        note.write_text(_NOTE)
        note.chmod(0o755)
        self.client = self.site.client()
        config = self.site.configure(self.client, f'\n[actions.note]\nargv = ["{note}", "{self.log}", "{{n}}"]\n')
        argv = [sys.executable, "-m", "device_agent", "run", "--config", str(config)]
        self.agent = Traced("agent", argv, {}, self.site.folder.logs / "agent-killpoints.log")
        plain = self.site.hub
        plain.stop()
        self.hub = Traced("hub one", plain._argv, plain._env, plain.log)
        self._notes = self.folder / "strace"
        for process in (self.hub, self.agent):
            process.trace("fsync", 0, self._notes)
            process.start()
        self.site.hub = self.hub
        self.ports = self._ports()
        self.site.wait_ready()
        self.site.wait_online(self.client["id"])

    def close(self) -> None:
        self.agent.stop()
        self.hub.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ports(self) -> dict[str, str]:
        """Whose port is whose, for the table."""
        stack = self.site.stack
        assert stack.broker is not None
        return {
            f"port {psycopg.conninfo.conninfo_to_dict(stack.database_url)['port']}": "Postgres",
            f"port {stack.broker.options.mqtt_port}": "broker",
            f"port {self.site.hub_ports['one']}": "HTTP",
        }

    # --- one point -------------------------------------------------------------------------------------------

    def measure(self, target: Target, calls: str) -> tuple[int, int]:
        """How many of these calls a start takes, and how many a whole run."""
        process = self._process(target)
        process.kill()
        process.trace(calls, NEVER, self._notes)
        process.start()
        self._up(target)
        begin = process.calls()
        names = self._names()
        ids = self._post(names)
        self._wait(ids)
        end = process.calls()
        self._back(process)
        self._up(target)
        return begin, end

    def kill_at(self, target: Target, calls: str, when: int) -> Point:
        """Start the target with its death planned, send commands, start it again, and look what became of them."""
        point = Point(target, calls, when)
        began = time.monotonic()
        process = self._process(target)
        process.kill()
        process.trace(calls, when, self._notes)
        process.start()
        names = self._names()
        ids: dict[str, str] = {}
        try:
            ids = self._post(names)
            until(lambda: process.dead or self._all_ended(ids), "the kill or the end", END_S)
            point.killed = process.dead
            point.place = self._place(process) if process.dead else ""
            # Its planned death, should it still lie ahead, must not fall into the judgement.
            self._back(process)
            self.site.wait_ready()
            self._wait(ids)
        except (AssertionError, httpx.HTTPError) as problem:
            point.faults.append(f"{type(problem).__name__}: {problem}\n{process.tail()}"[:4_000])
            self._back(process)
            self.site.wait_ready()
        self._judge(point, ids)
        point.seconds = round(time.monotonic() - began, 2)
        return point

    def _process(self, target: Target) -> Traced:
        return self.agent if target == "agent" else self.hub

    def _back(self, process: Traced) -> None:
        process.kill()
        process.trace("fsync", 0, self._notes)
        process.start()

    def _up(self, target: Target) -> None:
        self.site.wait_ready()
        if target == "agent":
            log = self.agent.log
            size = log.stat().st_size
            until(lambda: b'"welcomed"' in log.read_bytes()[max(0, size - 200_000) :], "the agent's welcome")
        self.site.wait_online(self.client["id"])

    def _place(self, process: Traced) -> str:
        place = process.place()
        return self.ports.get(place, place)

    def _names(self) -> list[str]:
        batch = uuid.uuid4().hex[:8]
        return [f"{batch}-{number}" for number in range(COMMANDS)]

    def _post(self, names: list[str]) -> dict[str, str]:
        """Post each with a key of its own until it is accepted; a hub that died is started again meanwhile."""
        return {name: self._post_one(name) for name in names}

    def _post_one(self, name: str) -> str:
        body = {"client_id": self.client["id"], "action": "note", "payload": {"args": {"n": name}}}

        def accepted() -> str | None:
            if self.hub.dead:
                self._died_while_posting()
            try:
                answer = self.site.http.post("/api/commands", json=body, headers={"Idempotency-Key": name}, timeout=5)
            except httpx.HTTPError:
                return None
            assert answer.status_code in (200, 201, 503), answer.text
            return str(answer.json()["id"]) if answer.status_code != 503 else None

        return until(accepted, f"{name} accepted", END_S)

    def _died_while_posting(self) -> None:
        self._died = self._place(self.hub)
        self._back(self.hub)

    _died: str | None = None

    def _ended(self, command_id: str) -> bool:
        try:
            return self.site.command(command_id)["status"] in ENDED
        except (httpx.HTTPError, KeyError, ValueError):
            return False

    def _all_ended(self, ids: dict[str, str]) -> bool:
        return all(self._ended(command_id) for command_id in ids.values())

    def _wait(self, ids: dict[str, str]) -> None:
        until(lambda: self._all_ended(ids), f"the end of {ids}", END_S)

    # --- the judgement ---------------------------------------------------------------------------------------

    def _judge(self, point: Point, ids: dict[str, str]) -> None:
        """HTTP, the database and the effect log must agree: one end each, at most one effect each."""
        if self._died is not None:
            point.killed, point.place, self._died = True, self._died, None
        noted = self.log.read_text().splitlines()
        with psycopg.connect(self.site.stack.database_url) as connection:
            for name, command_id in ids.items():
                said = self.site.command(command_id)["status"]
                stored = connection.execute("SELECT status FROM commands WHERE id = %s", (command_id,)).fetchone()
                ends = connection.execute(
                    "SELECT count(*) FROM command_logs WHERE command_id = %s AND status = ANY (%s)"
                    " AND event <> 'evidence'",
                    (command_id, sorted(ENDED)),
                ).fetchone()
                same = connection.execute(
                    "SELECT count(*) FROM commands WHERE payload -> 'args' ->> 'n' = %s", (name,)
                ).fetchone()
                effects = noted.count(name)
                point.ends[name], point.effects[name] = said, effects
                wrong = {
                    f"{name} is {said} over HTTP and {stored} in the database": stored != (said,),
                    f"{name} has not ended: {said}": said not in ENDED,
                    f"{name} ended {ends} times": ends != (1,),
                    f"{name} exists {same} times": same != (1,),
                    f"{name} took effect {effects} times": effects > 1,
                    f"{name} is completed without an effect": said == "completed" and not effects,
                    f"{name} is {said}: nothing asked for that": said not in ("completed", "unknown"),
                    f"{name} is unknown although only the hub died": said == "unknown" and point.target == "hub",
                }
                point.faults += [text for text, is_so in wrong.items() if is_so]
        unknown = sum(status == "unknown" for status in point.ends.values())
        if unknown > 1:  # one lane: only one effect can have been under way
            point.faults.append(f"{unknown} commands are unknown")


@contextlib.contextmanager
def running() -> Iterator[Sweep]:
    """A site of its own."""
    with open_site("killpoints") as site:
        sweep = Sweep(site)
        try:
            yield sweep
        finally:
            sweep.close()


def write(points: list[Point], file: Path) -> None:
    """The table for programs."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps([asdict(point) for point in points], indent=1))

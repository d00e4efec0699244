"""`floorhub simulate` against a real hub and broker."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.keys import load_signing_keys
from hub.store.dispatch import run_of
from schemas import signing
from schemas.codec import encode
from schemas.topics import Channel, client_topic
from tests.acceptance.floor import ROOT, Floor, until
from tests.integration.embedded.broker_client import BrokerClient

EXAMPLE = ROOT / "docs/examples/simulate/rough-floor.toml"
ENDED = {"completed", "failed", "cancelled", "expired", "unknown"}


@dataclass
class Fleet:
    """A run of the program; what it left once it has ended."""

    floor: Floor
    process: subprocess.Popen[str]
    folder: Path
    said: str = ""

    def carry_out(self, ids: list[str], deadline_s: float) -> None:
        """Until all these commands have ended."""
        left = set(ids)

        def all_ended() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            left.difference_update({i for i in left if self.floor.command(i)["status"] in ENDED})
            return not left

        until(all_ended, f"{len(ids)} commands ended", deadline_s)

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "result.json").read_text())
        return found

    @property
    def effects(self) -> list[str]:
        return [json.loads(line)["command"] for line in (self.folder / "effects.jsonl").read_text().splitlines()]


@contextmanager
def simulating(floor: Floor, folder: Path, prefix: str, clients: int, *further: str) -> Iterator[Fleet]:
    """The fleet, once its last client is online; it is told to end when the block ends."""
    folder.mkdir(exist_ok=True)
    env = {**os.environ, "FLOORHUB_URL": floor.url, "FLOORHUB_KEY": floor.key, "PYTHONPATH": str(ROOT), "LANG": "C"}
    argv = [sys.executable, "-m", "hub", "simulate", "--clients", str(clients), "--prefix", prefix]
    argv += ["--broker", str(floor.stack.mqtt_url), "--effects", str(folder / "effects.jsonl")]
    argv += ["--json", str(folder / "result.json"), *further]
    process = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    fleet = Fleet(floor, process, folder)
    try:
        last = f"/api/clients/{prefix}-{clients:04}"
        until(lambda: floor.http.get(last).json().get("presence") == "online", "the fleet")
        yield fleet
    finally:
        process.terminate()
        fleet.said, _ = process.communicate(timeout=30)


def test_a_fleet_without_faults_carries_out_every_command_once(floor: Floor, tmp_path: Path) -> None:
    with simulating(floor, tmp_path, "calm", 5) as fleet:
        ids = [floor.send(f"calm-{n % 5 + 1:04}", "status", {})["id"] for n in range(25)]
        fleet.carry_out(ids, 30)

    assert fleet.process.returncode == 0, fleet.said
    assert fleet.result["counts"]["effects"] == 25
    assert sorted(fleet.effects) == sorted(ids)


def test_on_a_rough_floor_every_command_ends_and_no_effect_happens_twice(floor: Floor, tmp_path: Path) -> None:
    with simulating(floor, tmp_path, "rough", 20, "--faults", str(EXAMPLE)) as fleet:
        ids = [floor.send(f"rough-{n % 20 + 1:04}", "status", {})["id"] for n in range(100)]
        fleet.carry_out(ids, 120)

    assert fleet.process.returncode == 0, fleet.said
    assert len(fleet.effects) == len(set(fleet.effects))
    assert set(fleet.effects) <= set(ids)
    counts = fleet.result["counts"]
    for kind in ("crashed", "dropped_in", "dropped_out", "duplicated_in", "delayed_out", "slow", "retryable"):
        assert counts.get(kind), (kind, counts)


def test_a_hub_that_sends_what_it_must_not_is_named_and_the_fleet_is_retired(floor: Floor, tmp_path: Path) -> None:
    with simulating(floor, tmp_path, "wary", 2):
        """A first run, whose clients are kept."""
    accounts, broker = floor.stack.accounts, floor.stack.broker
    assert accounts is not None
    assert broker is not None

    with simulating(floor, tmp_path, "wary", 2, "--retire") as fleet:
        known = floor.send("wary-0001", "status", {})["id"]
        fleet.carry_out([known], 30)
        with psycopg.connect(floor.stack.database_url, row_factory=dict_row) as connection:
            row = connection.execute(
                "SELECT *, queued_at AS issued_at FROM commands WHERE id = %s", (known,)
            ).fetchone()
        assert row is not None
        foreign = load_signing_keys(floor.folder.keys).signer.sign(signing.COMMAND, encode(run_of(row)))
        forger = BrokerClient(broker.options.mqtt_port, "_hub-forger", accounts.hub.username, accounts.hub.password)
        assert forger.connect() == 0
        forger.publish(client_topic("wary-0001", Channel.COMMANDS), '{"v":1,"kind":"run","client_id":"wary-0001"}')
        forger.publish(client_topic("wary-0002", Channel.COMMANDS), foreign.decode())
        forger.close()
        # Behind them on the same line: both have been read when this one is done.
        fleet.carry_out([floor.send(f"wary-000{n}", "status", {})["id"] for n in (1, 2)], 30)

    assert fleet.process.returncode == 1, fleet.said
    told = {sentence.split(":")[0]: sentence for sentence in fleet.result["broken"]}
    assert set(told) == {"wary-0001", "wary-0002"}, fleet.said
    assert "bad_signature" in told["wary-0001"]
    assert "foreign_client" in told["wary-0002"]
    assert len(fleet.effects) == 3
    for n in (1, 2):
        assert floor.http.get(f"/api/clients/wary-000{n}").json()["status"] == "retired"

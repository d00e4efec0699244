"""`floorhub simulate` against a real hub and broker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.core.commands.store.dispatch import run_of
from hub.keys import load_signing_keys
from schemas import signing
from schemas.codec import encode
from schemas.signing import Signer
from schemas.topics import Channel, client_topic
from tests.support.broker_client import BrokerClient
from tests.support.paths import ROOT
from tests.support.site import Site
from tests.support.waiting import READY_S, until

pytestmark = pytest.mark.own_site("kills the hub")

EXAMPLE = ROOT / "docs/examples/simulate/rough-site.toml"
ROUGH = int(os.environ.get("FLOORHUB_TEST_FLEET", "20"))
"""Clients of the fleet to which everything happens; five commands each."""
ENDED = {"completed", "failed", "cancelled", "expired", "unknown"}


@dataclass
class Fleet:
    """A run of the program; what it left once it has ended."""

    site: Site
    process: subprocess.Popen[str]
    folder: Path
    said: str = ""

    def carry_out(self, ids: list[str], deadline_s: float) -> None:
        """Until all these commands have ended."""
        left = list(ids)

        def all_ended() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            while left and self.site.command(left[-1])["status"] in ENDED:
                left.pop()
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
def begun(site: Site, folder: Path, prefix: str, clients: int, *further: str) -> Iterator[Fleet]:
    """The program, from its start; the block waits for its end."""
    folder.mkdir(exist_ok=True)
    env = {**os.environ, "FLOORHUB_URL": site.url, "FLOORHUB_KEY": site.key, "PYTHONPATH": str(ROOT), "LANG": "C"}
    argv = [sys.executable, "-m", "hub", "simulate", "--clients", str(clients), "--prefix", prefix]
    argv += ["--broker", str(site.stack.mqtt_url), "--effects", str(folder / "effects.jsonl")]
    argv += ["--json", str(folder / "result.json"), *further]
    process = subprocess.Popen(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    fleet = Fleet(site, process, folder)
    try:
        yield fleet
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


@contextmanager
def simulating(site: Site, folder: Path, prefix: str, clients: int, *further: str) -> Iterator[Fleet]:
    """The fleet, once its last client is online; it is told to end when the block ends."""
    with begun(site, folder, prefix, clients, *further) as fleet:
        last = f"/api/clients/{prefix}-{clients:04}"
        until(lambda: site.http.get(last).json().get("presence") == "online", "the fleet", READY_S + clients / 10)
        yield fleet
        fleet.process.terminate()
        fleet.said, _ = fleet.process.communicate(timeout=30)


def test_a_fleet_without_faults_carries_out_every_command_once(site: Site, tmp_path: Path) -> None:
    with simulating(site, tmp_path, "calm", 5) as fleet:
        ids = [site.send(f"calm-{n % 5 + 1:04}", "status", {})["id"] for n in range(25)]
        fleet.carry_out(ids, 30)

    assert fleet.process.returncode == 0, fleet.said
    assert fleet.result["counts"]["effects"] == 25
    assert sorted(fleet.effects) == sorted(ids)


def test_on_a_rough_floor_every_command_ends_and_no_effect_happens_twice(site: Site, tmp_path: Path) -> None:
    with simulating(site, tmp_path, "rough", ROUGH, "--faults", str(EXAMPLE)) as fleet:
        ids = [site.send(f"rough-{n % ROUGH + 1:04}", "status", {})["id"] for n in range(5 * ROUGH)]
        fleet.carry_out(ids, 120 + ROUGH / 5)

    assert fleet.process.returncode == 0, fleet.said
    assert len(fleet.effects) == len(set(fleet.effects))
    assert set(fleet.effects) <= set(ids)
    counts = fleet.result["counts"]
    for kind in ("crashed", "dropped_in", "dropped_out", "duplicated_in", "delayed_out", "slow", "retryable"):
        assert counts.get(kind), (kind, counts)


def test_a_hub_that_sends_what_it_must_not_is_named_and_the_fleet_is_retired(site: Site, tmp_path: Path) -> None:
    with simulating(site, tmp_path, "wary", 3):
        """A first run, whose clients are kept."""
    accounts, broker = site.stack.accounts, site.stack.broker
    assert accounts is not None
    assert broker is not None

    with simulating(site, tmp_path, "wary", 3, "--retire") as fleet:
        known = site.send("wary-0001", "status", {})["id"]
        fleet.carry_out([known], 30)
        with psycopg.connect(site.stack.database_url, row_factory=dict_row) as connection:
            row = connection.execute(
                "SELECT *, queued_at AS issued_at FROM commands WHERE id = %s", (known,)
            ).fetchone()
        assert row is not None
        foreign = load_signing_keys(site.folder.keys).signer.sign(signing.COMMAND, encode(run_of(row)))
        forger = BrokerClient(broker.options.mqtt_port, "_hub-forger", accounts.hub.username, accounts.hub.password)
        assert forger.connect() == 0
        forger.publish(client_topic("wary-0001", Channel.COMMANDS), '{"v":1,"kind":"run","client_id":"wary-0001"}')
        forger.publish(client_topic("wary-0002", Channel.COMMANDS), foreign.decode())
        stranger = Signer(b"x" * 32).sign(signing.COMMAND, encode(run_of({**row, "client_id": "wary-0003"})))
        forger.publish(client_topic("wary-0003", Channel.COMMANDS), stranger.decode())
        forger.close()
        # Behind them on the same line: they have been read when this one is done.
        fleet.carry_out([site.send(f"wary-000{n}", "status", {})["id"] for n in (1, 2, 3)], 30)

    assert fleet.process.returncode == 1, fleet.said
    told = {sentence.split(":")[0]: sentence for sentence in fleet.result["broken"]}
    assert set(told) == {"wary-0001", "wary-0002", "wary-0003"}, fleet.said
    assert "bad_signature" in told["wary-0001"]
    assert "foreign_client" in told["wary-0002"]
    assert "unknown_key" in told["wary-0003"]
    assert fleet.result["counts"]["refused_unknown_key"] == 1
    assert len(fleet.effects) == 4
    for n in (1, 2, 3):
        assert site.http.get(f"/api/clients/wary-000{n}").json()["status"] == "retired"


def known(site: Site, prefix: str) -> dict[str, str]:
    """The status of each client of a prefix at the hub."""
    found: dict[str, str] = {}
    cursor: str | None = f"{prefix}-"
    while cursor:
        page = site.http.get("/api/clients", params={"cursor": cursor, "limit": 200}).json()
        found |= {client["id"]: client["status"] for client in page["items"] if client["id"].startswith(prefix)}
        cursor = page["next_cursor"]
    return found


@pytest.mark.parametrize(("number", "retire"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_a_signal_while_clients_are_registered_ends_it_and_says_who_is(
    site: Site, tmp_path: Path, number: signal.Signals, retire: bool
) -> None:
    prefix = f"cut-{number.name.lower()}"
    with begun(site, tmp_path, prefix, 9_999, *(["--retire"] if retire else [])) as fleet:
        until(lambda: site.http.get(f"/api/clients/{prefix}-0020").status_code == 200, "some are registered")
        fleet.process.send_signal(number)
        said, _ = fleet.process.communicate(timeout=45)

    assert fleet.process.returncode == 128 + number, said
    assert "Traceback" not in said
    assert f"Interrupted before its end / 중단됨: {number.name}" in said
    there, result = known(site, prefix), fleet.result
    assert 20 <= len(there) < 9_999
    assert result["registered"] == sorted(there)
    assert f"registered / 등록됨 ({len(there)} of 9999): {prefix}-0001 to " in said
    assert result["retired"] == (sorted(there) if retire else [])
    assert set(there.values()) == {"retired" if retire else "active"}


def test_a_signal_while_the_fleet_runs_ends_it_with_a_good_bye(site: Site, tmp_path: Path) -> None:
    with simulating(site, tmp_path, "short", 2, "--seconds", "600", "--post", "5", "--retire") as fleet:
        until(lambda: len((tmp_path / "effects.jsonl").read_text().splitlines()) > 2, "some effects")
    assert fleet.process.returncode == 128 + signal.SIGTERM, fleet.said
    assert "Traceback" not in fleet.said
    assert fleet.result["broken"] == []
    assert fleet.result["posts"]["accepted"] >= len(fleet.effects) > 2
    assert set(known(site, "short").values()) == {"retired"}


def test_a_second_signal_waits_for_nothing_any_more(site: Site, tmp_path: Path) -> None:
    with begun(site, tmp_path, "hasty", 2, "--retire") as fleet:
        until(lambda: site.http.get("/api/clients/hasty-0002").json().get("presence") == "online", "the fleet")
        site.hub.process.send_signal(signal.SIGSTOP)  # nobody answers when the clients shall be retired
        try:
            until(lambda: fleet.process.send_signal(signal.SIGINT) or fleet.process.poll() is not None, "the end", 10)
        finally:
            site.hub.process.send_signal(signal.SIGCONT)
        said, _ = fleet.process.communicate()
    assert fleet.process.returncode == 0, said
    assert "Traceback" not in said
    assert "not retired / 폐기되지 않음: hasty-0001 to hasty-0002: " in said


def test_posted_commands_are_compared_in_three_records(site: Site, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        """[effects]
        work_s = [0, 0.02]
        [[rule]]
        actions = ["pick"]
        fail = 1
        [[rule]]
        clients = "post-0001"
        actions = ["simulate"]
        direction = "out"
        duplicate = 1
        """
    )
    further = ["--seconds", "3", "--post", "40", "--action", "simulate", "--action", "pick", "--faults", str(rules)]
    with begun(site, tmp_path, "post", 5, *further) as fleet:
        said, _ = fleet.process.communicate(timeout=60)

    assert fleet.process.returncode == 0, said
    posts = fleet.result["posts"]
    assert posts["accepted"] == 120, said
    assert posts["ends"] == {"completed": 60, "failed": 60}
    assert [posts[kind] for kind in ("lost", "twice", "invented", "wrong_end", "open")] == [[]] * 5
    assert len(fleet.effects) == len(set(fleet.effects)) == 60
    assert fleet.result["counts"]["duplicated_out"] > 0
    assert fleet.result["connected"] == 5


def test_posts_go_on_through_the_death_of_the_hub(site: Site, tmp_path: Path) -> None:
    with begun(site, tmp_path, "through", 5, "--seconds", "4", "--post", "25") as fleet:
        file = tmp_path / "effects.jsonl"
        until(lambda: file.exists() and file.read_text().count("\n") > 10, "some effects")
        site.hub.kill()
        site.hub.start()
        said, _ = fleet.process.communicate(timeout=90)
    site.wait_ready()

    assert fleet.process.returncode == 0, said
    posts = fleet.result["posts"]
    assert posts["accepted"] == 100
    assert posts["requests_repeated"] > 0
    assert posts["ends"] == {"completed": 100}
    assert fleet.result["counts"]["effects"] == 100


def test_a_hub_that_denies_what_was_done_is_named(
    site: Site, tmp_path: Path, database: psycopg.Connection[Any]
) -> None:
    slow = tmp_path / "slow.toml"
    slow.write_text("[effects]\nwork_s = [3, 3]")
    further = ["--seconds", "2", "--post", "1", "--settle", "20", "--faults", str(slow)]

    def both_run() -> list[Any]:
        rows = database.execute("SELECT id FROM commands WHERE client_id LIKE 'denied-%' AND status = 'running'")
        found = [row[0] for row in rows]
        return found if len(found) == 2 else []

    with begun(site, tmp_path, "denied", 2, *further) as fleet:
        denied = until(both_run, "both run")[0]
        database.execute(
            "UPDATE commands SET status = 'cancelled', version = version + 1, finished_at = now(), deadline_at = NULL "
            "WHERE id = %s",
            (denied,),
        )
        said, _ = fleet.process.communicate(timeout=60)

    assert fleet.process.returncode == 1, said
    assert fleet.result["posts"]["wrong_end"] == [str(denied)]
    assert "wrong end" in said

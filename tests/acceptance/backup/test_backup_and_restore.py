"""A backup under load, and back to it while the agents live: nothing is done twice, and what is lost is said.

The printer's own log, which neither hub nor agent can write, says what was printed.
"""

import json
import os
import shutil
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from hub.keys import read_seeds
from hub.programs.backup import container
from hub.programs.cli.main import app
from hub.programs.embedded.authority import Authority, Names
from hub.programs.embedded.machine_names import alone
from tests.support import plain_http
from tests.support.http_speaker import HttpSpeaker
from tests.support.killed_restore import kill_restore
from tests.support.site import Site
from tests.support.waiting import READY_S, until

pytestmark = pytest.mark.own_site("restores the database, and kills the hub")

CLIENTS = 2
MORE = int(os.environ.get("FLOORHUB_TEST_BACKUP_COMMANDS", "6"))
"""How many commands come before the backup, and after it."""
PATIENCE_S = READY_S + 3 * MORE


def hub_of(site: Site, **changes: str) -> dict[str, str]:
    """The settings of the site's hub."""
    return {
        # By another name of the host: else it would be taken for the one that `make run` starts.
        "FLOORHUB_DATABASE_URL": site.stack.hub_database_url.replace("127.0.0.1", "localhost"),
        "FLOORHUB_DATABASE_OWNER_URL": site.stack.database_url.replace("127.0.0.1", "localhost"),
        "FLOORHUB_DATA_DIR": str(site.folder.root),
        "FLOORHUB_MQTT_URL": str(site.stack.mqtt_url),
        "FLOORHUB_PORT": str(site.hub_ports["one"]),
        "LANG": "C",
        **changes,
    }


def single_role(url: str) -> dict[str, str]:
    """For `hub_of`: a database whose owner the hub is."""
    return {"FLOORHUB_DATABASE_URL": url, "FLOORHUB_DATABASE_OWNER_URL": ""}


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment)


def answer(environment: dict[str, str], *arguments: str) -> Any:
    """What a command says as JSON; it must succeed."""
    done = run(environment, *arguments, "-o", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def _hub_runs(site: Site) -> None:
    if site.hub.process.poll() is not None:
        site.hub.start()
        site.wait_ready()


class Orders:
    """An order system that posts print commands, one after the other, until the hub is gone."""

    def __init__(self, site: Site, clients: list[str]) -> None:
        self.accepted: list[str] = []
        self.unanswered = ""
        """The reference of an order that waits for its answer. When the hub goes, it may have been accepted."""
        self.priority = 5
        self.most = 3 * MORE
        """So many, and no more."""
        self._site = site
        self._clients = clients
        self._over = threading.Event()
        self._http = plain_http.client(site.url, headers={"Authorization": f"Bearer {site.key}"})
        self._thread = threading.Thread(target=self._post, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(30)
        self._http.close()

    def _post(self) -> None:
        document = self._site.upload()["id"]
        number = 0
        with suppress(httpx.HTTPError):
            while not self._over.wait(0.06):
                if len(self.accepted) >= self.most:
                    continue
                number += 1
                body = {
                    "client_id": self._clients[number % len(self._clients)],
                    "action": "print",
                    "payload": {"printer": "office", "document": document},
                    "priority": self.priority,
                    "reference": f"order-{number}",
                }
                self.unanswered = f"order-{number}"
                posted = self._http.post("/api/commands", json=body)
                self.unanswered = ""
                if posted.status_code == 201:
                    self.accepted.append(posted.json()["id"])


def quarantined(site: Site) -> set[str]:
    """Commands that agents reported and the hub does not know."""
    with psycopg.connect(site.stack.database_url) as database:
        reported = database.execute(
            "SELECT DISTINCT command_id::text FROM report_quarantine WHERE reason = 'unknown_command'"
        ).fetchall()
    return {row[0] for row in reported}


def test_a_backup_under_load_prints_nothing_twice_after_its_restore_and_says_what_is_lost(
    site: Site, tmp_path: Path
) -> None:
    registered = [site.client() for _ in range(CLIENTS)]
    agents = [site.agent(client) for client in registered]
    clients = [client["id"] for client in registered]
    site.control_printer(seconds="0.1")
    orders = Orders(site, clients)
    file = tmp_path / "floorhub.backup"
    until(lambda: len(orders.accepted) >= MORE and len(site.effects()) >= 2, "load before the backup", PATIENCE_S)

    made = answer(hub_of(site), "backup", str(file))
    orders.priority = 10  # before those that wait, so that agents have some of them when the hub goes
    before = len(orders.accepted)
    orders.most = before + 2 * MORE
    until(lambda: len(orders.accepted) >= before + MORE, "load after the backup", PATIENCE_S)
    until(
        lambda: any(site.effects(one) for one in orders.accepted[before + 1 :]),
        "a page of after the backup",
        PATIENCE_S,
    )
    late = site.client()
    site.hub.kill()
    orders.stop()
    restored = answer(hub_of(site), "restore", str(file), "--replace")
    site.hub.start()
    site.wait_ready()

    # What agents hold is in the lanes before these, so that it has ended when they have.
    for client, agent in zip(clients, agents, strict=True):
        site.wait_online(client, agent)
        assert site.print_page(client, wait=0)["id"]
    site.control_printer()
    unfinished: dict[str, Any] = {"status": ["pending", "queued", "running"], "limit": 200}
    until(
        lambda: not site.http.get("/api/commands", params=unfinished).json()["items"],
        "everything has ended",
        PATIENCE_S,
    )

    lost = [json.loads(line) for line in Path(restored["lost"]["file"]).read_text().splitlines()]
    told = {line["id"] for line in lost if line["kind"] == "command"}
    there = {one for one in orders.accepted if site.http.get(f"/api/commands/{one}").status_code == 200}
    cut_off = {line["id"] for line in lost if line.get("reference") and line["reference"] == orders.unanswered}
    assert told | there == {*orders.accepted, *cut_off}, "each accepted command is there, or said to be lost"
    assert told & there == set()
    assert len(told) >= MORE
    assert sum(restored["lost"]["commands"].values()) == len(told)
    assert restored["lost"]["clients"] == [late["id"]]
    assert {line["reference"][:6] for line in lost if line["kind"] == "command"} == {"order-"}
    printed = Counter(effect["job_name"] for effect in site.effects())
    assert {name: times for name, times in printed.items() if times > 1} == {}, "nothing was printed twice"
    for one in there:
        command = site.command(one)
        assert (command["status"], len(site.effects(one))) == ("completed", 1), command
    # Agents printed some that the hub does not know any more: they said so, and the doctor tells people.
    # Of reports that come together, those about known commands are written first.
    unknown_here: set[str] = set()

    def doctor_lists_them() -> bool:
        unknown_here.update(quarantined(site))
        examined = run(hub_of(site), "doctor", "--json")
        found = {item["code"]: item for item in json.loads(examined.stdout)["findings"]}
        return "lost_found" in found and found["lost_found"]["values"]["number"] == str(len(unknown_here))

    until(doctor_lists_them, "the doctor lists what agents did and the hub does not know", PATIENCE_S)
    assert unknown_here <= told
    assert unknown_here, "commands were under way when the hub went"
    assert [agent.process.poll() for agent in agents] == [None] * CLIENTS
    assert made["revision"] == restored["revision"]
    trail = site.http.get("/api/audit/verify").json()
    assert (trail["intact"], [one["recorded"] for one in trail["restores"]]) == (True, [True]), trail["problems"]
    assert trail["restores"][0]["lost"] > trail["restores"][0]["kept"]


def test_what_a_client_without_a_journal_may_have_done_is_not_done_again(site: Site, tmp_path: Path) -> None:
    pda = HttpSpeaker(site)
    try:
        assert pda.ping().status_code == 200
        done = site.send(pda.id, "open-door", {})["id"]
        again = site.send(pda.id, "open-door", {}, on_interrupt="rerun")["id"]
        kept = site.send(pda.id, "open-door", {})["id"]
        file = tmp_path / "floorhub.backup"
        answer(hub_of(site), "backup", str(file))
        runs: set[str] = set()

        def is_here(one: str) -> bool:
            runs.update(message["command_id"] for message in pda.poll(wait=1))
            return one in runs

        for one in (done, again):
            until(partial(is_here, one), one)
            assert pda.report({"command_id": one}, "result").status_code == 200
            site.wait_status(one, "completed")
        handed_out = site.command(kept)["status"]
        site.hub.stop()

        restored = answer(hub_of(site), "restore", str(file), "--replace")
        site.hub.start()
        site.wait_ready()

        assert restored["lost"]["file"] is None, "nothing was accepted since"
        for one in (done, again):
            assert site.command(one)["status"] == "completed", "the database of before knows it"
            assert site.events(one)[-1] == "completed"
        assert restored["carried_over"]["commands"] == (2 if handed_out == "pending" else 3)
        assert restored["unknown"] == 0
        assert site.command(kept)["status"] == handed_out, "as when a hub starts again"
        assert not {done, again} & {message["command_id"] for message in pda.poll()}
        site.hub.stop()

        # On another machine nobody knows.
        elsewhere = tmp_path / "elsewhere"
        url = psycopg.conninfo.make_conninfo(site.stack.database_url, host="localhost", dbname="elsewhere")
        with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE elsewhere")
        there = answer(
            hub_of(site, **single_role(url), FLOORHUB_DATA_DIR=str(elsewhere)),
            "restore",
            str(file),
        )
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT id::text, status, error ->> 'code' FROM commands").fetchall()
        told = {one: (status, code) for one, status, code in found}
        assert (told[done], told[kept]) == (("unknown", "restored"), ("unknown", "restored"))
        assert told[again][0] != "unknown", "twice does no harm there, as its sender said"
        assert there["unknown"] == sum(status == "unknown" for status, _ in told.values())
        with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE elsewhere")
    finally:
        pda.close()


def databases(site: Site) -> set[str]:
    with psycopg.connect(site.stack.database_url) as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}


def state(site: Site) -> dict[str, Any]:
    """What must stay as it is when a restore is refused."""
    root = site.folder.root
    return {
        "databases": databases(site),
        "files": sorted(str(file.relative_to(root)) for file in root.glob("*")),
        "keys": {file.name: file.read_bytes() for file in site.folder.keys.iterdir()},
    }


def test_a_restore_is_refused_before_anything_changes(site: Site, tmp_path: Path) -> None:
    file, damaged = tmp_path / "floorhub.backup", tmp_path / "damaged.backup"
    answer(hub_of(site), "backup", str(file))
    raw = bytearray(file.read_bytes())
    raw[2_000] ^= 1  # in the dump
    damaged.write_bytes(raw)
    before = state(site)

    def refused(path: Path, *options: str) -> str:
        done = run(hub_of(site), "restore", str(path), *options)
        assert done.exit_code == 2, done.output
        assert state(site) == before, done.output
        assert "Nothing was changed" in done.stderr
        return done.stderr

    assert "--replace" in refused(file)
    assert "The database is in use by floorhub" in refused(file, "--replace"), "a hub runs"
    assert "another SHA-256" in refused(damaged, "--replace")
    assert run(hub_of(site), "backup", str(file)).exit_code == 2, "a name that is taken"
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE of_others")
    others = psycopg.conninfo.make_conninfo(site.stack.database_url, host="localhost", dbname="of_others")
    with psycopg.connect(others, autocommit=True) as connection:
        connection.execute("CREATE TABLE theirs (id integer)")
    foreign = hub_of(site, **single_role(others), FLOORHUB_DATA_DIR=str(tmp_path / "data"))
    refusal = run(foreign, "restore", str(file), "--replace")
    assert refusal.exit_code == 2
    assert "belongs to another program" in refusal.stderr
    assert list((tmp_path / "data").iterdir()) == []
    assert file.read_bytes() != bytes(raw)


def test_what_a_killed_restore_left_behind_is_gone_after_the_next_one(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "floorhub.backup"
    answer(hub_of(site), "backup", str(file))
    site.hub.stop()
    left = site.folder.root / ".restore-0123456789ab"
    (left / "keys").mkdir(parents=True)
    (left / "keys" / "root.key").write_text("half")
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE floorhub_restoring_20260101t000000z")

    restored = answer(hub_of(site), "restore", str(file), "--replace")

    assert not left.exists()
    names = databases(site)
    assert {name for name in names if "_restoring_" in name} == set()
    assert restored["kept_database"] in names
    assert list(site.folder.root.glob(".restore-*")) == []


def repacked(file: Path, folder: Path, revision: str) -> Path:
    """The same parts with a manifest that says another revision."""
    made = folder / f"says-{revision}.backup"
    with container.opened(file) as backup:
        for name in backup.names:
            backup.extract(name, folder / revision / name)
        manifest = msgspec.structs.replace(backup.manifest, revision=revision)
        container.write(made, manifest, [(name, folder / revision / name) for name in backup.names])
    return made


def test_a_backup_of_a_newer_version_is_refused_whatever_its_manifest_says(site: Site, tmp_path: Path) -> None:
    site.hub.stop()
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        try:
            answer(hub_of(site), "backup", str(newer := tmp_path / "newer.backup"))
        finally:
            connection.execute("UPDATE alembic_version SET version_num = %s", (revision,))
    before = state(site)

    for file in (newer, repacked(newer, tmp_path, str(revision))):
        done = run(hub_of(site), "restore", str(file), "--replace")

        assert done.exit_code == 2
        assert "9999" in done.stderr
        assert "newer version" in done.stderr
        assert state(site) == before


@contextmanager
def plain_database(site: Site) -> Iterator[str]:
    """The URL of an empty database whose role may create none."""
    passwords = json.loads((site.folder.keys / "postgres-18.json").read_text())
    port = psycopg.conninfo.conninfo_to_dict(site.stack.database_url)["port"]
    superuser = f"postgresql://postgres:{passwords['postgres']}@127.0.0.1:{port}/postgres"
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN PASSWORD 'secret'")
        connection.execute(sql.SQL("CREATE DATABASE plain_target OWNER plain"))
    try:
        yield f"postgresql://plain:secret@127.0.0.1:{port}/plain_target"
    finally:
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("DROP DATABASE plain_target")
            connection.execute("DROP ROLE plain")


def parts_of(backup: Path) -> list[str]:
    """The names of a backup's parts."""
    with tarfile.open(backup) as parts:
        return parts.getnames()


@pytest.fixture
def authority(site: Site) -> Iterator[Path]:
    """The folder of a certificate authority that the hub has during a test."""
    yield site.folder.root / "authority"
    shutil.rmtree(site.folder.root / "authority", ignore_errors=True)


def test_a_role_that_may_create_no_database_restores_into_an_empty_one(
    site: Site, tmp_path: Path, authority: Path
) -> None:
    file, folder = tmp_path / "floorhub.backup", tmp_path / "data"
    without = run(hub_of(site), "backup", str(file), "--with-authority")
    assert (without.exit_code, "no certificate authority to back up" in without.stderr) == (2, True)
    Authority(site.folder.root).ensure(Names(("shop-pc",), (alone(ip_address("192.0.2.10")),)))
    answer(hub_of(site), "backup", str(tmp_path / "apart.backup"))
    answer(hub_of(site), "backup", str(file), "--with-authority")
    assert [
        [name for name in parts_of(one) if name.startswith("authority")] for one in (tmp_path / "apart.backup", file)
    ] == [[], ["authority/authority.key", "authority/authority.pem"]]
    with plain_database(site) as url:
        environment = hub_of(site, **single_role(url), FLOORHUB_DATA_DIR=str(folder))

        restored = answer(environment, "restore", str(file))

        assert restored["kept_database"] is None
        assert restored["lost"] is None
        assert read_seeds(folder / "keys") == read_seeds(site.folder.keys)
        assert (folder / "admin.key").read_bytes() == (site.folder.root / "admin.key").read_bytes()
        for name in ("authority.key", "authority.pem"):
            assert (folder / "authority" / name).read_bytes() == (authority / name).read_bytes()
        assert "FLOORHUB_DATABASE_URL=" in Path(restored["settings"]).read_text()
        assert {file.stat().st_mode & 0o077 for file in folder.rglob("*")} == {0}
        again = run(environment, "restore", str(file), "--replace")
        assert again.exit_code == 2
        assert "may not create databases" in again.stderr


@pytest.mark.parametrize("point", ["load", "move:2", "end"])
def test_where_no_database_can_be_made_a_killed_restore_is_completed_by_the_same_command(
    site: Site, tmp_path: Path, point: str
) -> None:
    file, other, folder = tmp_path / "floorhub.backup", tmp_path / "other.backup", tmp_path / "data"
    pda = HttpSpeaker(site)
    try:
        assert pda.ping().status_code == 200
        waits = site.send(pda.id, "open-door", {})["id"]
        answer(hub_of(site), "backup", str(file))
        site.send(pda.id, "open-door", {})
    finally:
        pda.close()
    answer(hub_of(site), "backup", str(other))
    with plain_database(site) as url:
        environment = hub_of(site, **single_role(url), FLOORHUB_DATA_DIR=str(folder))

        kill_restore(point, file, folder, url, replace=False)

        refused = run(environment, "migrate")
        assert refused.exit_code == 2
        assert "A restore into this database has not ended" in refused.stderr
        refused = run(environment, "restore", str(other))
        assert refused.exit_code == 2
        assert "A restore of another backup" in refused.stderr
        answer(environment, "restore", str(file))
        assert run(environment, "migrate").exit_code == 0
        assert (folder / "admin.key").read_bytes() == (site.folder.root / "admin.key").read_bytes()
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT status, unknown_reason FROM commands WHERE id = %s", (waits,)).fetchone()
        assert found == ("unknown", "restored")

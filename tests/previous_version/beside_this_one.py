"""The previous version's hub beside this one on the migrated tables.

That version refuses to start on tables that it does not know, so it is started before they are migrated; from this
version on the tables name who may use them. Takes minutes, since the version is built with its own lock.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg

from broker_config.render import Client
from hub.programs.cli.up import prepare_database
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.stack import Stack, StackOptions
from tests.support.folders import open_folder
from tests.support.previous_version import built
from tests.support.waiting import until


@contextmanager
def serving(python: Path | str, at: Path, stack: Stack, folder: DataFolder, name: str) -> Iterator[httpx.Client]:
    """A hub of a version, ready; it must live until the end of the block."""
    accounts = stack.accounts
    assert accounts is not None
    port = PortBook(folder.ports).choose(f"hub-{name}", 0).number
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(at),
        "FLOORHUB_DATABASE_URL": stack.database_url,
        "FLOORHUB_MQTT_URL": str(stack.mqtt_url),
        "FLOORHUB_MQTT_PASSWORD": accounts.hub.password,
        "FLOORHUB_MQTT_ADMIN_PASSWORD": accounts.admin.password,
        "FLOORHUB_DATA_DIR": str(folder.root),
        "FLOORHUB_PORT": str(port),
        "FLOORHUB_WORKER": name,
        "FLOORHUB_CLEANUP_EVERY_S": "1",
    }
    log = folder.logs / f"hub-{name}.log"
    with log.open("ab") as stream, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        process = subprocess.Popen([str(python), "-m", "hub", "serve"], cwd=at, env=environment, stderr=stream)
        try:

            def ready() -> bool:
                assert process.poll() is None, log.read_text()[-3000:]
                try:
                    return client.get("/health/ready").status_code == 200
                except httpx.TransportError:
                    return False

            until(ready, f"hub {name} is ready")
            client.headers["Authorization"] = f"Bearer {(folder.root / 'admin.key').read_text().strip()}"
            yield client
            assert process.poll() is None, log.read_text()[-3000:]
        finally:
            process.terminate()
            process.wait(30)


def works(hub: httpx.Client, client_id: str) -> None:
    """A hub stores, changes and shows."""
    made = hub.post("/api/clients", json={"id": client_id, "kind": "printer_pc"})
    assert made.status_code == 201, made.text
    assert hub.patch(f"/api/clients/{client_id}", json={"zone": "hall"}).status_code == 200
    sent = hub.post("/api/commands", json={"client_id": client_id, "action": "status", "payload": {}})
    assert sent.status_code == 201, sent.text
    command = sent.json()["id"]
    assert hub.post(f"/api/commands/{command}/cancel").status_code == 200
    assert hub.get(f"/api/commands/{command}").json()["status"] == "cancelled"


def test_the_previous_hub_runs_beside_this_one_on_the_migrated_tables(tmp_path: Path) -> None:
    old = tmp_path / "previous"
    old_python = built(old)
    root = Path(__file__).resolve().parents[2]

    def migrated_by_the_old(url: str) -> list[Client]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(old), "FLOORHUB_DATABASE_URL": url}
        subprocess.run([str(old_python), "-m", "hub", "migrate"], cwd=old, env=environment, check=True, timeout=120)
        return []

    with ExitStack() as stop:
        folder = DataFolder.prepare(stop.enter_context(open_folder("previous")) / "data")
        options = StackOptions(postgres_port=0, mqtt_port=0, websocket_port=0, printer_port=0)
        stack = stop.enter_context(Stack(folder, Packages(), options, migrated_by_the_old))
        before = stop.enter_context(serving(old_python, old, stack, folder, "before"))
        works(before, "first")
        prepare_database(stack.database_url)  # while the previous version works
        works(before, "second")
        now = stop.enter_context(serving(sys.executable, root, stack, folder, "now"))
        for number in range(5):
            works(before, f"old-{number}")
            works(now, f"new-{number}")
            assert now.get(f"/api/clients/old-{number}").json()["zone"] == "hall"
            assert before.get(f"/api/clients/new-{number}").json()["zone"] == "hall"

        def sealed() -> bool:
            with psycopg.connect(stack.database_url) as connection:
                row = connection.execute("SELECT max(id) FROM audit_logs").fetchone()
                high = connection.execute("SELECT max(high) FROM audit_seals").fetchone()
            return row == high

        until(sealed, "what both wrote is sealed")
        found = now.get("/api/audit/verify").json()
        assert (found["intact"], found["unsealed"]) == (True, 0), found["problems"]
        assert found["rows"] >= 36

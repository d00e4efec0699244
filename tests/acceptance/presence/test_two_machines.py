"""Two machines with one identity: the hub notices, stops dispatch, sends one away, and a person lets it go on."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.site import Process, Site
from tests.support.waiting import until


def copy_of(site: Site, client: dict[str, Any], name: str, data: Path) -> Process:
    """A second agent with the same configuration and a data folder of its own."""
    config = site.folder.agent / f"{client['id']}.toml"
    return site.start_agent(name, config, "--data", str(data))


def logged(process: Process, event: str) -> list[dict[str, Any]]:
    lines = process.log.read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


def fenced(site: Site, client_id: str) -> str | None:
    reason: str | None = site.http.get(f"/api/clients/{client_id}").json()["fenced"]
    return reason


@pytest.mark.fault("F23")
def test_the_second_machine_is_told_to_keep_away_and_a_person_lets_dispatch_go_on(site: Site, tmp_path: Path) -> None:
    client = site.client()
    first = site.agent(client)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"

    second = copy_of(site, client, "second", tmp_path / "second")

    until(lambda: fenced(site, client["id"]), "two machines are noticed", 60)
    told = until(lambda: logged(first, "fenced") + logged(second, "fenced"), "one is told", 60)
    assert f"floorhub client unfence {client['id']}" in told[0]["reason"]
    stays, leaves = (second, first) if logged(first, "fenced") else (first, second)
    assert logged(stays, "fenced") == []
    with psycopg.connect(site.stack.database_url) as connection:
        [(detail,)] = connection.execute(
            "SELECT detail FROM security_events WHERE kind = 'two_machines' AND client_id = %s", (client["id"],)
        ).fetchall()
    assert len(detail["sessions"]) == 2
    assert 'floorhub_security_events_total{kind="two_machines"} 1.0' in site.http.get("/metrics").text

    held = site.send(client["id"], "status", {}, wait=2)
    assert held["status"] == "pending"
    explained = site.http.get(f"/api/commands/{held['id']}/explain").json()
    assert explained["cause"] == "client_fenced", explained
    leaves.stop()
    released = site.http.post(f"/api/clients/{client['id']}/unfence")
    assert (released.status_code, released.json()["fenced"]) == (200, None)
    site.wait_status(held["id"], "completed")
    assert site.http.post(f"/api/clients/{client['id']}/unfence").status_code == 200


def test_one_machine_that_starts_anew_again_and_again_is_no_second_one(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)
    for number in range(4):
        agent.kill() if number % 2 else agent.stop()
        agent.start()
        assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"
    assert fenced(site, client["id"]) is None
    assert logged(agent, "journal_replaced") == []


@pytest.mark.fault("F22")
def test_a_journal_put_back_within_one_epoch_repeats_nothing(site: Site, tmp_path: Path) -> None:
    """The disk of the client is put back to a moment at which a job waited that has been printed since then."""
    client = site.client()
    agent = site.agent(client)
    data = site.folder.agent / f"{client['id']}-data"
    site.control_printer(seconds=2)
    slow = site.print_page(client["id"])
    waiting = site.print_page(client["id"])
    until(lambda: site.command(waiting["id"])["accepted_at"], "the second job in the journal")
    kept = {path.name: path.read_bytes() for path in data.iterdir() if path.name.startswith("journal.db")}
    site.control_printer()
    for command in (slow, waiting):
        assert site.wait_status(command["id"], "completed")

    agent.kill()
    for path in data.glob("journal.db*"):
        path.unlink()
    for name, content in kept.items():
        (data / name).write_bytes(content)
    agent.start()

    after = site.print_page(client["id"], wait=60)
    assert after["status"] == "completed"
    until(lambda: logged(agent, "journal_replaced"), "the agent hears that its journal is an older copy")
    assert len(site.effects(waiting["id"])) == 1
    assert site.command(waiting["id"])["status"] == "completed"
    assert fenced(site, client["id"]) is None

"""The actions that end the agent, carried out: it comes back, proves itself, and does nothing twice."""

import gzip
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.site import Process, Site
from tests.support.waiting import until


def machine(tmp_path: Path) -> tuple[str, Path, Path]:
    """Configuration of a machine whose end is a line in a file, that file, and the file of its boot."""
    program, rebooted, boot = tmp_path / "reboot", tmp_path / "rebooted", tmp_path / "boot_id"
    program.write_text(f'#!/bin/sh\necho "$1" >> {rebooted}\n')
    program.chmod(0o755)
    boot.write_text("boot-1\n")
    extra = (
        f'\n[machine]\nreboot = ["{program}", "now; ok"]\nshutdown = ["{program}", "off"]\nboot_id_file = "{boot}"\n'
    )
    return extra, rebooted, boot


@pytest.mark.parametrize("happened", [True, False])
def test_a_reboot_is_proven_by_the_next_boot_or_not_at_all(site: Site, tmp_path: Path, *, happened: bool) -> None:
    extra, rebooted, boot = machine(tmp_path)
    client = site.client()
    agent = site.agent(client, extra)
    command = site.send(client["id"], "reboot", {"delay_s": 0}, wait=0)
    until(rebooted.exists, "the machine goes down")
    site.wait_status(command["id"], "running")

    agent.kill()
    if happened:
        boot.write_text("boot-2\n")
    agent.start()

    ended = site.wait_status(command["id"], "completed" if happened else "unknown")
    if happened:
        assert ended["result"]["data"] == {"boot_before": "boot-1", "boot_now": "boot-2"}
    else:
        assert ended["error"]["code"] == "not_proven"
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"
    assert rebooted.read_text() == "now; ok\n", "once, and not by a shell"


def a_minute_later(site: Site, command_id: str) -> None:
    """As if the client had said good-bye a minute ago."""
    with psycopg.connect(site.stack.database_url) as connection:
        connection.execute(
            "UPDATE commands SET goodbye_at = goodbye_at - interval '60 s', deadline_at = deadline_at - interval '60 s'"
            " WHERE id = %s",
            (command_id,),
        )


@pytest.mark.parametrize("begun_by", ["stop", "kill"])
def test_an_evenings_switch_off_is_completed_by_its_good_bye(site: Site, tmp_path: Path, *, begun_by: str) -> None:
    """`kill`: the agent dies between its start and its good-bye, and its next process says good-bye."""
    extra, done, boot = machine(tmp_path)
    client = site.client()
    agent = site.agent(client, extra)
    command = site.send(client["id"], "shutdown", {"delay_s": 0}, wait=0, timeout_s=600)
    until(done.exists, "the machine goes down")
    site.wait_status(command["id"], "running")
    if begun_by == "kill":
        agent.kill()
        assert site.command(command["id"])["status"] == "running"
        boot.write_text("boot-2\n")
        agent.start()
        ended = site.wait_status(command["id"], "completed")
        assert ended["result"]["data"] == {"boot_before": "boot-1", "boot_now": "boot-2"}
        return

    agent.stop()
    until(lambda: "goodbye" in site.events(command["id"]), "the good-bye is written down")
    assert site.command(command["id"])["status"] == "running"
    explained = site.http.get(f"/api/commands/{command['id']}/explain").json()
    assert explained["cause"] == "goodbye_said"
    a_minute_later(site, command["id"])

    ended = site.wait_status(command["id"], "completed")
    assert ended["result"]["data"]["evidence"] == "goodbye"
    assert done.read_text() == "off\n", "once"
    letters = site.http.get("/api/dead-letters", params={"client_id": client["id"]}).json()
    assert letters["items"] == []
    # The next morning.
    boot.write_text("boot-2\n")
    agent.start()
    site.wait_online(client["id"], agent)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"
    assert done.read_text() == "off\n", "and not once more"
    assert site.command(command["id"])["status"] == "completed"


def started(site: Site, agent: Process, extra: dict[str, Any], *, action: str, delay_s: float) -> str:
    """A command whose delay runs."""
    command = site.send(extra["id"], action, {"delay_s": delay_s}, wait=0)
    until(lambda: site.command(command["id"])["held_reasons"] == ["delay"], "its delay runs")
    assert agent.process.poll() is None
    return str(command["id"])


@pytest.mark.parametrize("action", ["reboot", "shutdown", "restart_agent"])
@pytest.mark.parametrize("ends", ["the machine restarts", "the service is killed", "the service is stopped"])
def test_what_happens_during_the_delay_is_not_taken_for_the_command(
    site: Site, tmp_path: Path, action: str, ends: str
) -> None:
    extra, done, boot = machine(tmp_path)
    client = site.client()
    agent = site.agent(client, extra)
    command_id = started(site, agent, client, action=action, delay_s=6)
    if ends == "the service is stopped":
        agent.stop()
    else:
        agent.kill()
    if ends == "the machine restarts":
        boot.write_text("boot-2\n")
    assert site.command(command_id)["status"] == "running"
    agent.start()
    site.wait_online(client["id"], agent)
    assert not done.exists()
    if action == "restart_agent":
        assert site.wait_status(command_id, "completed")
        return
    until(
        done.exists,
        lambda: f"the machine goes down, once the delay is over; {site.events(command_id)}, {agent.tail()}",
    )
    until(lambda: site.command(command_id)["held_reasons"] is None, "the hub knows")
    assert site.command(command_id)["status"] == "running"
    assert done.read_text().count("\n") == 1


def test_a_service_that_is_stopped_during_the_delay_and_stays_away_switched_nothing_off(
    site: Site, tmp_path: Path
) -> None:
    extra, done, _ = machine(tmp_path)
    client = site.client()
    agent = site.agent(client, extra)
    command_id = started(site, agent, client, action="shutdown", delay_s=6)
    agent.stop()
    until(lambda: site.http.get(f"/api/clients/{client['id']}").json()["presence"] == "offline", "it is gone")
    command = site.command(command_id)
    assert (command["status"], command["held_reasons"]) == ("running", ["delay"])
    assert "goodbye" not in site.events(command_id)
    assert not done.exists()


def test_an_urgent_shutdown_does_not_wait_for_what_runs(site: Site, tmp_path: Path) -> None:
    extra, done, _ = machine(tmp_path)
    client = site.client()
    site.agent(client, extra + '\n[actions.long]\nargv = ["sleep", "600"]\ntimeout_s = 900\n')
    long = site.send(client["id"], "long", {"args": {}}, wait=0)
    site.wait_status(long["id"], "running")
    ordinary = site.send(client["id"], "shutdown", {"delay_s": 0}, wait=0)
    site.wait_status(ordinary["id"], "queued")
    urgent = site.send(client["id"], "shutdown", {"delay_s": 0}, wait=0, priority=10)
    until(done.exists, "the machine goes down")
    assert site.wait_status(urgent["id"], "running")["lane"] == "machine"
    assert (site.command(ordinary["id"])["lane"], site.command(ordinary["id"])["status"]) == ("client", "queued")


def test_what_the_machine_does_not_allow_is_not_done(site: Site) -> None:
    client = site.client()
    site.agent(client)
    for action in ("reboot", "shutdown"):
        ended = site.send(client["id"], action, {"delay_s": 0}, wait=30)
        assert (ended["status"], ended["error"]["code"]) == ("failed", "unsupported_action")


def starts(process: Process) -> int:
    return sum(json.loads(line)["event"] == "agent_started" for line in process.log.read_text().splitlines())


def test_an_agent_that_nobody_supervises_starts_itself_anew(site: Site) -> None:
    client = site.client()
    agent = site.agent(client)
    pid = agent.process.pid
    ended = site.send(client["id"], "restart_agent", {"delay_s": 0}, wait=60)
    assert ended["status"] == "completed", ended
    data = ended["result"]["data"]
    assert data["process_before"] != data["process_now"]
    assert (agent.process.poll(), agent.process.pid, starts(agent)) == (None, pid, 2)
    assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"


def test_an_agent_that_is_supervised_ends_and_asks_to_be_started(site: Site) -> None:
    client = site.client()
    site.agent(client).stop()
    config = site.folder.agent / f"{client['id']}.toml"
    agent = site.start_agent("supervised", config, FLOORHUB_SUPERVISED="1")
    site.wait_online(client["id"], agent)
    command = site.send(client["id"], "restart_agent", {"delay_s": 0}, wait=0)
    assert agent.process.wait(30) == 75
    agent.start()
    assert site.wait_status(command["id"], "completed")
    assert starts(agent) == 2


def test_the_agents_log_comes_up_without_its_secret(site: Site) -> None:
    client = site.client()
    site.agent(client)
    ended = site.send(client["id"], "collect_logs", {}, wait=30)
    assert ended["status"] == "completed", ended
    document: dict[str, Any] = ended["result"]["data"]["document"]
    content = gzip.decompress(site.http.get(document["path"]).content).decode()
    events = [json.loads(line)["event"] for line in content.splitlines()]
    assert {"agent_started", "welcomed", "command_started"} <= set(events)
    assert client["secret"] not in content

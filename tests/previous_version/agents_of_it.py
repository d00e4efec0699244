"""Agents of the previous version, built with its own lock, work with this version's hub: they print, stop what is
cancelled, report what ended while nobody heard them, and come back after hub and broker were away.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.programs.embedded.data_folder import DataFolder
from tests.support.previous_version import built
from tests.support.site import Process, Site, open_site
from tests.support.waiting import until

CLIENT = "old-agent"
SLOW = """
[actions.slow]
argv = ["sh", "-c", "echo $$ > {folder}/started; exec sleep {seconds}"]
"""


@pytest.fixture(scope="module")
def site(cluster: DataFolder) -> Iterator[Site]:
    with open_site("previous", cluster=cluster) as running:
        yield running


@pytest.fixture(scope="module")
def config(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agent")
    client = site.client(id=CLIENT, kind="printer_pc")
    return site.configure(client, site.office() + SLOW.format(folder=folder, seconds=3_600))


@pytest.fixture(scope="module")
def agent(site: Site, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An agent of the previous version, connected."""
    folder = tmp_path_factory.mktemp("previous") / "code"
    python = built(folder)
    argv = [str(python), "-m", "device_agent", "run", "--config", str(config)]
    process = Process("agent of the previous version", argv, {}, folder.parent / "agent.log", folder).start()
    try:
        site.wait_online(CLIENT, process)
        yield process
    finally:
        process.stop()


def test_it_prints(site: Site, agent: Process) -> None:
    command = site.print_page(CLIENT, wait=30)
    assert command["status"] == "completed", agent.tail()
    assert len(site.effects(command["id"])) == 1


def test_it_stops_what_is_cancelled(site: Site, agent: Process) -> None:
    sent = site.send(CLIENT, "slow", {})
    site.wait_status(sent["id"], "running")
    site.http.post(f"/api/commands/{sent['id']}/cancel").raise_for_status()
    assert site.wait_status(sent["id"], "cancelled", "failed", "completed")["status"] == "cancelled", agent.tail()


def test_what_ends_while_the_broker_is_away_is_reported_afterwards(site: Site, agent: Process) -> None:
    assert site.stack.broker is not None
    site.control_printer(seconds_after=3)
    command = site.print_page(CLIENT)
    site.wait_status(command["id"], "running")
    site.stack.broker.kill()
    until(lambda: site.effects(command["id"]), "the page comes out without a broker")
    site.stack.broker.start()
    assert site.wait_status(command["id"], "completed", "unknown", "failed")["status"] == "completed", agent.tail()
    assert len(site.effects(command["id"])) == 1
    site.control_printer()


def test_it_comes_back_after_the_hub_and_after_itself(site: Site, agent: Process) -> None:
    site.hub.kill()
    site.hub.start()
    site.wait_ready()
    assert site.print_page(CLIENT, wait=60)["status"] == "completed", agent.tail()
    agent.kill()
    waiting = site.print_page(CLIENT)
    agent.start()
    assert site.wait_status(waiting["id"], "completed", "unknown", "failed")["status"] == "completed", agent.tail()
    assert len(site.effects(waiting["id"])) == 1

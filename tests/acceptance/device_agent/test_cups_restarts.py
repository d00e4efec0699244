"""The agent is killed and started again around the end of CUPS jobs, with CUPS as Debian configures it: each job is
known to have been printed, once. `FLOORHUB_TEST_RESTARTS` says how often."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest

from device_agent.ipp.client import IppClient
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import HOSTS
from tests.support.cups import Cups, document
from tests.support.site import Process, Site
from tests.support.waiting import until

RESTARTS = int(os.environ.get("FLOORHUB_TEST_RESTARTS", "4"))
MOMENTS = ("CUPS has the job", "the page is out", "CUPS calls it completed", "CUPS has put it away")
"""How far the job is when the agent, which is killed when the command runs, comes back. The second and the third kill
it only then: what it has not reported by that time it must find out."""
CHEAP = ("job-id", "job-name", "job-state")


@pytest.fixture
def queue(site: Site) -> Iterator[str]:
    assert site.stack.printer_url is not None
    cups = Cups(site.folder, PortBook(site.folder.ports).choose("cups", 0, HOSTS).number)
    try:
        cups.start()
        yield cups.add_queue("Office", site.stack.printer_url)
    finally:
        cups.stop()


def names(queue: str, which: Any) -> list[str]:
    """The names that CUPS tells without reading a file, newest first; empty ones of jobs that it has put away."""

    async def ask() -> list[str]:
        async with IppClient(queue) as client:
            return [job.text("job-name") for job in await client.get_jobs(which, CHEAP)]

    return asyncio.run(ask())


def interrupt(site: Site, agent: Process, queue: str, command_id: str, moment: str) -> None:
    """Kill the agent, and return when the job has come to that moment."""
    if moment in ("CUPS has the job", "CUPS has put it away"):
        agent.kill()
    if moment == "the page is out":
        until(lambda: site.effects(command_id), "the page is out")
    elif moment != "CUPS has the job":
        until(lambda: not names(queue, "not-completed"), "CUPS has no unfinished job")
    if moment == "CUPS has put it away":
        until(lambda: names(queue, "completed")[0] == "", "CUPS has put the job away")
    else:
        agent.kill()


def print_through_a_restart(site: Site, client_id: str, agent: Process, queue: str, number: int) -> tuple[Any, ...]:
    """Send an order and interrupt the agent; how the command ended, and how often the printer put it out."""
    moment = MOMENTS[number % len(MOMENTS)]
    page = site.upload(document([f"order {number}"]))["id"]
    command_id = site.send(client_id, "print", {"printer": "queue", "document": page})["id"]
    until(lambda: len(names(queue, "not-completed") + names(queue, "completed")) > number, "CUPS has the job")
    interrupt(site, agent, queue, command_id, moment)
    agent.start()
    command = site.wait_status(command_id, "completed", "failed", "cancelled", "unknown")
    return moment, command["status"], command["attempt"], command["error"], len(site.effects(command_id))


def test_no_job_is_unknown_after_restarts_of_the_agent_around_its_end(site: Site, queue: str) -> None:
    client = site.client()
    agent = site.agent(client, f'\n[[printers]]\nname = "queue"\nuri = "{queue}"\n')

    ended = [print_through_a_restart(site, client["id"], agent, queue, number) for number in range(RESTARTS)]

    assert ended == [(MOMENTS[number % len(MOMENTS)], "completed", 1, None, 1) for number in range(RESTARTS)]

"""A hundred commands over HTTP, through a real CUPS, with a tray that runs empty and a queue that is stopped in the
middle: four records that do not trust each other must agree. `FLOORHUB_TEST_CUPS_JOBS` says how many.

They are the hub's own, the agent's journal, CUPS's page log and job list, and what the printers behind the queues put
out. CUPS rewrites a PDF, so what is compared is what it says. Its `ipp` backend takes a second for each job, hence
several queues at once.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest

from device_agent.actions.printing.own_job import IDENTITY
from device_agent.ipp.client import IppClient
from device_agent.ipp.states import job_state
from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import PortBook
from hub.programs.embedded.printer import HOSTS, EmbeddedPrinter, PrinterPrograms, find_programs
from tests.support.cups import PAGE_LOG, Cups, document, pages, texts
from tests.support.folders import open_folder
from tests.support.printing import PrinterTestbed
from tests.support.site import Site
from tests.support.waiting import until

JOBS = int(os.environ.get("FLOORHUB_TEST_CUPS_JOBS", "96"))
QUEUES = 16
"""As many as there may be lanes at work for one client."""
EMPTY, STOPPED = "queue-2", "queue-5"
SIDES = ("one-sided", "two-sided-long-edge", "two-sided-short-edge")
UNFINISHED = ("pending", "queued", "running")
MIDDLE = 48
ALL_DONE_S = 120.0


@dataclass(frozen=True)
class Order:
    """What one command asks for; no two have the same texts."""

    queue: str
    texts: list[str]
    copies: int
    sides: str


ORDERS = [
    Order(
        f"queue-{number % QUEUES}",
        [f"order {number} page {page}" for page in range(1 + number % 3)],
        1 + number % 4,
        SIDES[number // QUEUES % 3],
    )
    for number in range(JOBS)
]


@dataclass(frozen=True)
class Room:
    """CUPS with its queues, and the printers behind them."""

    cups: Cups
    uris: dict[str, str]
    printers: dict[str, PrinterTestbed]


@pytest.fixture
def room(site: Site) -> Iterator[Room]:
    programs = find_programs(Packages())
    assert isinstance(programs, PrinterPrograms), programs
    with ExitStack() as undo:
        root = undo.enter_context(open_folder("cups"))
        cups = Cups(site.folder, PortBook(site.folder.ports).choose("cups", 0, HOSTS).number, PAGE_LOG)
        undo.callback(cups.stop)
        cups.start()
        printers, uris = {}, {}
        for name in (f"queue-{number}" for number in range(QUEUES)):
            folder = DataFolder.prepare(root / name)
            printer = EmbeddedPrinter(folder, programs, PortBook(folder.ports).choose("printer", 0, HOSTS).number)
            undo.callback(printer.stop)
            printer.start()
            printers[name] = PrinterTestbed(printer, folder)
            uris[name] = cups.add_queue(name, printer.url)
        yield Room(cups, uris, printers)


def order(site: Site, client_id: str, wanted: Order) -> str:
    """Send one; the command's id."""
    uploaded = site.upload(document(wanted.texts))
    payload = {"printer": wanted.queue, "document": uploaded["id"], "copies": wanted.copies, "sides": wanted.sides}
    return str(site.send(client_id, "print", payload, expires_in_s=3600)["id"])


def held(site: Site, client_id: str, queue: str) -> list[str]:
    """The reasons for which a command of this queue waits for a person."""
    running = (item for item in commands(site, client_id, "running") if item["payload"]["printer"] == queue)
    return next((item["held_reasons"] for item in running if item["held_reasons"]), [])


def commands(site: Site, client_id: str, *statuses: str) -> list[dict[str, Any]]:
    """Its commands in these statuses; all without one."""
    query = {"client_id": client_id, "status": list(statuses), "limit": JOBS}
    items: list[dict[str, Any]] = site.http.get("/api/commands", params=query).json()["items"]
    return items


def the_hubs_word(site: Site, client_id: str) -> Counter[Any]:
    return Counter((item["id"], item["status"], item["attempt"]) for item in commands(site, client_id))


def the_journals_word(site: Site, client_id: str) -> Counter[Any]:
    file = next(site.folder.agent.glob(f"{client_id}-data/**/journal*.db"))
    with closing(sqlite3.connect(file)) as journal:
        return Counter(journal.execute("SELECT command_id, attempt, phase FROM attempts"))


def the_printers_word(room: Room) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for queue, printer in room.printers.items():
        for effect in printer.effects():
            paper = printer.printed(effect)
            found[
                (effect["job_name"], queue, tuple(texts(paper)), pages(paper), effect["copies"], effect["sides"])
            ] += 1
    return found


async def the_job_lists_word(room: Room) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for queue, uri in room.uris.items():
        async with IppClient(uri) as client:
            for which in ("not-completed", "completed"):
                for job in await client.get_jobs(which, (*IDENTITY, "job-state")):
                    state = job_state(job)
                    found[(job.text("job-name"), queue, state.name.lower() if state else "")] += 1
    return found


def the_page_logs_word(room: Room) -> Counter[Any]:
    return Counter((line.job_name, line.queue, line.impressions, line.sides) for line in room.cups.page_log())


async def test_a_hundred_commands_through_cups_each_once_in_four_records(site: Site, room: Room) -> None:
    printers = "".join(f'\n[[printers]]\nname = "{name}"\nuri = "{uri}"\n' for name, uri in room.uris.items())
    client = site.client()
    site.agent(client, printers)
    sent = {order(site, client["id"], wanted): wanted for wanted in ORDERS[:MIDDLE]}
    until(lambda: not commands(site, client["id"], *UNFINISHED), "the first ones ended", ALL_DONE_S)
    await room.printers[EMPTY].fill_tray(0)
    room.cups.stop_queue(STOPPED)  # between two jobs: one under way CUPS would print again
    before = {queue: room.printers[queue].effects() for queue in (EMPTY, STOPPED)}

    sent |= {order(site, client["id"], wanted): wanted for wanted in ORDERS[MIDDLE:]}
    until(lambda: "media-needed" in held(site, client["id"], EMPTY), "the empty tray is told")
    until(lambda: "paused" in held(site, client["id"], STOPPED), "the stopped queue is told")
    until(lambda: len(commands(site, client["id"], *UNFINISHED)) < JOBS - MIDDLE, "the other queues go on")
    assert {queue: room.printers[queue].effects() for queue in (EMPTY, STOPPED)} == before
    await room.printers[EMPTY].fill_tray(250)
    room.cups.start_queue(STOPPED)

    until(lambda: not commands(site, client["id"], *UNFINISHED), "all ended", ALL_DONE_S)
    assert len(sent) == JOBS
    assert [
        (item["id"], item["payload"]["printer"], item["status"], item["error"], item["result"])
        for item in commands(site, client["id"])
        if item["status"] != "completed"
    ] == []
    jobs = {f"floorhub-{id_}-1": wanted for id_, wanted in sent.items()}
    assert the_hubs_word(site, client["id"]) == Counter((id_, "completed", 1) for id_ in sent)
    assert the_journals_word(site, client["id"]) == Counter((id_, 1, "finished") for id_ in sent)
    assert the_printers_word(room) == Counter(
        (name, job.queue, tuple(job.texts), len(job.texts), job.copies, job.sides) for name, job in jobs.items()
    )
    assert await the_job_lists_word(room) == Counter((name, job.queue, "completed") for name, job in jobs.items())
    assert the_page_logs_word(room) == Counter(
        (name, job.queue, len(job.texts) * job.copies, job.sides) for name, job in jobs.items()
    )

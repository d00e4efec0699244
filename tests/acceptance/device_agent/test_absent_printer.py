"""A printer that is off is waited for until the command expires: nothing is lost, nothing is sent twice, and others go
on meanwhile."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.programs.embedded.data_folder import DataFolder
from hub.programs.embedded.packages import Packages
from hub.programs.embedded.ports import LOOPBACK, PortBook
from hub.programs.embedded.printer import HOSTS, EmbeddedPrinter, PrinterPrograms, find_programs
from tests.support.folders import open_folder
from tests.support.printing import PrinterTestbed
from tests.support.site import Process, Site
from tests.support.waiting import until


class PrinterRoom:
    """A client with three printers: one that is there, and two that are off."""

    def __init__(self, site: Site, late: PrinterTestbed, raw_port: int) -> None:
        self.site = site
        self.late = late
        self.raw_port = raw_port
        self.client_id: str = (client := site.client())["id"]
        uris = {"late": late.embedded.url, "raw": f"socket://127.0.0.1:{raw_port}"}
        printers = "".join(f'\n[[printers]]\nname = "{name}"\nuri = "{uri}"\n' for name, uri in uris.items())
        self.agent: Process = site.agent(client, printers)

    def send(self, printer: str, **fields: Any) -> str:
        """Print a page; the command's id."""
        payload = {"printer": printer, "document": self.site.upload()["id"]}
        return str(self.site.send(self.client_id, "print", payload, **fields)["id"])

    def held(self, command_id: str) -> None:
        """Until the command waits for its printer."""
        until(lambda: self.site.command(command_id)["held_reasons"] == ["printer-unreachable"], "held")


@pytest.fixture
def room(site: Site) -> Iterator[PrinterRoom]:
    programs = find_programs(Packages())
    assert isinstance(programs, PrinterPrograms), programs
    with open_folder("late-printer") as root:
        folder = DataFolder.prepare(Path(root) / "late")
        late = EmbeddedPrinter(folder, programs, PortBook(folder.ports).choose("printer", 0, HOSTS).number)
        try:
            yield PrinterRoom(
                site,
                PrinterTestbed(late, folder),
                PortBook(site.folder.ports).choose("raw-printer", 0, LOOPBACK).number,
            )
        finally:
            late.stop()


def test_a_page_waits_for_its_printer_through_a_restart_while_others_are_printed(room: PrinterRoom) -> None:
    site = room.site
    waiting = room.send("late", max_retries=0, timeout_s=20)
    room.held(waiting)
    behind = room.send("late", max_retries=0)
    command = site.command(waiting)
    assert (command["status"], command["attempt"]) == ("running", 1)
    assert command["progress"]["waiting_for"] == "printer_unreachable"
    explained = site.http.get(f"/api/commands/{waiting}/explain").json()
    assert (explained["cause"], explained["details"]["reasons"]) == ("held", ["printer-unreachable"])
    assert site.wait_status(room.send("office"), "completed")

    room.agent.kill()
    room.agent.start()
    until(lambda: site.events(waiting).count("held") >= 2, lambda: f"held anew: {room.agent.tail()}")
    room.late.embedded.start()

    for command_id in (waiting, behind):
        ended = site.wait_status(command_id, "completed", "failed", "unknown")
        assert (ended["status"], ended["attempt"]) == ("completed", 1), ended
    effects = room.late.effects()
    assert [effect["job_name"].split(" ")[0] for effect in effects] == [
        f"floorhub-{command_id}-1" for command_id in (waiting, behind)
    ]


def test_a_page_whose_printer_stays_off_expires_and_one_can_be_cancelled(room: PrinterRoom) -> None:
    site = room.site
    short = room.send("late", expires_in_s=3)
    room.held(short)
    ended = site.wait_status(short, "expired", "failed", "unknown")
    assert (ended["status"], ended["attempt"], ended["error"]["code"]) == ("expired", 1, "expired")
    assert "before anything was sent" in ended["error"]["message"]

    unwanted = room.send("late")
    room.held(unwanted)
    site.http.post(f"/api/commands/{unwanted}/cancel").raise_for_status()
    assert site.wait_status(unwanted, "cancelled", "failed", "unknown")["status"] == "cancelled"


def test_an_agent_that_comes_back_after_the_expiry_has_no_doubt(room: PrinterRoom) -> None:
    site = room.site
    short = room.send("late", expires_in_s=3)
    room.held(short)
    room.agent.kill()
    expires_at = datetime.fromisoformat(site.command(short)["expires_at"])
    until(lambda: datetime.now(UTC) > expires_at, "its time is over")
    room.agent.start()
    assert site.wait_status(short, "expired", "failed", "unknown")["status"] == "expired"


def test_labels_wait_for_a_raw_printer_that_takes_no_connection(room: PrinterRoom) -> None:
    waiting = room.send("raw")
    room.held(waiting)
    with socket.create_server(("127.0.0.1", room.raw_port)) as listener:
        connection, _ = listener.accept()
        with connection:
            received = b"".join(iter(lambda: connection.recv(65536), b""))
    ended = room.site.wait_status(waiting, "completed", "failed", "unknown")
    assert (ended["status"], ended["result"]["data"]["bytes_accepted"]) == ("completed", len(received))

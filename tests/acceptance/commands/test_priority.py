"""Who goes next, as a machine sees it: the order is read from what its programs wrote down."""

from pathlib import Path
from typing import Any

import httpx

from tests.support.site import Floor, until

WAITING = 500
IN_THE_WINDOW = 2
OLDEST_EVERY = 8


def note_that_waits_for(gate: Path, notes: Path) -> str:
    """An own action that writes its command's id down, and ends when the gate is there."""
    script = f"echo $FLOORHUB_COMMAND_ID >> {notes}; until [ -e {gate} ]; do sleep 0.02; done"
    return f'\n[actions.note]\nargv = ["/bin/sh", "-c", "{script}"]\n'


def began(notes: Path) -> list[str]:
    return notes.read_text().split() if notes.exists() else []


def test_what_is_urgent_starts_next_and_what_is_old_starts_within_its_bound(floor: Floor, tmp_path: Path) -> None:
    client: str = (made := floor.client())["id"]
    gate, notes = tmp_path / "gate", tmp_path / "notes"
    floor.agent(made, note_that_waits_for(gate, notes))
    running = floor.send(client, "note", {}, priority=3)["id"]
    until(lambda: began(notes) == [running], "the first one running")
    in_window = floor.send(client, "note", {}, priority=3)["id"]
    floor.wait_status(in_window, "queued")
    old = floor.send(client, "note", {}, priority=1)["id"]
    many = [{"client_id": client, "action": "note", "priority": 2 + n % 7} for n in range(WAITING - 1)]
    batch: dict[str, Any] = floor.http.post("/api/batches", json={"commands": many}).raise_for_status().json()
    urgent = floor.send(client, "note", {}, priority=10)["id"]
    until(lambda: floor.command(urgent)["accepted_at"], "the urgent one at the agent, over the full window")

    gate.touch()
    until(lambda: old in began(notes), "the oldest of the lowest priority")

    order = began(notes)
    assert order[:2] == [running, urgent]
    assert order.index(old) <= 1 + IN_THE_WINDOW + OLDEST_EVERY
    assert floor.command(in_window)["status"] == "completed"
    floor.http.post(f"/api/batches/{batch['id']}/cancel").raise_for_status()


def test_a_printer_without_paper_holds_up_no_other_printer(floor: Floor, tmp_path: Path) -> None:
    made = floor.client()
    pages = tmp_path / "pages"
    pages.mkdir()
    floor.agent(made, f'\n[[printers]]\nname = "labels"\nuri = "folder:{pages}"\n')
    assert floor.stack.printer is not None
    web = f"http://localhost:{floor.stack.printer.port}/media?"
    trays = "size1=iso_a4_210x297mm&type1=stationery&level1={}&size3=na_number-10_4.125x9.5in&type3=envelope&level3=25"
    httpx.get(web + trays.format(0), trust_env=False)
    try:
        held = [floor.print_page(made["id"])["id"] for _ in range(5)]
        until(lambda: floor.command(held[0])["held_reasons"], "the first one held")
        labels = {"printer": "labels", "document": floor.upload()["id"]}
        others = [floor.send(made["id"], "print", labels, wait=30) for _ in range(5)]
        assert [other["status"] for other in others] == ["completed"] * 5
        assert floor.command(held[0])["status"] == "running"
    finally:
        httpx.get(web + trays.format(250), trust_env=False)
    for command_id in held:
        assert floor.wait_status(command_id, "completed")
        assert len(floor.effects(command_id)) == 1

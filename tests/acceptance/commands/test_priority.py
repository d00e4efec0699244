"""Who goes next, as a machine sees it: the order is read from what its programs wrote down."""

from pathlib import Path
from typing import Any

from tests.support.site import Site
from tests.support.waiting import until

WAITING = 500
IN_THE_WINDOW = 2
OLDEST_EVERY = 8


def note_that_waits_for(gate: Path, notes: Path) -> str:
    """An own action that writes its command's id down, and ends when the gate is there."""
    script = f"echo $FLOORHUB_COMMAND_ID >> {notes}; until [ -e {gate} ]; do sleep 0.02; done"
    return f'\n[actions.note]\nargv = ["/bin/sh", "-c", "{script}"]\n'


def began(notes: Path) -> list[str]:
    return notes.read_text().split() if notes.exists() else []


def test_what_is_urgent_starts_next_and_what_is_old_starts_within_its_bound(site: Site, tmp_path: Path) -> None:
    client: str = (made := site.client())["id"]
    gate, notes = tmp_path / "gate", tmp_path / "notes"
    site.agent(made, note_that_waits_for(gate, notes))
    running = site.send(client, "note", {}, priority=3)["id"]
    until(lambda: began(notes) == [running], "the first one running")
    in_window = site.send(client, "note", {}, priority=3)["id"]
    site.wait_status(in_window, "queued")
    old = site.send(client, "note", {}, priority=1)["id"]
    many = [{"client_id": client, "action": "note", "priority": 2 + n % 7} for n in range(WAITING - 1)]
    batch: dict[str, Any] = site.http.post("/api/batches", json={"commands": many}).raise_for_status().json()
    urgent = site.send(client, "note", {}, priority=10)["id"]
    until(lambda: site.command(urgent)["accepted_at"], "the urgent one at the agent, over the full window")

    gate.touch()
    until(lambda: old in began(notes), "the oldest of the lowest priority")

    order = began(notes)
    assert order[:2] == [running, urgent]
    assert order.index(old) <= 1 + IN_THE_WINDOW + OLDEST_EVERY
    assert site.command(in_window)["status"] == "completed"
    site.http.post(f"/api/batches/{batch['id']}/cancel").raise_for_status()


def test_a_printer_without_paper_holds_up_no_other_printer(site: Site, tmp_path: Path) -> None:
    made = site.client()
    pages = tmp_path / "pages"
    pages.mkdir()
    site.agent(made, f'\n[[printers]]\nname = "labels"\nuri = "folder:{pages}"\n')
    site.fill_tray(0)
    try:
        held = [site.print_page(made["id"])["id"] for _ in range(5)]
        until(lambda: site.command(held[0])["held_reasons"], "the first one held")
        labels = {"printer": "labels", "document": site.upload()["id"]}
        others = [site.send(made["id"], "print", labels, wait=30) for _ in range(5)]
        assert [other["status"] for other in others] == ["completed"] * 5
        assert site.command(held[0])["status"] == "running"
    finally:
        site.fill_tray(250)
    for command_id in held:
        assert site.wait_status(command_id, "completed")
        assert len(site.effects(command_id)) == 1

"""From an HTTP request to paper: what the printer says is compared with what was asked."""

import hashlib
from pathlib import Path

from hub.core.commands.shapes import CommandOutput
from hub.programs.cli import testpage
from tests.support.site import Site
from tests.support.waiting import until


def test_a_document_is_printed_byte_for_byte_with_copies_and_sides(site: Site) -> None:
    client = site.client(kind="printer_pc")
    site.agent(client)
    content = testpage.page(["an invoice", "(second line) \\ with what PDF must escape"])
    document = site.upload(content)
    assert document["sha256"] == hashlib.sha256(content).hexdigest()

    command = site.send(
        client["id"],
        "print",
        {"printer": "office", "document": document["id"], "copies": 2, "sides": "two-sided-long-edge"},
        wait=30,
        reference="order-42",
    )

    assert command["status"] == "completed", command
    (effect,) = site.effects(command["id"])
    assert (effect["copies"], effect["sides"]) == (2, "two-sided-long-edge")
    assert effect["sha256"] == document["sha256"]
    assert site.stack.printer is not None
    printed = Path(site.stack.printer.effects_file).parent / "out" / effect["file"]
    assert printed.read_bytes() == content
    assert site.events(command["id"]) == ["created", "queued", "started", "completed"]
    found = site.http.get("/api/commands", params={"reference": "order-42"}).json()["items"]
    assert [item["id"] for item in found] == [command["id"]]


def test_status_tells_of_the_agent_and_its_printers(site: Site) -> None:
    client = site.client()
    site.agent(client)

    command = site.send(client["id"], "status", {}, wait=30)

    assert command["status"] == "completed", command
    assert [printer["name"] for printer in command["result"]["data"]["printers"]] == ["office"]


def test_a_sites_own_action_runs_its_program_with_arguments(site: Site, tmp_path: Path) -> None:
    client = site.client()
    log = tmp_path / "calls"
    site.agent(client, f'\n[actions.open-drawer]\nargv = ["/usr/bin/tee", "-a", "{log}", "{{drawer}}"]\n')

    fine = site.send(client["id"], "open-drawer", {"args": {"drawer": str(tmp_path / "3")}}, wait=30)
    hostile = site.send(client["id"], "open-drawer", {"args": {"drawer": "-x; touch /tmp/pwned"}}, wait=30)
    unknown = site.send(client["id"], "make-coffee", {}, wait=30)

    assert fine["status"] == "completed", fine
    assert (tmp_path / "3").exists()
    assert hostile["status"] == "failed"
    assert unknown["status"] == "failed"
    assert unknown["error"]["code"] == "unsupported_action"


def test_a_held_job_says_what_it_waits_for_and_goes_on(site: Site) -> None:
    client = site.client()
    site.agent(client)
    site.fill_tray(0)
    try:
        command = site.print_page(client["id"])
        site.wait_status(command["id"], "running")
        held = until(lambda: site.command(command["id"])["held_reasons"], "held")
        assert any("media" in reason for reason in held)
        assert site.command(command["id"])["status"] == "running"
    finally:
        site.fill_tray(250)

    ended = site.wait_status(command["id"], "completed")
    assert ended["held_reasons"] is None
    assert len(site.effects(command["id"])) == 1
    assert {"held", "completed"} <= set(site.events(command["id"]))


def test_answers_have_exactly_the_documented_shape(site: Site) -> None:
    client = site.client()
    posted = site.send(client["id"], "status", {}, tags=["a"], reference="shape", expires_in_s=60)
    read = site.command(posted["id"])
    (listed,) = site.http.get("/api/commands", params={"reference": "shape"}).json()["items"]

    for answer in (posted, read, listed):
        assert CommandOutput.model_validate(answer).model_dump(mode="json").keys() == answer.keys()
    # What was answered right after the commit is what the database holds.
    assert CommandOutput.model_validate(posted) == CommandOutput.model_validate(read)
    assert listed == read

"""What commands of `floorhub` tell people: times of the wall's clock, numbers with their words, and what is missing."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from schemas.topics import Channel
from tests.support import cli
from tests.support.site import Site
from tests.support.speaker import Speaker, now
from tests.support.waiting import until
from tests.support.zones import in_zone

SEOUL = timezone(timedelta(hours=9))


@pytest.fixture(autouse=True)
def _in_seoul() -> Iterator[None]:
    with in_zone("KST-9"):
        yield


def here(moment: str) -> str:
    """A moment of the API as the clock in Seoul shows it."""
    return f"{datetime.fromisoformat(moment).astimezone(SEOUL):%Y-%m-%d %H:%M:%S}"


def test_times_are_those_of_the_wall_s_clock(site: Site) -> None:
    client = site.client()["id"]
    command = site.send(client, "status", {}, expires_in_s=1)["id"]
    site.wait_status(command, "expired")
    target = {"clients": [client]}
    body = {"target": target, "command": {"action": "status"}}
    batch = site.http.post("/api/batches", json=body, headers={"Idempotency-Key": f"b-{client}"}).json()
    cli.floorhub(
        site, "schedule", "add", f"s-{client}", "0 3 * * *", "status", "--time-zone", "Etc/UCT", "--client", client
    )
    schedule = cli.floorhub(site, "schedule", "show", f"s-{client}")
    dead = cli.floorhub(site, "dead-letters", "--client", client)[0]
    limits = cli.floorhub(site, "client", "limits", client)
    shown = {
        ("batch", "list"): ("created (KST)", here(batch["created_at"])),
        ("dead-letters",): ("ended (KST)", here(dead["finished_at"])),
        ("schedule", "list"): ("next (KST)", here(schedule["next_at"])),
        ("schedule", "show", schedule["id"]): (f"next: {here(schedule['next'][0])} KST",),
        ("client", "limits", client): (f"reset at {here(limits['day']['reset'])} KST",),
        ("client", "list"): ("since (KST)",),
        ("dead-letters", "--summary"): (" KST",),
    }
    for command_line, words in shown.items():
        said = cli.run(site, *command_line).output
        for word in words:
            assert word in said, command_line
        assert "UTC" not in said, command_line
    site.http.delete(f"/api/schedules/{schedule['id']}")


def test_a_sentence_of_the_hub_has_local_times_and_json_has_utc(site: Site) -> None:
    client = site.client()["id"]
    later = (datetime.now(SEOUL) + timedelta(hours=2)).replace(microsecond=0)
    command = site.send(client, "status", {}, not_before=later.isoformat(), expires_in_s=20_000)["id"]
    assert f"{later:%Y-%m-%d %H:%M:%S} KST" in cli.run(site, "explain", command).output
    assert re.search(r"\d\dT\d\d:\d\d:\d\dZ", cli.floorhub(site, "explain", command)["detail"])
    site.http.post(f"/api/commands/{command}/cancel")


def test_no_client_fits_is_not_no_client_yet(site: Site) -> None:
    site.client()
    assert cli.run(site, "client", "list", "--zone", "nobody-here").output == "No client fits.\n"


@pytest.mark.parametrize(("many", "words"), [(1, "1 client."), (2, "2 clients.")])
def test_one_is_not_many(site: Site, many: int, words: str) -> None:
    clients = [site.client()["id"] for _ in range(many)]
    assert cli.run(site, "group", "add", f"g-{clients[0]}", *clients).output.endswith(f"has {words}\n")
    named = [part for client in clients for part in ("--client", client)]
    assert cli.run(site, "client", "set-limits", *named, "--rate-limit", "7").output == f"Changed for {words}\n"
    preview = cli.run(site, "batch", "send", "status", *named, "--dry-run").output
    assert f"of {many} command{'s' if many > 1 else ''} would be accepted" in preview


def test_a_client_is_shown_with_what_it_can_do(site: Site) -> None:
    client = site.client(zone="dock", tags=["a", "b"])
    site.agent(client)
    until(lambda: site.http.get(f"/api/clients/{client['id']}").json()["state"], "its state")
    said = dict(line.split(":", 1) for line in cli.run(site, "client", "show", client["id"]).output.splitlines())
    shown = {name: value.strip() for name, value in said.items()}
    assert (shown["id"], shown["zone"], shown["tags"]) == (client["id"], "dock", "a, b")
    assert shown["presence"].startswith("online (birth) since ")
    assert shown["presence"].endswith(" KST")
    assert shown["agent"].startswith("floorhub-agent ")
    assert shown["actions"] == "collect_logs, print, restart_agent, status"
    assert shown["printers"] == "office (idle)"
    failed = site.send(client["id"], "open_gate", {}, wait=20)
    assert "it has: collect_logs, print, restart_agent, status (`floorhub client show`" in failed["error"]["message"]
    explained = cli.run(site, "explain", failed["id"]).output
    assert "unsupported_action" in explained
    assert "what to do: Choose an action that the client has" in explained


def test_what_a_client_says_of_its_printers_breaks_nobody_s_print(site: Site, speaker: Speaker) -> None:
    odd: list[dict[str, Any]] = [{}, {"name": 7, "reasons": 3}, {"name": None, "state": []}, {"name": "good"}]
    speaker.settle()
    speaker.say(Channel.STATE, speaker.message("state", at=now(), printers=odd), retain=True)
    until(lambda: (site.http.get(f"/api/clients/{speaker.id}").json()["state"] or {}).get("printers"), "its printers")
    shown = cli.run(site, "client", "show", speaker.id)
    assert (shown.exit_code, "good (unknown)" in shown.output) == (0, True), shown.output
    printed = cli.run(site, "print", "--test-page", "--client", speaker.id, "--printer", "nothing", "--wait", "0")
    assert printed.exit_code == 0
    choice = cli.run(site, "print", "--test-page", "--client", speaker.id, "--wait", "0")
    assert (choice.exit_code, choice.exception) == (0, None), choice.output


def test_unfencing_who_is_not_fenced_says_so(site: Site) -> None:
    client = site.client()["id"]
    said = cli.run(site, "client", "unfence", client)
    assert (said.exit_code, said.output) == (0, f"Client {client} is not fenced: nothing was changed.\n")


def test_commands_for_absent_clients_may_fail_at_once(site: Site) -> None:
    client = site.client()["id"]
    refused = cli.run(site, "batch", "send", "status", "--client", client, "--when-offline", "fail", "--dry-run")
    assert f"not {client}: client_offline" in refused.output
    assert "[client_offline]" in cli.run(site, "send", client, "status", "--when-offline", "fail").output
    waits = cli.floorhub(site, "send", client, "status", "--when-offline", "queue", "--wait", "0")
    assert waits["when_offline"] == "queue"

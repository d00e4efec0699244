"""What commands of `floorhub` tell people: times of the wall's clock, numbers with their words, and what is missing."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest

from tests.support import cli
from tests.support.site import Site

SEOUL = timezone(timedelta(hours=9))


@pytest.fixture(autouse=True)
def _in_seoul(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "KST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


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

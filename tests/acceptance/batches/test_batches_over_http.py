"""Batches, groups and permissions over the API and by `floorhub`, with real agents."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import floorhub, run
from tests.support.site import Site
from tests.support.waiting import until


@pytest.fixture(scope="module")
def hall(site: Site) -> list[str]:
    """Two clients with agents and one that is away, in a zone of their own."""
    made = [site.client(id=f"hall-{n}", zone="hall", tags=["even" if n % 2 == 0 else "odd"]) for n in range(3)]
    for client in made[:2]:
        site.agent(client)
    return [client["id"] for client in made]


def _finished(site: Site, batch_id: str, **reached: int) -> Any:
    """The batch once it has so many commands in these statuses."""

    def look() -> Any:
        shown = site.http.get(f"/api/batches/{batch_id}").json()
        return shown if all(shown["counts"][status] == number for status, number in reached.items()) else None

    return until(look, f"{reached} of batch {batch_id}")


def test_a_batch_of_prints_reaches_printers_of_any_name(site: Site, tmp_path: Path) -> None:
    only, several, unclear = (site.client(zone="counter") for _ in range(3))
    uri = f'uri = "{site.stack.printer_url}"'
    others = f"[[printers]]\nname = 'a4'\nuri = 'folder:{tmp_path}'"
    tables = {
        only["id"]: f'\n[[printers]]\nname = "till"\n{uri}\n',
        several["id"]: f'\n{others}\n[[printers]]\nname = "receipts"\ndefault = true\ntitle = "영수증"\n{uri}\n',
        unclear["id"]: f'\n{others}\n[[printers]]\nname = "receipts"\n{uri}\n',
    }
    for client in (only, several, unclear):
        agent = site.start_agent(client["id"], site.configure(client, tables[client["id"]]))
        site.wait_online(client["id"], agent)
    command = {"action": "print", "payload": {"document": site.upload()["id"]}}

    batch = site.http.post("/api/batches", json={"target": {"zone": "counter"}, "command": command}).json()

    _finished(site, batch["id"], completed=2, failed=1)
    rows = site.http.get(f"/api/batches/{batch['id']}").json()["items"]
    ended = {row["client_id"]: site.command(row["command_id"]) for row in rows}
    assert ended[only["id"]]["result"]["data"]["printer"] == "till"
    assert ended[several["id"]]["result"]["data"]["printer"] == "receipts"
    assert ended[unclear["id"]]["error"]["code"] == "printer_unknown"
    assert "a4, receipts" in ended[unclear["id"]]["error"]["message"]
    assert [len(site.effects(command["id"])) for command in ended.values()].count(1) == 2
    told = site.http.get(f"/api/clients/{several['id']}").json()["state"]["printers"]
    assert [(one["name"], one["default"], one.get("title")) for one in told] == [
        ("a4", False, None),
        ("receipts", True, "영수증"),
    ]
    page = floorhub(site, "print", "--test-page", "--client", several["id"])
    assert (page["status"], page["payload"]["printer"]) == ("completed", "receipts")
    asked = run(site, "print", "--test-page", "--client", unclear["id"])
    assert (asked.exit_code, "Which printer?" in asked.stderr) == (2, True)


def test_a_batch_over_http(site: Site, hall: list[str]) -> None:
    here, there, away = hall
    body = {"target": {"zone": "hall"}, "command": {"action": "status"}}
    key = {"Idempotency-Key": "batch-1"}

    preview = site.http.post("/api/batches", json={**body, "dry_run": True}, headers=key).json()
    first = site.http.post("/api/batches", json=body, headers=key)
    again = site.http.post("/api/batches", json=body, headers=key)
    other = site.http.post("/api/batches", json={**body, "max_failures": 1}, headers=key)

    assert (preview["dry_run"], preview["accepted"], preview["offline"]) == (True, 3, 1)
    assert [(row["client_id"], row["status"], row["presence"]) for row in preview["items"]] == [
        (here, "pending", "online"),
        (there, "pending", "online"),
        (away, "pending", "offline"),
    ]
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert first.headers["location"] == f"/api/batches/{first.json()['id']}"
    shown = _finished(site, first.json()["id"], completed=2)
    assert (shown["status"], shown["counts"]["pending"], shown["offline"]) == ("running", 1, 1)
    [waiting] = site.http.get(f"/api/batches/{shown['id']}", params={"blocked_by": "offline"}).json()["items"]
    assert (waiting["client_id"], waiting["status"]) == (away, "pending")
    command = site.command(waiting["command_id"])
    assert (command["batch_id"], command["client_id"]) == (shown["id"], away)

    site.http.post(f"/api/commands/{command['id']}/cancel")
    until(lambda: site.http.get(f"/api/batches/{shown['id']}").json()["status"] == "finished", "its end")
    answer = site.http.post(f"/api/batches/{shown['id']}/pause")
    assert (answer.status_code, answer.json()["code"]) == (409, "batch_ended")
    assert site.http.get("/api/batches", params={"status": "finished"}).json()["items"][0]["id"] == shown["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"command": {"action": "status"}}, "body"),
        ({"target": {}, "command": {"action": "status"}}, "target"),
        ({"target": {"all": True, "zone": "a"}, "command": {"action": "status"}}, "target"),
        ({"target": {"clients": ["a"], "group": "g"}, "command": {"action": "status"}}, "target"),
        ({"target": {"tags": {}}, "command": {"action": "status"}}, "target.tags"),
        ({"target": {"all": True}, "command": {"action": "status", "client_id": "a"}}, "command.client_id"),
        ({"target": {"all": True}, "command": {"action": "status"}, "rollout": {}}, "rollout"),
        ({"commands": []}, "commands"),
        ({"commands": [{"action": "status"}]}, "commands[0].client_id"),
        (
            {
                "target": {"all": True},
                "command": {"action": "status", "expires_at": "2199-01-01T00:00:00Z"},
                "rollout": {"per_minute": 1},
            },
            "command.expires_at",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_refused_by_field(site: Site, body: dict[str, Any], field: str) -> None:
    answer = site.http.post("/api/batches", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
    assert field in {item["field"] for item in answer.json()["errors"]}


def test_a_batch_that_could_never_begin_is_refused(site: Site, hall: list[str]) -> None:
    command = {"action": "status", "expires_at": "2020-01-01T00:00:00Z"}
    answer = site.http.post("/api/batches", json={"target": {"clients": hall}, "command": command})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_expired")


def test_groups_and_permissions_over_http(site: Site, hall: list[str]) -> None:
    http = site.http
    made = http.post("/api/groups", json={"id": "front", "name": "Front", "clients": hall[:2]})
    assert (made.status_code, made.json()["members"]) == (201, 2)
    assert http.post("/api/groups", json={"id": "front"}).json()["code"] == "group_exists"
    assert http.post("/api/groups/front/members", json={"add": [hall[2]], "remove": [hall[0]]}).json()["members"] == 2
    refused = http.post("/api/groups/front/members", json={"add": ["nobody"], "remove": hall}).json()
    assert refused["errors"] == [
        {
            "field": "add[0]",
            "code": "no_such_client",
            "message": "is not a registered client, or you are not allowed to see it",
        }
    ]
    assert [row["client_id"] for row in http.get("/api/groups/front/members").json()["items"]] == hall[1:]
    listed = http.get("/api/clients", params={"group": "front"}).json()["items"]
    assert [(client["id"], client["groups"]) for client in listed] == [(hall[1], ["front"]), (hall[2], ["front"])]
    assert http.patch("/api/groups/front", json={"name": "Counter"}).json()["name"] == "Counter"
    assert [group["id"] for group in http.get("/api/groups").json()["items"]] == ["front"]

    limits = {"allowed_actions": ["print"], "max_commands_per_day": 7}
    assert http.patch("/api/permissions", json={"target": {"group": "front"}, **limits}).json() == {"changed": 2}
    batch = http.post("/api/batches", json={"target": {"zone": "hall"}, "command": {"action": "open-door"}}).json()
    assert batch["rejections"] == {"action_not_allowed": 2}
    unlimited = {"allowed_actions": None, "max_commands_per_day": 1_000_000}
    changed = http.patch(f"/api/clients/{hall[1]}/permissions", json=unlimited).json()
    assert (changed["allowed_actions"], changed["day"]["limit"]) == (None, 1_000_000)
    assert changed["day"]["remaining"] == 1_000_000 - changed["day"]["used"]
    assert http.patch(f"/api/clients/{hall[2]}/permissions", json=unlimited).status_code == 200
    assert http.patch("/api/permissions", json={"target": {"all": True}}).status_code == 422

    assert http.delete("/api/groups/front").json()["members"] == 2
    answer = http.post("/api/batches", json={"target": {"group": "front"}, "command": {"action": "status"}})
    assert (answer.status_code, answer.json()["code"]) == (404, "group_not_found")


def test_batches_by_the_program(site: Site, hall: list[str], tmp_path: Path) -> None:
    assert floorhub(site, "group", "add", "pair", *hall[:2])["members"] == 2
    said = floorhub(site, "client", "set", hall[0], "--zone", "yard", "--metadata", "shelf=7", "--tag", "new")
    assert (said["zone"], said["metadata"], said["tags"]) == ("yard", {"shelf": "7"}, ["new"])
    assert floorhub(site, "client", "set-limits", "--group", "pair", "--per-day", "500000") == {"changed": 2}
    assert floorhub(site, "client", "limits", hall[0])["day"]["limit"] == 500_000

    preview = run(site, "batch", "send", "status", "--group", "pair", "--dry-run")
    assert "2 of 2 commands would be accepted" in preview.stdout
    assert floorhub(site, "batch", "send", "status", "--group", "pair", "--wait", "20")["counts"]["completed"] == 2

    file = tmp_path / "commands.json"
    file.write_text(json.dumps([{"client_id": client_id, "action": "status"} for client_id in (*hall[:2], hall[0])]))
    assert floorhub(site, "batch", "send-list", str(file), "--wait", "20")["counts"]["completed"] == 3

    # One whose commands wait: it is paused, shown, resumed, and cancelled.
    batch = floorhub(site, "batch", "send", "open-door", "--client", hall[2], "--max-failures", "0")
    assert floorhub(site, "batch", "pause", batch["id"])["status"] == "paused"
    assert floorhub(site, "batch", "resume", batch["id"])["status"] == "running"
    shown = run(site, "batch", "show", batch["id"], "--blocked-by", "offline")
    assert hall[2] in shown.stdout
    assert floorhub(site, "batch", "cancel", batch["id"])["counts"]["cancelled"] == 1
    assert floorhub(site, "batch", "list", "--status", "cancelled")[0]["id"] == batch["id"]

    nobody = run(site, "batch", "send", "status")
    assert (nobody.exit_code, "Say for whom" in nobody.stderr) == (2, True)
    failed = run(site, "batch", "send", "no-such-action", "--group", "pair", "--wait", "20")
    assert (failed.exit_code, "2 failed" in failed.stdout) == (1, True)
    assert floorhub(site, "group", "leave", "pair", hall[0])["members"] == 1
    assert [row["client_id"] for row in floorhub(site, "group", "show", "pair")] == [hall[1]]
    assert floorhub(site, "group", "remove", "pair")["id"] == "pair"

"""Policies of actions: what a command gets that its sender does not say, and keeps."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest

from schemas.topics import Channel
from tests.support.site import Site
from tests.support.speaker import Speaker
from tests.support.waiting import until

LABEL = {"max_retries": 7, "first_delay_s": 100, "factor": 3, "cap_s": 1000, "timeout_s": 20, "expires_in_s": 900}
BACK_OFF = {"first_delay_s": 100, "factor": 3, "cap_s": 1000}
WAYS = ({"Content-Type": "application/json"}, {"Content-Type": "application/json; way=long"})


@pytest.fixture
def label(site: Site) -> Iterator[str]:
    """An action with a policy."""
    answer = site.http.put("/api/actions/label/policy", json=LABEL)
    assert answer.status_code == 200, answer.text
    yield "label"
    assert site.http.delete("/api/actions/label/policy").json()["policy"] is None


def seconds(command: dict[str, Any], begin: str, end: str) -> float:
    return (datetime.fromisoformat(command[end]) - datetime.fromisoformat(command[begin])).total_seconds()


def got(command: dict[str, Any]) -> tuple[Any, ...]:
    return (
        command["max_retries"],
        command["timeout_s"],
        command["back_off"],
        seconds(command, "created_at", "expires_at"),
    )


def test_a_command_gets_its_action_s_values_by_every_way_and_keeps_them(site: Site, label: str) -> None:
    client = site.client()["id"]
    for headers in WAYS:
        answer = site.http.post("/api/commands", json={"client_id": client, "action": label}, headers=headers).json()
        assert got(answer) == (7, 20, BACK_OFF, 900)
        assert site.command(answer["id"]) == answer
    other = site.send(client, "open-door", {})
    assert got(other) == (3, 300, None, 3600)
    body = {"target": {"clients": [client]}, "command": {"action": label, "maxRetries": 2}}
    batch = site.http.post("/api/batches", json=body).json()
    [row] = site.http.get(f"/api/batches/{batch['id']}").json()["items"]
    assert got(site.command(row["command_id"])) == (2, 20, BACK_OFF, 900)

    site.http.put(f"/api/actions/{label}/policy", json={"timeout_s": 30})
    assert got(site.command(answer["id"])) == (7, 20, BACK_OFF, 900)
    assert got(site.send(client, label, {})) == (3, 30, None, 3600)


@pytest.mark.parametrize("most", [0, 1, 100])
def test_what_a_command_says_itself_wins(site: Site, label: str, most: int) -> None:
    fields = {"max_retries": most, "timeout_s": 5, "expires_in_s": 60, "back_off": {"firstDelayS": 2000}}
    command = site.send(site.client()["id"], label, {}, **fields)
    assert got(command) == (most, 5, {"first_delay_s": 2000, "factor": 3, "cap_s": 2000}, 60)


def fails(client: Speaker, command_id: str, attempt: int = 1) -> None:
    error = {"code": "broken", "message": "it broke", "retryable": True}
    client.say(Channel.REPORTS, client.reports(client.report(command_id, "failed", error=error, attempt=attempt)))


def test_the_back_off_is_the_one_that_was_stored(site: Site, label: str, speaker: Speaker) -> None:
    command = site.send(speaker.id, label, {}, expires_in_s=3600)
    site.wait_status(command["id"], "queued")
    site.http.delete(f"/api/actions/{label}/policy")
    fails(speaker, command["id"])
    waits = site.wait_status(command["id"], "pending")
    assert waits["attempt"] == 2
    [retry] = [
        entry
        for entry in site.http.get(f"/api/commands/{command['id']}/logs").json()["items"]
        if entry["event"] == "retry"
    ]
    assert 49 <= seconds({**retry, "due": waits["not_before"]}, "at", "due") <= 101
    explained = site.http.get(f"/api/commands/{command['id']}/explain").json()
    assert explained["cause"] == "retry_waits"
    site.http.post(f"/api/commands/{command['id']}/cancel")


@pytest.mark.parametrize("most", [0, 1])
def test_attempts_end_when_the_retries_are_used_up(site: Site, speaker: Speaker, most: int) -> None:
    quick = {"first_delay_s": 0.1, "factor": 1, "cap_s": 0.1}
    command = site.send(speaker.id, "open-door", {}, max_retries=most, back_off=quick)
    for attempt in range(1, most + 2):
        until(lambda number=attempt: handed_out(site, command["id"]) == number, f"attempt {attempt}")
        fails(speaker, command["id"], attempt)
    ended = site.wait_status(command["id"], "failed")
    assert (ended["attempt"], ended["dead_letter_reason"]) == (most + 1, "broken")


def handed_out(site: Site, command_id: str) -> int:
    command = site.command(command_id)
    return int(command["attempt"]) if command["status"] == "queued" else 0


def test_another_hub_goes_by_a_new_policy_within_5_s(site: Site, label: str) -> None:
    body = {"client_id": site.client()["id"], "action": label}
    two = site.add_hub("two", FLOORHUB_ROLES="api")
    until(lambda: site.answers("two"), "the second hub")
    with site.http_at("two") as http:

        def retries() -> int:
            return int(http.post("/api/commands", json=body).json()["max_retries"])

        assert retries() == 7  # known before its first answer
        site.http.put(f"/api/actions/{label}/policy", json={"max_retries": 9})
        until(lambda: retries() == 9, "the other hub knows", 5)
    two.stop()


def test_policies_are_listed_and_audited(site: Site, label: str, database: psycopg.Connection[Any]) -> None:
    items = {item["action"]: item for item in site.http.get("/api/actions").json()["items"]}
    assert items["print"]["built_in"]
    assert items["print"]["policy"] is None
    defaults = {"max_retries": 3, "first_delay_s": 1, "factor": 2, "cap_s": 32, "timeout_s": 300, "expires_in_s": 3600}
    assert items["print"]["effective"] == defaults
    assert (items[label]["built_in"], items[label]["policy"], items[label]["effective"]) == (False, LABEL, LABEL)
    found = database.execute(
        "SELECT detail FROM audit_logs WHERE action = 'action_policy.put' AND resource_id = %s ORDER BY id DESC",
        (label,),
    ).fetchone()
    assert found is not None
    assert found[0] == {**LABEL, "before": dict.fromkeys(LABEL), "after": LABEL}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"max_retries": 101}, "max_retries"),
        ({"factor": 0.5}, "factor"),
        ({"first_delay_s": 60, "cap_s": 30}, "cap_s"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"priority": 3}, "priority"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(site: Site, body: dict[str, Any], field: str) -> None:
    for language in ("en", "ko"):
        answer = site.http.put("/api/actions/label/policy", json=body, headers={"Accept-Language": language})
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "validation_error")
        assert [error["field"] for error in problem["errors"]] == [field]
        assert answer.headers["content-language"] == language

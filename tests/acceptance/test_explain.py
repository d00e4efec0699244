"""Each cause brought about on a living floor, and named within 2 s."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from schemas.topics import Channel
from tests.acceptance.floor import Floor, until
from tests.acceptance.speaker import Speaker


@pytest.fixture
def client(floor: Floor) -> Iterator[Speaker]:
    """A client of the test's own."""
    client = Speaker(floor)
    yield client
    client.close()


def named(floor: Floor, command_id: str, cause: str) -> dict[str, Any]:
    """The explanation, once it names this cause."""
    seen: list[str] = []

    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = floor.http.get(f"/api/commands/{command_id}/explain").json()
        seen.append(found["cause"])
        return found if found["cause"] == cause else None

    found = until(look, f"{cause} for {command_id}", 2.0)
    assert found["detail"]
    return found["details"]  # type: ignore[no-any-return]


def send(client: Speaker, **fields: Any) -> str:
    return str(client.floor.send(client.id, "display", {"display": 1}, **fields)["id"])


def says(client: Speaker, command_id: str, status: str, **fields: Any) -> None:
    client.say(Channel.REPORTS, client.reports(client.report(command_id, status, **fields)))


def test_a_client_that_never_came(floor: Floor) -> None:
    command = floor.send(floor.client()["id"], "status", {})
    named(floor, command["id"], "client_never_seen")


def test_the_way_of_one_command(floor: Floor, client: Speaker) -> None:
    scheduled = send(client, not_before="2099-01-01T00:00:00Z", expires_at="2099-01-01T01:00:00Z")
    assert named(floor, scheduled, "scheduled")["until"].startswith("2099-01-01T00:00:00")
    command = send(client)
    assert named(floor, command, "not_acknowledged")["sends"] == 1
    says(client, command, "accepted")
    named(floor, command, "waits_in_agent")
    says(client, command, "started")
    named(floor, command, "running")
    says(client, command, "held", progress={"reasons": ["media-empty"]})
    cause = named(floor, command, "held")
    assert cause["reasons"] == ["media-empty"]
    floor.http.post(f"/api/commands/{command}/cancel")
    named(floor, command, "cancel_asked")
    says(client, command, "completed")
    assert named(floor, command, "ended")["status"] == "completed"


def test_what_a_command_waits_behind(floor: Floor, client: Speaker) -> None:
    first = [send(client), send(client)]
    for command in first:
        named(floor, command, "not_acknowledged")
    third = send(client)
    assert named(floor, third, "lane_full")["command_ids"] == sorted(first)
    for lane in range(2, 16):
        floor.send(client.id, "display", {"display": lane})
    other = floor.send(client.id, "display", {"display": 99})["id"]
    assert named(floor, other, "client_full")["commands"] == 16


def test_an_order_key_and_its_dead_letter(floor: Floor, client: Speaker) -> None:
    first, second = (send(client, order_key="o-1", max_retries=0) for _ in range(2))
    assert named(floor, second, "order_key_waits")["command_id"] == first
    says(client, first, "failed", error={"code": "broken", "message": "it broke", "retryable": False})
    assert named(floor, second, "order_key_dead_letter")["command_id"] == first


def _reaches(floor: Floor, command_id: str, attempt: int) -> None:
    until(lambda: floor.command(command_id)["attempt"] == attempt, f"attempt {attempt}")


def test_a_retry_that_waits(floor: Floor, client: Speaker) -> None:
    command = send(client)
    named(floor, command, "not_acknowledged")
    for attempt in range(1, 4):  # The waits grow: by the third one it is longer than a look takes.
        floor.wait_status(command, "queued")
        failed = {"code": "broken", "message": "it broke", "retryable": True}
        says(client, command, "failed", error=failed, attempt=attempt)
        _reaches(floor, command, attempt + 1)
    assert named(floor, command, "retry_waits")["attempt"] == 4


def test_a_client_that_went_and_one_that_is_disabled(floor: Floor, client: Speaker) -> None:
    handed_out = send(client)
    named(floor, handed_out, "not_acknowledged")
    client.say(Channel.PRESENCE, client.message("offline", connection=1), retain=True)
    named(floor, handed_out, "client_offline")
    waiting = send(client)
    named(floor, waiting, "client_offline")
    answer = floor.http.post(f"/api/clients/{client.id}/disable")
    assert answer.status_code == 200, answer.text
    named(floor, waiting, "client_disabled")


def test_an_explanation_speaks_korean_and_knows_what_is_not_there(floor: Floor) -> None:
    command = floor.send(floor.client()["id"], "status", {})
    answer = floor.http.get(f"/api/commands/{command['id']}/explain", headers={"Accept-Language": "ko"})
    assert answer.headers["content-language"] == "ko"
    assert "접속" in answer.json()["detail"]
    gone = floor.http.get(f"/api/commands/{uuid4()}/explain")
    assert (gone.status_code, gone.json()["code"]) == (404, "command_not_found")

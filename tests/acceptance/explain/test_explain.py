"""Each cause brought about on a living site, and named within 2 s."""

import os
import signal
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from schemas.topics import Channel
from tests.support.http_speaker import HttpSpeaker
from tests.support.site import Site
from tests.support.speaker import Speaker, logged
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("stops the broker")

TOLD_WITHIN_S = 2.0
LATER = {"not_before": "2099-01-01T00:00:00Z", "expires_at": "2099-01-01T01:00:00Z"}


@pytest.fixture
def client(site: Site) -> Iterator[Speaker]:
    """A client of the test's own."""
    client = Speaker(site)
    yield client
    client.close()


def explained(site: Site, command_id: str, *, hub: str = "one") -> dict[str, Any]:
    found: dict[str, Any] = site.http.get(f"{site.hub_url(hub)}/api/commands/{command_id}/explain").json()
    return found


def named(site: Site, command_id: str, cause: str, *, hub: str = "one", within_s: float = TOLD_WITHIN_S) -> Any:
    """The details, once this cause is named."""

    def look() -> dict[str, Any] | None:
        found = explained(site, command_id, hub=hub)
        return found if found["cause"] == cause else None

    found = until(look, f"{cause} for {command_id}", within_s)
    assert found["detail"]
    assert not {"-", "-.", "(-)"} & set(found["detail"].split()), found["detail"]
    return found["details"]


def send(client: Speaker, **fields: Any) -> str:
    return str(client.site.send(client.id, "display", {"display": 1}, **fields)["id"])


def handed_out(client: Speaker, **fields: Any) -> str:
    command_id = send(client, **fields)
    client.site.wait_status(command_id, "queued")
    return command_id


def says(client: Speaker, command_id: str, status: str, **fields: Any) -> None:
    client.say(Channel.REPORTS, client.reports(client.report(command_id, status, **fields)))


# --- fifteen reasons for which a command stands still ----------------------------------------------------------


def never_seen(site: Site, _: Speaker) -> str:
    return str(site.send(site.client()["id"], "status", {})["id"])


def scheduled(_: Site, client: Speaker) -> str:
    return send(client, **LATER)


def batch(site: Site, clients: list[str], **fields: Any) -> dict[str, Any]:
    body = {"target": {"clients": clients}, "command": {"action": "status"}, **fields}
    answer = site.http.post("/api/batches", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = site.http.get(f"/api/batches/{answer.json()['id']}").json()
    return made


def rollout(site: Site, client: Speaker) -> str:
    made = batch(site, [site.client()["id"], client.id], rollout={"per_minute": 1})
    return next(row["command_id"] for row in made["items"] if row["client_id"] == client.id)


def paused(site: Site, client: Speaker) -> str:
    made = batch(site, [site.client()["id"], client.id], rollout={"per_minute": 1})
    assert site.http.post(f"/api/batches/{made['id']}/pause").status_code == 200
    return next(row["command_id"] for row in made["items"] if row["client_id"] == client.id)


def offline(_: Site, client: Speaker) -> str:
    client.say(Channel.PRESENCE, client.message("offline", connection=1), retain=True)
    return send(client)


def disabled(site: Site, client: Speaker) -> str:
    says(client, handed_out(client), "accepted")
    says(client, handed_out(client), "accepted")
    command = send(client)
    assert site.http.post(f"/api/clients/{client.id}/disable").status_code == 200
    return command


def lane_full(_: Site, client: Speaker) -> str:
    handed_out(client), handed_out(client)
    return send(client)


def client_full(site: Site, client: Speaker) -> str:
    for lane in range(16):
        site.send(client.id, "display", {"display": lane})
    return str(site.send(client.id, "display", {"display": 99})["id"])


def order_key(_: Site, client: Speaker) -> str:
    handed_out(client, order_key="o-1")
    return send(client, order_key="o-1")


def order_key_dead_letter(_: Site, client: Speaker) -> str:
    first = handed_out(client, order_key="o-1", max_retries=0)
    says(client, first, "failed", error={"code": "broken", "message": "it broke", "retryable": False})
    return send(client, order_key="o-1")


def retry(site: Site, client: Speaker) -> str:
    command = send(client)
    for attempt in range(1, 4):  # The waits grow: by the third one it is longer than a look takes.
        site.wait_status(command, "queued")
        error = {"code": "broken", "message": "it broke", "retryable": True}
        says(client, command, "failed", error=error, attempt=attempt)
        until(lambda so_far=attempt: site.command(command)["attempt"] == so_far + 1, "the next attempt")
    return command


def silent(_: Site, client: Speaker) -> str:
    return send(client)


def in_its_journal(_: Site, client: Speaker) -> str:
    command = handed_out(client)
    says(client, command, "accepted")
    return command


def no_paper(site: Site, _: Speaker) -> str:
    """A real printer, which waits for paper, and says so."""
    client = site.client()
    site.agent(client)
    site.fill_tray(0)
    command = site.print_page(client["id"])
    until(lambda: site.command(command["id"])["started_at"], "the printer has the job")
    return str(command["id"])


def http_client_that_does_not_fetch(site: Site, _: Speaker) -> str:
    speaker = HttpSpeaker(site)
    assert speaker.ping().status_code == 200
    command = site.send(speaker.id, "display", {"display": 1})["id"]
    speaker.close()
    return str(command)


INJECTED: list[tuple[Callable[[Site, Speaker], str], str, str | None]] = [
    (never_seen, "client_never_seen", None),
    (scheduled, "scheduled", "until"),
    (rollout, "rollout", "per_minute"),
    (paused, "batch_paused", "batch_id"),
    (offline, "client_offline", "since"),
    (disabled, "client_disabled", "client_status"),
    (lane_full, "lane_full", "command_ids"),
    (client_full, "client_full", "commands"),
    (order_key, "order_key_waits", "command_id"),
    (order_key_dead_letter, "order_key_dead_letter", "command_id"),
    (retry, "retry_waits", "error"),
    (silent, "not_acknowledged", "sends"),
    (in_its_journal, "waits_in_agent", "since"),
    (no_paper, "held", "reasons"),
    (http_client_that_does_not_fetch, "not_fetched", "sends"),
]


def test_of_15_injected_causes_of_delay_15_are_named_within_2_s(site: Site) -> None:
    told: dict[str, str] = {}
    for inject, cause, fact in INJECTED:
        client = Speaker(site)
        try:
            command_id = inject(site, client)
            details = named(site, command_id, cause)
            assert fact is None or details[fact]
            told[inject.__name__] = cause
        except AssertionError as problem:
            told[inject.__name__] = f"not {cause}: {problem}"
        finally:
            client.close()
            site.fill_tray(250)
    right = sum(told[inject.__name__] == cause for inject, cause, _ in INJECTED)
    assert f"{right} of {len(INJECTED)}" == "15 of 15", told


# --- what else is told -----------------------------------------------------------------------------------------


def test_the_way_of_one_command(site: Site, client: Speaker) -> None:
    command = send(client)
    assert named(site, command, "not_acknowledged")["sends"] == 1
    says(client, command, "accepted")
    named(site, command, "waits_in_agent")
    says(client, command, "started")
    named(site, command, "running")
    says(client, command, "held", progress={"reasons": ["media-empty"]})
    assert named(site, command, "held")["reasons"] == ["media-empty"]
    site.http.post(f"/api/commands/{command}/cancel")
    named(site, command, "cancel_asked")
    unfinished = explained(site, command)["timeline"]
    says(client, command, "completed")
    assert named(site, command, "ended") == {"status": "completed", "reason": None}
    assert explained(site, command)["detail"] == "It has ended: completed. The timeline shows each step."
    way = explained(site, command)["timeline"]
    assert [hop["event"] for hop in way] == [
        *("created", "queued", "sent", "accepted", "started", "held", "cancel_requested", "completed"),
    ]
    assert way[:-1] == unfinished
    assert way[0]["after_ms"] == 0
    assert all(one["at"] <= other["at"] and other["after_ms"] >= 0 for one, other in pairwise(way))
    assert way[5]["detail"] == {"held_reasons": ["media-empty"]}


def test_what_was_handed_out_to_a_client_that_went(site: Site, client: Speaker) -> None:
    command = handed_out(client)
    client.say(Channel.PRESENCE, client.message("offline", connection=1), retain=True)
    named(site, command, "client_offline")


def test_a_command_whose_journal_is_lost_has_ended_for_that_reason(site: Site, client: Speaker) -> None:
    command = handed_out(client)
    client.say(Channel.PRESENCE, {**client.birth(), "session": "session-2"}, retain=True)
    details = named(site, command, "ended")
    assert (details["status"], details["reason"]) == ("unknown", "session_lost")
    assert "can no longer say" in details["message"]
    assert "floorhub command decide" in details["what_to_do"]["en"]


def test_an_explanation_speaks_korean_and_knows_what_is_not_there(site: Site) -> None:
    command = site.send(site.client()["id"], "status", {})
    answer = site.http.get(f"/api/commands/{command['id']}/explain", headers={"Accept-Language": "ko"})
    assert answer.headers["content-language"] == "ko"
    assert "접속" in answer.json()["detail"]
    gone = site.http.get(f"/api/commands/{uuid4()}/explain")
    assert (gone.status_code, gone.json()["code"]) == (404, "command_not_found")


def test_the_log_names_what_kept_a_command_that_expired(site: Site) -> None:
    client = site.client()
    start = site.hub.log.stat().st_size
    command = site.send(client["id"], "status", {}, expires_in_s=0.2)
    site.wait_status(command["id"], "expired")
    lines = until(lambda: logged(site, start, "command.overdue", client["id"]), "the log's line")
    assert [(line["command_id"], line["cause"]) for line in lines] == [(command["id"], "client_never_seen")]


# --- the broker, and several hubs ------------------------------------------------------------------------------


def test_only_when_no_hub_is_at_the_broker_is_that_the_cause(site: Site, client: Speaker) -> None:
    broker = site.stack.broker
    assert broker is not None
    # One hub that never reaches the broker, and one that has no part in it.
    deaf = site.add_hub("deaf", FLOORHUB_MQTT_URL="mqtt://127.0.0.1:1")
    clerk = site.add_hub("clerk", FLOORHUB_ROLES="api")
    for hub in ("deaf", "clerk"):
        until(lambda name=hub: site.answers(name), f"hub {hub}")  # type: ignore[misc]
    accepted, waiting = handed_out(client), send(client)
    says(client, accepted, "accepted")
    over_http = http_client_that_does_not_fetch(site, client)
    for hub in ("one", "deaf", "clerk"):
        named(site, waiting, "not_acknowledged", hub=hub, within_s=6)  # they have heard of each other

    pid = broker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        unsent = site.send(client.id, "display", {"display": 2})["id"]
        named(site, unsent, "not_at_broker")
        until(lambda: not site.is_ready(), "the hub notices that the broker is silent")
        for hub in ("one", "deaf", "clerk"):
            named(site, unsent, "broker_not_connected", hub=hub)
            named(site, over_http, "not_fetched", hub=hub)
    finally:
        os.kill(pid, signal.SIGCONT)
        deaf.stop()
        clerk.stop()
    site.wait_ready()

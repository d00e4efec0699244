"""Clients without MQTT: the same guarantees over a stream and over polls."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.topics import Channel
from tests.support.http_speaker import HttpSpeaker
from tests.support.paths import ROOT
from tests.support.site import Site
from tests.support.speaker import Speaker
from tests.support.waiting import until

pytestmark = pytest.mark.own_site("kills the hub, and restarts the broker")

EXAMPLE = ROOT / "docs" / "examples" / "python" / "http_client.py"


@pytest.fixture
def pda(site: Site) -> Iterator[HttpSpeaker]:
    pda = HttpSpeaker(site)
    yield pda
    pda.close()


def ends(site: Site, command_id: str) -> list[str]:
    return [event for event in site.events(command_id) if event in ("completed", "failed", "unknown", "cancelled")]


def test_a_run_over_the_stream_ends_completed(site: Site, pda: HttpSpeaker) -> None:
    stream = pda.stream()
    assert pda.presence() == ("online", "birth")
    command = site.send(pda.id, "open-door", {"door": 3}, on_interrupt="unknown")

    run = stream.wait_for(command["id"])
    assert (run["kind"], run["payload"], run["attempt"]) == ("run", {"door": 3}, 1)
    assert pda.report(run, "status", status="accepted").status_code == 200
    assert pda.report(run, "status", status="started").status_code == 200
    assert pda.report(run, "status", status="progress", progress={"percent": 50}).status_code == 200
    assert site.command(command["id"])["status"] == "running"
    receipt = pda.report(run, "result", data={"opened": True}, message="done", duration_s=0.2)

    assert receipt.json()["kind"] == "receipt"
    ended = site.command(command["id"])
    assert (ended["status"], ended["result"]["data"]) == ("completed", {"opened": True})
    assert [kind for kind, _, _ in stream.events] == ["run"]
    assert stream.events[0][1] == f"{command['id']}.1"
    stream.cut()
    until(lambda: pda.presence() == ("offline", "connection_lost"), "offline")


def test_a_run_over_polls_ends_completed(site: Site, pda: HttpSpeaker) -> None:
    assert pda.poll() == []
    assert pda.presence()[0] == "online"
    command = site.send(pda.id, "open-door", {})

    [run] = pda.poll(wait=20)
    assert pda.report(run, "result").status_code == 200

    assert run["command_id"] == command["id"]
    assert site.command(command["id"])["status"] == "completed"
    assert pda.poll() == []


def test_what_gets_no_report_comes_again_by_its_lease(site: Site, pda: HttpSpeaker) -> None:
    pda.poll()
    command = site.send(pda.id, "open-door", {})
    [first] = pda.poll(wait=20)
    assert pda.poll() == []

    [again] = pda.poll(wait=20)

    assert (again["command_id"], again["attempt"]) == (first["command_id"], 1) == (command["id"], 1)
    assert pda.report(again, "result").status_code == 200


def test_a_report_is_applied_once_however_often_it_is_said(site: Site, pda: HttpSpeaker) -> None:
    pda.poll()
    command = site.send(pda.id, "open-door", {}, max_retries=3)
    [run] = pda.poll(wait=20)
    said = {"report_id": str(uuid4()), "code": "door_stuck", "retryable": True}

    answers = [pda.report(run, "error", **said) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json()["report_ids"] == [said["report_id"]] for answer in answers)
    assert site.events(command["id"]).count("retry") == 1
    [second] = until(lambda: pda.poll(wait=5), "the next attempt")
    assert second["attempt"] == 2
    assert pda.report(second, "result").status_code == 200
    # A late word about an attempt that is over is taken, and changes nothing.
    assert pda.report(run, "error", code="late").status_code == 200
    assert site.command(command["id"])["status"] == "completed"


def test_the_hub_killed_between_run_and_result_completes_it_once(site: Site, pda: HttpSpeaker) -> None:
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {})
    run = stream.wait_for(command["id"])
    assert pda.report(run, "status", status="started").status_code == 200

    site.hub.kill()
    assert stream.ended.wait(10)
    site.hub.start()
    site.wait_ready()
    result = {"report_id": str(uuid4())}
    # The same session comes back: what it holds is offered again, and it answers with what it did.
    back = pda.stream()
    again = back.wait_for(command["id"])
    assert pda.report(again, "result", **result).status_code == 200
    assert pda.report(run, "result", **result).status_code == 200

    assert site.command(command["id"])["status"] == "completed"
    assert ends(site, command["id"]) == ["completed"]
    back.cut()


def test_a_stream_that_was_cut_is_sent_again_what_it_held(site: Site, pda: HttpSpeaker) -> None:
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {})
    run = stream.wait_for(command["id"])
    assert pda.report(run, "status", status="accepted").status_code == 200
    stream.cut()

    back = pda.stream()
    again = back.wait_for(command["id"])

    assert again["attempt"] == 1
    assert pda.report(again, "result").status_code == 200
    assert ends(site, command["id"]) == ["completed"]
    assert site.events(command["id"]).count("queued") == 1
    back.cut()


def test_a_new_session_does_not_know_what_the_earlier_one_did(site: Site, pda: HttpSpeaker) -> None:
    pda.poll()
    lost = site.send(pda.id, "open-door", {})
    rerun = site.send(pda.id, "open-door", {}, on_interrupt="rerun")
    held = {run["command_id"] for run in until(lambda: pda.poll(wait=5), "both")} | {
        run["command_id"] for run in pda.poll()
    }
    until(lambda: held.update(run["command_id"] for run in pda.poll()) or len(held) == 2, "both runs")

    before, pda.session = pda.session, "second"
    [offered] = pda.poll(wait=20)

    assert offered["command_id"] == rerun["id"]
    ended = site.command(lost["id"])
    assert (ended["status"], ended["error"]["code"]) == ("unknown", "session_lost")
    assert pda.report(offered, "result").status_code == 200
    # The earlier session is over, for polls and streams; a late report of it still counts.
    pda.session = before
    assert pda.ping().json()["code"] == "session_over"
    refused = pda.stream().response
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    assert pda.report({"command_id": lost["id"]}, "result").status_code == 200
    assert site.command(lost["id"])["status"] == "completed"
    assert pda.presence()[0] == "online"


def test_a_cancel_comes_by_the_stream(site: Site, pda: HttpSpeaker) -> None:
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {})
    run = stream.wait_for(command["id"])

    site.http.post(f"/api/commands/{command['id']}/cancel")

    assert stream.wait_for(command["id"], "cancel")["kind"] == "cancel"
    assert pda.report(run, "result", status="cancelled").status_code == 200
    ended = site.command(command["id"])
    assert (ended["status"], ended["dead_letter_reason"]) == ("cancelled", None)
    stream.cut()


def test_a_cancel_that_nobody_asked_for_is_a_dead_letter(site: Site, pda: HttpSpeaker) -> None:
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {})
    run = stream.wait_for(command["id"])

    assert pda.report(run, "result", status="cancelled").status_code == 200

    ended = site.command(command["id"])
    assert (ended["status"], ended["dead_letter_reason"]) == ("cancelled", "cancel_not_requested")
    stream.cut()


def test_a_newer_stream_takes_over(site: Site, pda: HttpSpeaker) -> None:
    first = pda.stream()

    second = pda.stream()

    assert first.ended.wait(10)
    assert first.comments[-1] == "taken_over"
    command = site.send(pda.id, "open-door", {})
    run = second.wait_for(command["id"])
    assert pda.report(run, "result").status_code == 200
    assert pda.presence() == ("online", "birth")
    second.cut()


@pytest.mark.parametrize("kept", ["birth", "offline"])
def test_what_the_broker_keeps_of_mqtt_does_not_touch_a_client_that_went_over_to_a_stream(
    site: Site, kept: str
) -> None:
    speaker = Speaker(site)
    pda = HttpSpeaker(site, speaker.registered)
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {})
    run = stream.wait_for(command["id"])
    if kept == "offline":
        assert speaker.say(Channel.PRESENCE, speaker.message("offline", connection=1), retain=True) == 0
    speaker.close()

    # The broker gives the hub what it kept, as it does at each connection.
    broker = site.stack.broker
    assert broker is not None
    broker.stop()
    broker.start()
    site.wait_ready()
    Speaker(site).close()  # born after that, and heard after it

    assert not stream.ended.is_set()
    assert pda.report(run, "result").status_code == 200
    assert ends(site, command["id"]) == ["completed"]
    reasons = [item["reason"] for item in site.http.get(f"/api/clients/{pda.id}/history").json()["items"]]
    assert reasons == ["birth", "birth"]
    pda.close()


def test_a_stream_of_another_hub_gets_what_the_first_one_claimed(site: Site) -> None:
    second = site.add_hub("two", FLOORHUB_ROLES="api")
    site.wait_ready("two", second)
    pda = HttpSpeaker(site, hub="two")
    stream = pda.stream()
    command = site.send(pda.id, "open-door", {})

    run = stream.wait_for(command["id"])
    assert pda.report(run, "result").status_code == 200

    assert site.command(command["id"])["status"] == "completed"
    # A hub that stops ends its streams at once, and says nothing of the client's presence.
    assert second.stop() == 0
    assert stream.ended.wait(5)
    assert stream.comments[-1] == "stopping"
    assert pda.presence()[0] == "online"
    pda.close()


@pytest.mark.parametrize(("change", "answer"), [("disable", 403), ("secret", 401), ("retire", 401)])
def test_a_change_of_the_client_ends_its_stream(site: Site, pda: HttpSpeaker, change: str, answer: int) -> None:
    stream = pda.stream()

    if change == "retire":
        site.http.delete(f"/api/clients/{pda.id}")
    else:
        site.http.post(f"/api/clients/{pda.id}/{change}")

    assert stream.ended.wait(10)
    assert pda.presence()[0] == "offline"
    assert pda.ping().status_code == answer


def test_another_client_s_secret_opens_nothing(site: Site, pda: HttpSpeaker) -> None:
    pda.poll()
    command = site.send(pda.id, "open-door", {})
    [run] = pda.poll(wait=20)
    thief = HttpSpeaker(site)
    params = {"session": "x"}

    for answer in (
        thief.http.get(f"/api/events/{pda.id}", params=params),
        thief.http.get(f"/api/clients/{pda.id}/commands", params=params),
        thief.http.post(f"/api/clients/{pda.id}/ping", json=params),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "not_your_client")
    version = site.command(command["id"])["version"]
    foreign = [
        thief.report(run, "result"),
        thief.report(run, "error", code="x"),
        thief.report(run, "status", status="started"),
    ]
    nothing = thief.report({"command_id": str(uuid4())}, "result")
    assert {(answer.status_code, answer.json()["code"]) for answer in (*foreign, nothing)} == {
        (404, "command_not_found")
    }
    assert site.command(command["id"])["version"] == version
    assert thief.http.get(f"/api/events/{pda.id}", params=params, auth=(pda.id, "wrong")).status_code == 401
    assert site.http.get(f"/api/events/{pda.id}", params=params).status_code == 401
    thief.close()


DEEP: dict[str, Any] = {}
for _ in range(300):
    DEEP = {"deeper": DEEP}
WRONG = [
    ("status", {"status": "progress", "progress": DEEP}, "body"),
    ("status", {"status": "completed"}, "status"),
    ("status", {"status": "started", "attempt": 0}, "attempt"),
    ("status", {"status": "started", "report_id": "x"}, "report_id"),
    ("status", {"status": "started", "session": "a b"}, "session"),
    ("status", {"status": "progress", "progress": {"x": "\0"}}, "progress.x"),
    ("result", {"status": "failed"}, "status"),
    ("result", {"data": {"n": 2**70}}, "data.n"),
    ("result", {"message": "\0"}, "message"),
    ("result", {"duration_s": -1}, "duration_s"),
    ("error", {"code": "Not A Code"}, "code"),
    ("error", {}, "code"),
    ("error", {"code": "x", "stack": "..."}, "stack"),
]


@pytest.mark.parametrize(("what", "body", "field"), WRONG)
def test_a_wrong_report_is_refused_by_the_name_of_its_field(
    site: Site, pda: HttpSpeaker, what: str, body: dict[str, Any], field: str
) -> None:
    for language, part in (("en", "fields"), ("ko", "필드")):
        pda.http.headers["Accept-Language"] = language
        answer = pda.report({"command_id": str(uuid4())}, what, **body)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), answer.text
        assert part in answer.json()["detail"]
        assert [item["field"] for item in answer.json()["errors"]] == [field]


def test_a_report_that_would_not_fit_into_a_message_is_refused(site: Site, pda: HttpSpeaker) -> None:
    answer = pda.report({"command_id": str(uuid4())}, "result", data={"text": "x" * 70_000})
    assert (answer.status_code, answer.json()["code"]) == (422, "payload_too_large")


def test_a_client_of_mqtt_may_report_over_http_too(site: Site, speaker: Speaker) -> None:
    command = speaker.command()
    pda = HttpSpeaker(site, speaker.registered)

    assert pda.report({"command_id": command}, "result").status_code == 200

    assert site.command(command)["status"] == "completed"
    assert pda.presence()[0] == "online"
    pda.close()


def test_the_example_prints_and_lives_through_a_killed_hub(site: Site, tmp_path: Path) -> None:
    client = site.client()
    argv = [sys.executable, str(EXAMPLE), client["id"], client["secret"], site.url, str(tmp_path / "printed")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        site.wait_online(client["id"])
        assert site.send(client["id"], "status", {}, wait=30)["status"] == "completed"
        site.hub.kill()
        site.hub.start()
        site.wait_ready()

        printed = site.print_page(client["id"], wait=30)

        assert printed["status"] == "completed", printed
        assert [file.name for file in (tmp_path / "printed").iterdir()] == [f"{printed['id']}-1"]
    finally:
        process.terminate()
        assert process.wait(10) == 0, (tmp_path / "log").read_text()
    until(lambda: site.http.get(f"/api/clients/{client['id']}").json()["presence"] == "offline", "offline")

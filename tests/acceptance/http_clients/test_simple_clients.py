"""The design documents' own programs run unchanged: they know a client's key, and nothing of sessions and attempts."""

import socket
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.support import plain_http
from tests.support.http_speaker import HttpSpeaker
from tests.support.simple_programs import PROGRAMS, First, Ledger, Program, Second, Third
from tests.support.site import Site
from tests.support.waiting import until

Start = Callable[..., Program]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def start(site: Site, ledger: Ledger) -> Iterator[Start]:
    """Start a program, for a new client unless one is given."""
    running: list[Program] = []

    def begin(kind: type[Program] = Second, client: dict[str, Any] | None = None) -> Program:
        running.append(kind(site.url, client or site.client(), ledger))
        return running[-1]

    yield begin
    for program in running:
        program.close()


def bearer(site: Site, client: dict[str, Any]) -> httpx.Client:
    return plain_http.client(site.url, headers={"Authorization": f"Bearer {client['secret']}"})


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def lose_the_answer(site: Site, program: Program, path: str, body: bytes, applied: Callable[[], bool]) -> None:
    """Send a report and hang up before its answer is read."""
    host, _, port = site.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: {program.http.headers['authorization']}\r\n"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(f"{head}{kind}".encode() + body)
        until(applied, f"the report to {path}")


@pytest.mark.parametrize("kind", PROGRAMS, ids=lambda kind: kind.__name__)
def test_a_program_of_the_documents_carries_out_fifty_commands_once_each(
    site: Site, start: Start, ledger: Ledger, kind: type[Program]
) -> None:
    client = site.client()
    program = start(kind, client)
    program.repeats = True
    first = [site.send(client["id"], "open-door", {"door": door})["id"] for door in range(24)]
    failing = site.send(client["id"], "open-door", {"fails": True})["id"]
    for command_id in first:
        site.wait_status(command_id, "completed")
    failed = site.wait_status(failing, "failed")
    assert failed["error"] == {"code": "reported_error", "message": "no paper", "retryable": False}
    assert site.events(first[0]).count("completed") == 1

    # It dies between its effect and its word of it, and starts again.
    crashed = site.send(client["id"], "open-door", {"crash": True})["id"]
    assert program.ended.wait(10)
    second = start(kind, client)
    assert site.wait_status(crashed, "unknown")["error"]["code"] == "session_lost"
    rest = [site.send(client["id"], "open-door", {"door": door})["id"] for door in range(24)]
    for command_id in rest:
        site.wait_status(command_id, "completed")

    assert sorted(ledger) == sorted([*first, failing, crashed, *rest])
    assert {command["id"] for _, command in second.events} == set(rest)
    assert {*program.answers, *second.answers} <= {200}
    assert {name for name, _ in (*program.events, *second.events)} == {"command"}
    # What it did before it died may be told after all.
    with bearer(site, client) as late:
        assert late.post(f"/api/commands/{crashed}/result", json={"success": True}).status_code == 200
    ended = site.command(crashed)
    assert (ended["status"], ended["dead_letter_closed_by"]) == ("completed", "late_answer")


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [(First, {"jobId": 1}, "submitted"), (Second, {"jobId": 1}, "submitted"), (Third, {}, "")],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_program_tells_is_the_command_s_result(
    site: Site, start: Start, kind: type[Program], data: dict[str, Any], message: str
) -> None:
    program = start(kind)
    done = site.send(program.id, "open-door", {}, wait=10)
    broken = site.send(program.id, "open-door", {"fails": True}, wait=10)

    assert (done["status"], done["result"]["data"], done["result"]["message"]) == ("completed", data, message)
    assert done["result"]["duration_s"] == (0.25 if kind is First else None)
    assert (broken["status"], broken["error"]["message"]) == ("failed", "no paper")
    stack = {} if kind is Third else {"stack": "Error: no paper\n  at run"}
    assert broken["result"]["data"] == stack
    assert broken["dead_letter_reason"] == "reported_error"


def test_a_lost_answer_and_a_lease_that_runs_out_repeat_nothing(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)
    command = site.send(program.id, "open-door", {})
    ledger.wait_for(command["id"])

    # Nothing was told yet: dispatch means it again, and the stream does not.
    def sent() -> int:
        explained = site.http.get(f"/api/commands/{command['id']}/explain").json()
        return int(explained["details"].get("sends", 0))

    until(lambda: sent() >= 2, "a second lease")
    path = f"/api/commands/{command['id']}/result"
    body = b'{"success": true, "data": {"door": 1}}'
    lose_the_answer(site, program, path, body, lambda: bool(site.command(command["id"])["status"] == "completed"))
    again = program.http.post(path, json={"success": True, "data": {"door": 1}})

    assert again.status_code == 200
    assert [item["id"] for _, item in program.events] == list(ledger) == [command["id"]]
    assert [event for event in site.events(command["id"]) if event == "completed"] == ["completed"]
    assert site.command(command["id"])["result"]["data"] == {"door": 1}


class Watcher(Second):
    """It does what it is told, and tells nothing."""

    def starts(self, command: dict[str, Any]) -> None:
        """Nothing."""

    def succeeds(self, command: dict[str, Any], _result: Any) -> None:
        """Nothing."""


def test_a_report_that_does_not_fit_gets_409_and_changes_nothing(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)
    waiting = site.send(
        program.id, "open-door", {}, not_before="2099-01-01T00:00:00Z", expires_at="2099-02-01T00:00:00Z"
    )
    command = site.send(program.id, "open-door", {})
    ledger.wait_for(command["id"])
    path = f"/api/commands/{command['id']}"
    http = program.http

    assert http.post(f"{path}/result", json={"success": True, "data": {"n": 1}}).status_code == 200
    version = site.command(command["id"])["version"]
    for method, what, body in (
        ("POST", "error", {"message": "after all"}),
        ("POST", "result", {"success": False}),
        ("PUT", "status", {"status": "failed"}),
        ("PUT", "status", {"status": "running"}),
    ):
        answer = http.request(method, f"{path}/{what}", json=body)
        assert told(answer) == (409, "report_not_used"), body
        assert "completed" in answer.json()["detail"]
    korean = http.post(f"{path}/error", json={}, headers={"Accept-Language": "ko"}).json()["detail"]
    assert "반영되지" in korean
    for method, what, body in (("PUT", "status", {"status": "completed"}), ("POST", "result", {"success": True})):
        assert http.request(method, f"{path}/{what}", json=body).status_code == 200
    assert site.command(command["id"])["version"] == version

    not_yet = http.put(f"/api/commands/{waiting['id']}/status", json={"status": "running"})
    assert told(not_yet) == (409, "report_not_used")
    site.http.post(f"/api/commands/{waiting['id']}/cancel")
    assert told(http.put(f"/api/commands/{waiting['id']}/status", json={"status": "running"})) == (
        409,
        "report_not_used",
    )
    assert site.command(waiting["id"])["status"] == "cancelled"


def test_json_that_is_sent_as_text_is_taken_with_a_bearer_key_only(site: Site) -> None:
    client = site.client()
    path, text = f"{site.url}/api/clients/{client['id']}/ping", {"Content-Type": "text/plain;charset=UTF-8"}
    by_key = {"Authorization": f"Bearer {client['secret']}"}
    assert plain_http.request("POST", path, content=b"{}", headers={**text, **by_key}).status_code == 200
    basic = (client["id"], client["secret"])
    assert told(plain_http.request("POST", path, content=b"{}", headers=text, auth=basic))[0] == 415
    form = {"Content-Type": "application/x-www-form-urlencoded", **by_key}
    assert told(plain_http.request("POST", path, content=b"{}", headers=form))[0] == 415
    assert told(plain_http.request("POST", path, content=b"{", headers={**text, **by_key})) == (400, "bad_json")


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_a_report_that_gives_a_name_twice_changes_nothing(site: Site, kind: str) -> None:
    client = site.client()
    command = site.send(client["id"], "open-door", {})
    headers = {"Content-Type": kind, "Authorization": f"Bearer {client['secret']}"}
    for method, path, content, field in (
        ("POST", f"/api/clients/{client['id']}/ping", b'{"timestamp": 1, "timestamp": 2}', "timestamp"),
        ("PUT", f"/api/commands/{command['id']}/status", b'{"status": "failed", "status": "completed"}', "status"),
        ("POST", f"/api/commands/{command['id']}/result", b'{"success": true, "data": {"n": 1, "n": 2}}', "data.n"),
        ("POST", f"/api/commands/{command['id']}/error", b'{"message": "a", "message": "b"}', "message"),
    ):
        answer = plain_http.request(method, site.url + path, content=content, headers=headers)
        assert told(answer) == (422, "validation_error")
        [error] = answer.json()["errors"]
        assert (error["field"], error["code"]) == (field, "repeated")
    assert site.command(command["id"])["version"] == command["version"]


@pytest.mark.parametrize("end", ["completed", "failed"])
def test_what_came_out_may_be_told_after_the_end(site: Site, start: Start, ledger: Ledger, end: str) -> None:
    program = start(Watcher)
    command = site.send(program.id, "open-door", {})
    ledger.wait_for(command["id"])
    path = f"/api/commands/{command['id']}"
    program.http.put(f"{path}/status", json={"status": end})

    for number in (1, 2, 1):
        body = {"success": end == "completed", "data": {"n": number}, "message": "out"}
        assert program.http.post(f"{path}/result", json=body).status_code == 200

    ended = site.command(command["id"])
    assert (ended["status"], ended["result"]["data"], ended["result"]["message"]) == (end, {"n": 1}, "out")
    assert site.events(command["id"])[-2:] == [end, "evidence"]
    assert len(site.events(command["id"])) == ended["version"]


def test_a_late_report_of_an_older_attempt_does_not_end_the_newer_one(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)
    command = site.send(program.id, "open-door", {}, back_off={"first_delay_s": 0.1})
    ledger.wait_for(command["id"])
    failure = {"message": "the door is busy", "code": "busy_door", "retryable": True}
    path = f"/api/commands/{command['id']}"

    assert program.http.post(f"{path}/error", json=failure).status_code == 200
    ledger.wait_for(f"{command['id']}.2")
    assert program.http.put(f"{path}.2/status", json={"status": "running"}).status_code == 200
    assert program.http.post(f"{path}/error", json=failure).status_code == 200, "the same report again"
    assert told(program.http.post(f"{path}/result", json={"success": True})) == (409, "report_not_used")
    assert site.command(command["id"])["status"] == "running"
    assert told(program.http.post(f"{path}.3/result", json={"success": True})) == (409, "report_not_used")
    assert program.http.post(f"{path}.2/result", json={"success": True}).status_code == 200

    ended = site.command(command["id"])
    assert (ended["status"], ended["attempt"]) == ("completed", 2)
    assert [item["attempt"] for _, item in program.events] == [1, 2]


def test_a_cancel_is_no_command_and_what_was_cancelled_does_not_come(site: Site, start: Start, ledger: Ledger) -> None:
    client = site.client()
    program = start(Watcher, client)
    running = site.send(client["id"], "open-door", {}, on_interrupt="rerun")
    ledger.wait_for(running["id"])
    site.http.post(f"/api/commands/{running['id']}/cancel")

    again = start(Watcher, client)  # takes the stream over, and is offered what may run twice
    after = site.send(client["id"], "open-door", {})
    ledger.wait_for(after["id"])

    assert program.ended.wait(10)
    assert [item["id"] for _, item in (*program.events, *again.events)] == [running["id"], after["id"]]
    assert again.http.post(f"/api/commands/{running['id']}/error", json={"message": "x"}).status_code == 200
    assert site.command(running["id"])["status"] == "failed"


def test_a_command_that_became_unknown_is_not_carried_out_again(
    site: Site, start: Start, ledger: Ledger, database: psycopg.Connection[Any]
) -> None:
    client = site.client()
    program = start(Watcher, client)
    command = site.send(client["id"], "open-door", {})
    ledger.wait_for(command["id"])
    database.execute("UPDATE commands SET deadline_at = now() WHERE id = %s", (command["id"],))
    assert site.wait_status(command["id"], "unknown")["unknown_reason"] == "no_word"
    program.die()

    again = start(Watcher, client)

    # A client with a journal is asked about it now.
    after = site.send(client["id"], "open-door", {})
    ledger.wait_for(after["id"])
    assert [item["id"] for _, item in again.events] == [after["id"]]
    assert again.http.post(f"/api/commands/{command['id']}/result", json={"success": True}).status_code == 200
    assert site.command(command["id"])["status"] == "completed"


def test_what_may_run_twice_comes_again_with_the_next_stream(site: Site, start: Start, ledger: Ledger) -> None:
    client = site.client()
    start(Watcher, client)
    command = site.send(client["id"], "open-door", {}, on_interrupt="rerun")
    ledger.wait_for(command["id"])

    second = start(Second, client)

    site.wait_status(command["id"], "completed")
    assert list(ledger) == [command["id"]] * 2
    assert len(second.events) == 1


def test_an_open_stream_shows_that_its_client_lives(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)

    def heard() -> Any:
        client = site.http.get(f"/api/clients/{program.id}").json()
        assert client["presence"] == "online"
        return client["heard_at"]

    before = heard()
    ledger.wait_for(site.send(program.id, "open-door", {})["id"])
    until(lambda: heard() > before, "a later time")
    program.die()
    until(lambda: site.http.get(f"/api/clients/{program.id}").json()["presence"] == "offline", "offline")
    pong = program.http.post(f"/api/clients/{program.id}/ping")
    assert (pong.status_code, pong.json()["session"]) == (200, None)
    assert site.http.get(f"/api/clients/{program.id}").json()["presence"] == "offline", "nothing would reach it"


def test_a_print_command_has_the_names_that_the_programs_read(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)
    document = site.upload()
    payload = {"printerName": "front", "document": document["id"], "copies": 2, "options": {"duplex": True}}
    command = site.send(program.id, "print", payload)
    ledger.wait_for(command["id"])

    assert {
        name: command["payload"].get(name) for name in ("printer", "sides", "copies", "printerName", "options")
    } == {
        "printer": "front",
        "sides": "two-sided-long-edge",
        "copies": 2,
        "printerName": None,
        "options": None,
    }
    [(_, event)] = program.events
    got = event["payload"]
    assert (got["printerName"], got["printer"], got["options"]) == ("front", "front", {"duplex": True})
    assert got["pdfUrl"] == got["filePath"]
    assert got["pdfUrl"].startswith(site.url)
    page = plain_http.get(got["pdfUrl"])
    assert page.content == site.http.get(document["path"]).content
    assert program.http.get(document["path"]).content == page.content
    for wrong in (
        got["pdfUrl"][:-1],
        got["pdfUrl"].replace(program.id, site.client()["id"]),
        f"{site.url}/api/downloads/x",
    ):
        assert told(plain_http.get(wrong)) == (404, "download_not_found")
    assert program.http.post(f"/api/commands/{event['id']}/result", json={"success": True}).status_code == 200
    assert told(plain_http.get(got["pdfUrl"])) == (404, "download_not_found")


def test_the_address_of_a_document_needs_no_key_but_an_active_client(site: Site, start: Start, ledger: Ledger) -> None:
    """Whoever took the machine away may have the address; its command has not ended yet."""
    program = start(Watcher)
    document = site.upload()
    command = site.send(program.id, "print", {"printer": "front", "document": document["id"]})
    ledger.wait_for(command["id"])
    [(_, event)] = program.events
    address = event["payload"]["pdfUrl"]
    client = f"/api/clients/{program.id}"

    assert site.http.post(f"{client}/disable").status_code == 200
    assert told(plain_http.get(address)) == (404, "download_not_found")
    assert site.http.post(f"{client}/enable").status_code == 200
    assert plain_http.get(address).status_code == 200
    assert site.http.delete(client).json()["status"] == "retired"
    assert told(plain_http.get(address)) == (404, "download_not_found")
    assert site.command(command["id"])["status"] == "queued"


def test_another_client_s_key_opens_nothing(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)
    command = site.send(program.id, "open-door", {})
    ledger.wait_for(command["id"])
    with bearer(site, site.client()) as thief:
        assert told(thief.get(f"/api/events/{program.id}")) == (403, "not_your_client")
        assert told(thief.post(f"/api/clients/{program.id}/ping")) == (403, "not_your_client")
        path = f"/api/commands/{command['id']}"
        assert told(thief.put(f"{path}/status", json={"status": "running"})) == (404, "command_not_found")
        assert told(thief.post(f"{path}/result", json={"success": True})) == (404, "command_not_found")
        assert told(thief.post(f"{path}/error", json={"message": "x"})) == (404, "command_not_found")
    assert site.command(command["id"])["status"] == "queued"


def test_sessions_and_report_ids_may_be_missing_only_with_a_bearer_key(site: Site) -> None:
    speaker = HttpSpeaker(site)
    path = f"/api/commands/{uuid4()}"
    answers = [
        (speaker.http.get(f"/api/events/{speaker.id}", params={"most_s": 0}), ["session"]),
        (speaker.http.post(f"/api/clients/{speaker.id}/ping", json={"timestamp": 1}), ["session"]),
        (speaker.http.put(f"{path}/status", json={"status": "running"}), ["report_id", "session", "attempt"]),
    ]
    for answer, fields in answers:
        assert told(answer) == (422, "validation_error")
        assert [item["field"] for item in answer.json()["errors"]] == fields
    speaker.close()


@pytest.mark.parametrize(
    ("method", "what", "body", "field"),
    [
        ("PUT", "status", {"status": "pending"}, "status"),
        ("PUT", "status", {}, "status"),
        ("PUT", "status", [], "body"),
        ("POST", "result", {"data": {}}, "success"),
        ("POST", "result", {"success": "yes"}, "success"),
        ("POST", "result", {"success": True, "data": {"n": 2**70}}, "data.n"),
        ("POST", "error", {"message": 7}, "message"),
        ("POST", "error", {"message": "x", "retryable": "no"}, "retryable"),
        ("POST", "error", {"message": "x", "code": "Not A Code"}, "code"),
    ],
)
def test_a_wrong_report_is_refused_by_the_name_of_its_field(
    site: Site, method: str, what: str, body: Any, field: str
) -> None:
    with bearer(site, site.client()) as http:
        answer = http.request(method, f"/api/commands/{uuid4()}/{what}", json=body)
    assert told(answer) == (422, "validation_error")
    assert [item["field"] for item in answer.json()["errors"]] == [field]


def test_texts_that_cannot_be_stored_or_are_too_long_lose_no_result(site: Site, start: Start, ledger: Ledger) -> None:
    program = start(Watcher)
    command = site.send(program.id, "open-door", {})
    ledger.wait_for(command["id"])

    body = {"message": "\0" + "m" * 20_000, "stack": "s" * 20_000, "timestamp": 5, "code": "jam"}
    assert program.http.post(f"/api/commands/{command['id']}/error", json=body).status_code == 200

    ended = site.command(command["id"])
    assert (ended["error"]["code"], len(ended["error"]["message"]), ended["error"]["message"][0]) == (
        "jam",
        8_000,
        "\ufffd",
    )
    assert ended["result"]["data"] == {"stack": "s" * 8_000, "timestamp": 5}


def test_the_live_feed_s_path_says_what_it_is_for(site: Site) -> None:
    with bearer(site, site.client()) as http:
        for caller in (http, site.http):
            answer = caller.get("/api/events/subscribe")
            assert told(answer) == (404, "live_feed_missing")
            assert "live feed" in answer.json()["detail"]
    assert plain_http.get(f"{site.url}/api/events/subscribe").status_code == 401
    assert site.http.post("/api/clients", json={"id": "subscribe"}).status_code == 422

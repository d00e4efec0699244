"""Wrong input over HTTP: each gets its code and a sentence in Korean and English, and nothing else changes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest

from tests.support import plain_http
from tests.support.site import NOWHERE, Site
from tests.support.tables import contents

pytestmark = pytest.mark.own_site("compares whole tables")


@dataclass(frozen=True)
class Wrong:
    """A request, and the answer it must get. `{client}` and `{document}` stand for real ones."""

    id: str
    status: int
    code: str
    method: str = "POST"
    path: str = "/api/commands"
    body: Any = None
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    field: str | None = None


def command(**fields: Any) -> dict[str, Any]:
    return {"client_id": "{client}", "action": "open-door", **fields}


def printing(**payload: Any) -> dict[str, Any]:
    return command(action="print", payload={"printer": "office", "document": "{document}", **payload})


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def schedule(**fields: Any) -> dict[str, Any]:
    request = {"target": {"all": True}, "command": {"action": "open-door"}}
    return {"name": "doors", "cron": "0 7 * * *", "request": request, **fields}


def scheduled(**fields: Any) -> dict[str, Any]:
    return schedule(request={"target": {"all": True}, "command": {"action": "open-door", **fields}})


JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=X"}
FILE_OF_FORM = b'--X\r\nContent-Disposition: form-data; name="a"; filename="a.txt"\r\n\r\ntext\r\n'
TABLE = [
    Wrong("no key", 401, "unauthorized", body=command(), headers={"Authorization": ""}),
    Wrong("wrong key", 401, "unauthorized", body=command(), headers={"Authorization": "Bearer fh_00_wrong"}),
    Wrong("key with another scheme", 401, "unauthorized", body=command(), headers={"Authorization": "Digest x"}),
    Wrong("key of NULs and signs", 401, "unauthorized", body=command(), headers={"Authorization": "Bearer '--"}),
    Wrong("unknown client", 404, "client_not_found", body=command(client_id="nobody")),
    Wrong("hostile client id", 422, "validation_error", body=command(client_id="a/+/#"), field="client_id"),
    Wrong("client id with a newline", 422, "validation_error", body=command(client_id="a\n"), field="client_id"),
    Wrong("client id of 64", 422, "validation_error", body=command(client_id="a" * 64), field="client_id"),
    Wrong("no client id", 422, "validation_error", body={"action": "status"}, field="client_id"),
    Wrong("no action", 422, "validation_error", body={"client_id": "{client}"}, field="action"),
    Wrong("empty action", 422, "validation_error", body=command(action=""), field="action"),
    Wrong("action with a space", 422, "validation_error", body=command(action="rm -rf"), field="action"),
    Wrong("action not allowed", 403, "action_not_allowed", body=command(action="shutdown")),
    Wrong("no JSON", 400, "bad_json", raw=b"{", headers=JSON),
    Wrong("half a JSON", 400, "bad_json", raw=b'{"client_id": "a", ', headers=JSON),
    Wrong("no UTF-8", 400, "bad_json", raw=b'{"client_id": "\xff"}', headers=JSON),
    Wrong("nested 20,000 deep", 400, "bad_json", raw=b'{"a":' * 20_000 + b"1" + b"}" * 20_000, headers=JSON),
    Wrong(
        "a name twice",
        422,
        "validation_error",
        raw=b'{"client_id": "a", "client_id": "b"}',
        headers=JSON,
        field="client_id",
    ),
    Wrong(
        "a name twice in a payload",
        422,
        "validation_error",
        raw=b'{"client_id": "{client}", "action": "open-door", "payload": {"doors": [{"n": 1, "n": 2}]}}',
        headers=JSON,
        field="payload.doors[0].n",
    ),
    Wrong(
        "a name twice in a batch",
        422,
        "validation_error",
        path="/api/batches",
        raw=b'{"commands": [{"client_id": "{client}", "action": "status", "action": "open-door"}]}',
        headers=JSON,
        field="commands[0].action",
    ),
    Wrong("nested 70 deep", 422, "validation_error", body=command(payload=nested(70)), field="payload"),
    Wrong("nested 900 deep", 422, "validation_error", body=command(payload=nested(900)), field="payload"),
    Wrong("a list", 422, "validation_error", body=[command()]),
    Wrong(
        "a form",
        415,
        "unsupported_media_type",
        raw=b"client_id=a&action=b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Wrong("body over 1 MiB", 413, "body_too_large", raw=b'{"client_id": "' + b"a" * 1_100_000 + b'"}', headers=JSON),
    Wrong("unknown field", 422, "validation_error", body=command(colour="red"), field="colour"),
    Wrong("payload no object", 422, "validation_error", body=command(payload=[1]), field="payload"),
    Wrong("payload too large", 422, "payload_too_large", body=command(payload={"text": "x" * 60_000})),
    Wrong("NUL in the payload", 422, "validation_error", body=command(payload={"a": ["x\0y"]}), field="payload.a[0]"),
    Wrong("NUL in a key of the payload", 422, "validation_error", body=command(payload={"a\0": 1}), field="payload"),
    Wrong(
        "half a character",
        422,
        "validation_error",
        raw=b'{"client_id":"{client}","action":"open-door","payload":{"a":"\\ud800"}}',
        headers=JSON,
        field="payload.a",
    ),
    Wrong(
        "NaN",
        422,
        "validation_error",
        raw=b'{"client_id":"{client}","action":"open-door","payload":{"a":NaN}}',
        headers=JSON,
        field="payload.a",
    ),
    Wrong("a number beyond 64 bits", 422, "validation_error", body=command(payload={"n": 2**70}), field="payload.n"),
    Wrong("priority 0", 422, "validation_error", body=command(priority=0), field="priority"),
    Wrong("priority 11", 422, "validation_error", body=command(priority=11), field="priority"),
    Wrong("priority of letters", 422, "validation_error", body=command(priority="high"), field="priority"),
    Wrong("max_retries 101", 422, "validation_error", body=command(max_retries=101), field="max_retries"),
    Wrong("negative time-out", 422, "validation_error", body=command(timeout_s=-1), field="timeout_s"),
    *(
        Wrong(f"NaN: {raw.decode()[:60]}", 422, "validation_error", method, path, raw=raw, headers=JSON, field=field)
        for method, path, raw, field in (
            ("POST", "/api/commands", b'{"clientId":NaN,"action":"own"}', "clientId"),
            ("POST", "/api/commands", b'{"client_id":"{client}","action":"open-door","timeoutS":1e999}', "timeoutS"),
            (
                "POST",
                "/api/commands",
                b'{"client_id":"{client}","action":"print","payload":{"numberUp":NaN,"options":{"copies":NaN}}}',
                "payload.options.copies",
            ),
            (
                "POST",
                "/api/batches",
                b'{"target":{"all":true},"command":{"action":"open-door","timeoutS":-Infinity}}',
                "command.timeoutS",
            ),
            ("POST", "/api/schedules", b'{"name":"x","cron":"* * * * *","graceS":NaN}', "graceS"),
            ("POST", "/api/clients", b'{"id":"g2","name":"x","rateLimit":NaN}', "rateLimit"),
            ("PATCH", "/api/clients/{client}/permissions", b'{"rateLimit":NaN}', "rateLimit"),
            ("PUT", f"/api/commands/{NOWHERE}/status", b'{"reportId":NaN,"status":"started"}', "reportId"),
            ("POST", f"/api/commands/{NOWHERE}/result", b'{"success":true,"duration":NaN}', "duration"),
            ("POST", "/api/commands", b'{"\\ud800":1,"\\ud800":2}', "\ufffd"),
        )
    ),
    *(
        Wrong(
            f"half a character in {name}",
            422,
            "validation_error",
            raw=b'{"client_id":"{client}","action":"print","payload":{"document":"d",%b}}' % given,
            headers=JSON,
            field=f"payload.{name}",
        )
        for name, given in (
            ("sides", b'"sides":"\\ud800"'),
            ("copies", b'"copies":"\\udfff"'),
            ("options.quality", b'"options":{"quality":"\\ud800"}'),
        )
    ),
    Wrong(
        "time-out of NaN",
        422,
        "validation_error",
        raw=b'{"client_id":"{client}","action":"open-door","timeout_s":NaN}',
        headers=JSON,
        field="timeout_s",
    ),
    Wrong("both expiries", 422, "validation_error", body=command(expires_at="2099-01-01T00:00:00Z", expires_in_s=5)),
    Wrong("expired already", 422, "request_expired", body=command(expires_at="2020-01-01T00:00:00Z")),
    Wrong(
        "never due",
        422,
        "request_expired",
        body=command(expires_at="2098-01-01T00:00:00Z", not_before="2099-01-01T00:00:00Z"),
    ),
    Wrong(
        "a time without a zone",
        422,
        "validation_error",
        body=command(expires_at="2099-01-01T00:00:00"),
        field="expires_at",
    ),
    Wrong("year 1", 422, "validation_error", body=command(not_before="0001-01-01T00:00:00+12:00"), field="not_before"),
    Wrong("year 9999", 422, "validation_error", body=command(expires_at="9999-12-25T00:00:00Z"), field="expires_at"),
    Wrong("no time", 422, "validation_error", body=command(not_before="tomorrow"), field="not_before"),
    Wrong("on_interrupt", 422, "validation_error", body=command(on_interrupt="panic"), field="on_interrupt"),
    Wrong("when_offline=fail, offline", 409, "client_offline", body=command(when_offline="fail")),
    Wrong("21 tags", 422, "validation_error", body=command(tags=["t"] * 21), field="tags"),
    Wrong("NUL in the reference", 422, "validation_error", body=command(reference="a\0"), field="reference"),
    Wrong("document missing", 404, "document_not_found", body=printing(document=NOWHERE)),
    Wrong(
        "document no id", 422, "validation_error", body=printing(document="../../etc/passwd"), field="payload.document"
    ),
    Wrong(
        "no document",
        422,
        "validation_error",
        body=command(action="print", payload={"printer": "office"}),
        field="payload.document",
    ),
    Wrong("an empty printer", 422, "validation_error", body=printing(printer=""), field="payload.printer"),
    Wrong("pages backwards", 422, "validation_error", body=printing(pages="5,1-3"), field="payload.pages"),
    Wrong("pages as a number", 422, "validation_error", body=printing(pages=3), field="payload.pages"),
    Wrong("an unknown quality", 422, "validation_error", body=printing(quality="best"), field="payload.quality"),
    Wrong("zero pages on a side", 422, "validation_error", body=printing(number_up=0), field="payload.number_up"),
    Wrong("copies 0", 422, "validation_error", body=printing(copies=0), field="payload.copies"),
    Wrong("copies 1000", 422, "validation_error", body=printing(copies=1000), field="payload.copies"),
    Wrong("copies of letters", 422, "validation_error", body=printing(copies="two"), field="payload.copies"),
    Wrong("sides", 422, "validation_error", body=printing(sides="three-sided"), field="payload.sides"),
    Wrong(
        "sides and duplex",
        422,
        "validation_error",
        body=printing(sides="one-sided", duplex=True),
        field="payload.duplex",
    ),
    Wrong("unknown print field", 422, "validation_error", body=printing(colour="red"), field="payload.colour"),
    Wrong(
        "status with a payload",
        422,
        "validation_error",
        body=command(action="status", payload={"x": 1}),
        field="payload.x",
    ),
    Wrong("an Idempotency-Key of 201", 422, "validation_error", body=command(), headers={"Idempotency-Key": "k" * 201}),
    Wrong(
        "an Idempotency-Key with spaces", 422, "validation_error", body=command(), headers={"Idempotency-Key": "a b"}
    ),
    Wrong("wait of a day", 422, "validation_error", path="/api/commands?wait=86400", body=command(), field="wait"),
    Wrong("command id no UUID", 422, "validation_error", "GET", "/api/commands/42", field="command_id"),
    Wrong("no such command", 404, "command_not_found", "GET", f"/api/commands/{NOWHERE}"),
    Wrong("logs of no such command", 404, "command_not_found", "GET", f"/api/commands/{NOWHERE}/logs"),
    Wrong("cancel no such command", 404, "command_not_found", "POST", f"/api/commands/{NOWHERE}/cancel"),
    Wrong("retry no such command", 404, "command_not_found", path=f"/api/commands/{NOWHERE}/retry"),
    Wrong("retry a command id no UUID", 422, "validation_error", path="/api/commands/42/retry", field="command_id"),
    Wrong(
        "retry that expires at once",
        422,
        "validation_error",
        path=f"/api/commands/{NOWHERE}/retry",
        body={"expires_in_s": 0},
        field="expires_in_s",
    ),
    Wrong(
        "decide no such command",
        404,
        "command_not_found",
        path=f"/api/commands/{NOWHERE}/decide",
        body={"outcome": "failed"},
    ),
    *(
        Wrong(what, 422, "validation_error", path=f"/api/commands/{NOWHERE}/decide", body=body, field=name)
        for what, body, name in (
            ("decide for what nobody can know", {"outcome": "expired"}, "outcome"),
            ("a note of 501", {"outcome": "failed", "note": "x" * 501}, "note"),
        )
    ),
    *(
        Wrong(what, 422, "validation_error", path=f"/api/dead-letters/{path}", body=body, field=name)
        for path, what, body, name in (
            ("dismiss", "a note with NUL", {"ids": [NOWHERE], "note": "\0"}, "note"),
            ("replay", "replay nothing named", {"force": True}, None),
            ("replay", "replay ids and a filter", {"ids": [NOWHERE], "filter": {}}, None),
            ("replay", "replay 1,001", {"ids": [NOWHERE] * 1_001}, "ids"),
            ("dismiss", "a filter with NUL", {"filter": {"reason": "\0"}}, "filter.reason"),
            ("dismiss", "a filter of no field", {"filter": {"colour": "red"}}, "filter.colour"),
            ("dismiss", "a made-up cursor of dead letters", {"filter": {}, "cursor": "zzz"}, "cursor"),
        )
    ),
    Wrong("dead letters with NUL", 422, "validation_error", "GET", "/api/dead-letters?reason=%00", field="reason"),
    Wrong("201 dead letters", 422, "validation_error", "GET", "/api/dead-letters?limit=201", field="limit"),
    Wrong("a made-up cursor", 422, "validation_error", "GET", "/api/commands?cursor=zzz", field="cursor"),
    Wrong("limit 0", 422, "validation_error", "GET", "/api/commands?limit=0", field="limit"),
    Wrong("limit 201", 422, "validation_error", "GET", "/api/commands?limit=201", field="limit"),
    Wrong("NUL in a filter", 422, "validation_error", "GET", "/api/commands?reference=%00", field="reference"),
    Wrong("no such path", 404, "not_found", "GET", "/api/nothing"),
    Wrong("path traversal", 404, "not_found", "GET", "/api/documents/..%2f..%2fetc%2fpasswd"),
    Wrong("another method", 405, "method_not_allowed", "PUT", "/api/commands", body={}),
    Wrong("client id taken", 409, "client_exists", "POST", "/api/clients", body={"id": "{client}"}),
    *(
        Wrong(f"client {what}", 422, "validation_error", path="/api/clients", body={"id": "x", **fields}, field=name)
        for what, fields, name in (
            ("with a hostile id", {"id": "$SYS"}, "id"),
            ("as the hub", {"id": "_hub"}, "id"),
            ("of no kind", {"kind": "toaster"}, "kind"),
            ("with a role", {"role": "admin"}, "role"),
            ("with NUL", {"metadata": {"a": "\0"}}, "metadata.a"),
        )
    ),
    Wrong(
        "negative limit",
        422,
        "validation_error",
        path="/api/clients",
        body={"id": "x", "rate_limit": -1},
        field="rate_limit",
    ),
    Wrong("change no such client", 404, "client_not_found", "PATCH", "/api/clients/nobody", body={"zone": "a"}),
    Wrong("change the id", 422, "validation_error", "PATCH", "/api/clients/{client}", body={"id": "b"}, field="id"),
    Wrong("change the name to null", 422, "validation_error", "PATCH", "/api/clients/{client}", body={"name": None}),
    Wrong("retire no such client", 404, "client_not_found", "DELETE", "/api/clients/nobody"),
    Wrong(
        "empty document",
        422,
        "validation_error",
        "POST",
        "/api/documents",
        raw=b"",
        headers={"Content-Type": "application/pdf"},
        field="body",
    ),
    *(
        Wrong(id_, status, code, path="/api/documents", raw=raw, headers=headers)
        for id_, status, code, raw, headers in (
            ("text called PDF", 415, "content_type_mismatch", b"hello not a pdf", {"Content-Type": "Application/PDF"}),
            ("page called PDF", 415, "content_type_mismatch", b"<html>", {"Content-Type": "application/x-pdf"}),
            ("form without a boundary", 415, "form_not_taken_apart", b"x", {"Content-Type": "multipart/form-data"}),
            ("form without a file", 415, "form_not_taken_apart", b"--X--\r\n", FORM),
            ("form cut off", 415, "form_not_taken_apart", FILE_OF_FORM, FORM),
            ("form with two files", 415, "form_not_taken_apart", FILE_OF_FORM * 2 + b"--X--\r\n", FORM),
            ("form called PDF", 415, "form_not_taken_apart", FILE_OF_FORM, {"Content-Type": "application/pdf"}),
            ("coded document", 415, "content_coding_not_allowed", b"\x1f\x8b\x08", {"Content-Encoding": "gzip"}),
            ("part of a document", 400, "partial_upload", b"%PDF-1.4 ", {"Content-Range": "bytes 0-8/100"}),
            ("another digest", 422, "digest_mismatch", b"x", {"Content-Digest": "md5=:AAAA:"}),
        )
    ),
    Wrong(
        "PDF to be printed as an image",
        422,
        "validation_error",
        body=printing(content_type="Image/JPEG"),
        field="payload.content_type",
    ),
    Wrong("no such fidelity", 422, "validation_error", body=printing(fidelity="good"), field="payload.fidelity"),
    Wrong(
        "document with a path",
        422,
        "validation_error",
        "POST",
        "/api/documents?filename=..%2fx",
        raw=b"x",
        field="filename",
    ),
    Wrong("no such document", 404, "document_not_found", "GET", f"/api/documents/{NOWHERE}"),
    *(
        Wrong(f"a schedule: {what}", 422, "validation_error", path="/api/schedules", body=body, field=name)
        for what, body, name in (
            ("hour 25", schedule(cron="0 25 * * *"), "cron"),
            ("with seconds", schedule(cron="0 0 7 * * *"), "cron"),
            ("a nickname of cron's", schedule(cron="@midnight"), "cron"),
            ("four fields", schedule(cron="0 7 * *"), "cron"),
            ("31 February", schedule(cron="0 0 31 2 *"), "cron"),
            ("a cron of NUL", schedule(cron="0 7 * * *\0"), "cron"),
            ("a cron of 201", schedule(cron="0 7 * * " + "1," * 100 + "1"), "cron"),
            ("no cron", {**schedule(), "cron": None}, "cron"),
            ("no such zone", schedule(time_zone="Asia/Atlantis"), "time_zone"),
            ("half a zone", schedule(time_zone="Asia"), "time_zone"),
            ("a zone elsewhere on the disk", schedule(time_zone="../../../etc/passwd"), "time_zone"),
            ("an offset", schedule(time_zone="+09:00"), "time_zone"),
            ("no name", schedule(name=""), "name"),
            ("a name of 201", schedule(name="n" * 201), "name"),
            ("a name with NUL", schedule(name="a\0"), "name"),
            ("a misfire of its own", schedule(misfire="all"), "misfire"),
            ("grace of -1", schedule(grace_s=-1), "grace_s"),
            ("grace of two days", schedule(grace_s=172_800), "grace_s"),
            ("for nobody", schedule(request={"command": {"action": "status"}}), "request"),
            ("a trial", schedule(request={**schedule()["request"], "dry_run": True}), "request.dry_run"),
            ("a begin of its own", scheduled(not_before="2099-01-01T00:00:00Z"), "request.command.not_before"),
            ("an end for good", scheduled(expires_at="2099-01-01T00:00:00Z"), "request.command.expires_at"),
            ("a bad action", scheduled(action="rm -rf"), "request.command.action"),
            (
                "a document by URL",
                scheduled(action="print", payload={"printer": "p", "document": {"url": "https://example.com/a.pdf"}}),
                "request.command.payload.document",
            ),
            (
                "an unknown client",
                schedule(request={**schedule()["request"], "target": {"clients": ["{client}", "nobody"]}}),
                "request.target.clients[1]",
            ),
        )
    ),
    Wrong(
        "a schedule: an unknown group",
        404,
        "group_not_found",
        path="/api/schedules",
        body=schedule(request={**schedule()["request"], "target": {"group": "nobody"}}),
    ),
    Wrong(
        "a schedule: an unknown document",
        404,
        "document_not_found",
        path="/api/schedules",
        body=scheduled(action="print", payload={"printer": "p", "document": NOWHERE}),
    ),
    Wrong("no such schedule", 404, "schedule_not_found", "GET", f"/api/schedules/{NOWHERE}"),
    Wrong("times of no such schedule", 404, "schedule_not_found", "GET", f"/api/schedules/{NOWHERE}/next"),
    Wrong("remove no such schedule", 404, "schedule_not_found", "DELETE", f"/api/schedules/{NOWHERE}"),
    Wrong(
        "change no such schedule", 404, "schedule_not_found", "PATCH", f"/api/schedules/{NOWHERE}", body={"name": "a"}
    ),
    Wrong("change nothing of a schedule", 422, "validation_error", "PATCH", f"/api/schedules/{NOWHERE}", body={}),
    Wrong(
        "change the zone of a schedule to null",
        422,
        "validation_error",
        "PATCH",
        f"/api/schedules/{NOWHERE}",
        body={"time_zone": None},
    ),
    Wrong("schedule id no UUID", 422, "validation_error", "GET", "/api/schedules/42", field="schedule_id"),
    Wrong("51 times", 422, "validation_error", "GET", f"/api/schedules/{NOWHERE}/next?count=51", field="count"),
    Wrong("schedules with NUL", 422, "validation_error", "GET", "/api/schedules?name=%00", field="name"),
    Wrong("a made-up cursor of schedules", 422, "validation_error", "GET", "/api/schedules?cursor=zzz", field="cursor"),
]


@pytest.fixture(scope="module")
def client(site: Site) -> dict[str, Any]:
    return site.client(allowed_actions=["print", "status", "open-door"])


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    return site.upload()


@pytest.fixture(scope="module")
def database(site: Site) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(site.stack.database_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("wrong", TABLE, ids=lambda wrong: wrong.id)
def test_wrong_input_gets_its_code_and_changes_nothing(
    site: Site, client: dict[str, Any], document: dict[str, Any], database: psycopg.Connection[Any], wrong: Wrong
) -> None:
    before = contents(database)

    english = ask(site, wrong, client["id"], document["id"], "en")
    korean = ask(site, wrong, client["id"], document["id"], "ko-KR,ko;q=0.9,en;q=0.5")

    for answer in (english, korean):
        assert answer.status_code == wrong.status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["code"], problem["status"]) == (wrong.code, wrong.status)
        if wrong.field is not None:
            assert wrong.field in [item["field"] for item in problem["errors"]], problem
        assert "Traceback" not in answer.text
    assert english.json()["detail"].isascii()
    assert not korean.json()["detail"].isascii()
    assert contents(database) == before


def ask(site: Site, wrong: Wrong, client_id: str, document_id: str, language: str) -> httpx.Response:
    def fill(text: str) -> str:
        return text.replace("{client}", client_id).replace("{document}", document_id)

    headers = {"Authorization": f"Bearer {site.key}", "Accept-Language": language}
    content = wrong.raw
    if wrong.raw is not None:
        content = wrong.raw.replace(b"{client}", client_id.encode())
    elif wrong.body is not None:
        content = fill(json.dumps(wrong.body)).encode()
        headers["Content-Type"] = "application/json"
    headers |= wrong.headers
    headers = {name: value for name, value in headers.items() if value}
    return plain_http.request(wrong.method, site.url + fill(wrong.path), content=content, headers=headers)


def test_limits_are_exact_and_say_when_to_come_back(site: Site) -> None:
    small = site.client(rate_limit=100, max_commands_per_day=2)
    body = {"client_id": small["id"], "action": "status"}
    answers = [site.http.post("/api/commands", json=body) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 429, 429]
    assert answers[0].headers["RateLimit-Remaining"] == "1"
    assert answers[2].json()["code"] == "quota_exceeded"
    assert answers[2].json()["remaining"] == 0
    assert answers[2].json()["reset"]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 86_401


def test_an_idempotency_key_makes_one_command_and_refuses_another_body(site: Site, client: dict[str, Any]) -> None:
    body = {"client_id": client["id"], "action": "open-door"}
    headers = {"Idempotency-Key": "order-1"}

    first = site.http.post("/api/commands", json=body, headers=headers)
    again = site.http.post("/api/commands", json=body, headers=headers)
    other = site.http.post("/api/commands", json={**body, "priority": 7}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json()["id"] == first.json()["id"]
    assert other.json()["code"] == "idempotency_key_reused"


def test_cancel_before_it_was_handed_out_and_after_its_end(site: Site, client: dict[str, Any]) -> None:
    posted = site.send(client["id"], "open-door", {})

    cancelled = site.http.post(f"/api/commands/{posted['id']}/cancel")
    again = site.http.post(f"/api/commands/{posted['id']}/cancel")

    assert cancelled.json()["status"] == "cancelled"
    assert again.json() == cancelled.json()
    assert site.events(posted["id"]) == ["created", "cancelled"]


def test_a_client_reads_only_documents_that_its_unfinished_command_names(
    site: Site, client: dict[str, Any], document: dict[str, Any]
) -> None:
    other = site.client()
    path = f"{site.url}{document['path']}"
    for who in (client, other):
        answer = plain_http.get(path, auth=(who["id"], who["secret"]))
        assert answer.status_code == 404
        assert answer.json()["code"] == "document_not_found"
    assert plain_http.get(path, auth=(client["id"], "wrong")).status_code == 401
    assert plain_http.get(path, headers={"Authorization": f"Bearer {site.key}"}).status_code == 200


def test_a_retired_client_is_gone_from_broker_and_api(site: Site) -> None:
    leaving = site.client()
    agent = site.agent(leaving)

    retired = site.http.delete(f"/api/clients/{leaving['id']}")

    assert retired.json()["status"] == "retired"
    posted = site.http.post("/api/commands", json={"client_id": leaving["id"], "action": "status"})
    assert (posted.status_code, posted.json()["code"]) == (404, "client_retired")
    taken = site.http.post("/api/clients", json={"id": leaving["id"]})
    assert (taken.status_code, taken.json()["code"]) == (409, "client_exists")
    assert agent.process.poll() is None, "the agent goes on trying and says so in its log"

"""What is taken out of a support bundle, in all the forms in which it comes, and what is left."""

import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from hub.config import Settings
from hub.programs.installation import Installation
from hub.programs.support.bundle import known
from hub.programs.support.known_secrets import REDACTED
from hub.programs.support.log_lines import LogLines
from hub.programs.support.redaction import LEFT_OUT, Redaction

KNOWN = 'p@ss/w"ord-7'
PATHS = ["/api/clients/{client_id}/history", "/api/uploads/{token}", "/health"]
PUBLIC = "U6i7BL5oYy6Wi8uXOfJqhXEg71SDGUS4Csj8afXyaL4"


@pytest.fixture
def redaction() -> Redaction:
    return Redaction([KNOWN, "", "abc", f"{KNOWN}-and-more"], {PUBLIC})


@pytest.mark.parametrize("form", [KNOWN, quote(KNOWN, safe=""), json.dumps(KNOWN)[1:-1], f"{KNOWN}-and-more"])
def test_a_known_secret_goes_in_every_form(redaction: Redaction, form: str) -> None:
    assert redaction.text(f"before {form} after") == f"before {REDACTED} after"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://floorhub:CANARY@db:5432/floorhub",
        "mqtts://user:CANARY@broker:8883",
        "https://hooks.slack.com/services/T00/B00/CANARY",
        "see https://CANARY@example.com, and more",
        "http://example.com?sig=CANARY",
        "http://example.com/#CANARY",
        "ftp://example.com:21/CANARY/file.pdf",
        "Authorization: Bearer CANARY",
        "authorization=CANARY",
        "Basic CANARYabcdef==",
        'X-Api-Key: "CANARY"',
        "FLOORHUB_MQTT_PASSWORD=CANARY",
        "client_secret = 'CANARY x'",
        '{"token": "CANARY"}',
        "cookie: session=CANARY; other=1",
        "PUT /api/uploads/CANARY HTTP/1.1",
        "fh_0a1b2c3d_CANARYabcdefghijklmnopqrstuvwxyz",
        "fhk_CANARYabcdefg",
        "fhc_CANARYabcdefg and more",
        "some CANARYaB3dEfGh1jKlMnOpQrStUv text",
        "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nCANARY cut off",
        "ERROR: duplicate\nDETAIL: Key (reference)=(CANARY) already exists.",
    ],
)
def test_what_looks_like_a_secret_goes_though_nobody_knows_it(redaction: Redaction, text: str) -> None:
    (line,) = LogLines(redaction, PATHS).of([text])

    assert "CANARY" not in line
    assert "CANARY" not in "\n".join(LogLines(redaction, PATHS).of([json.dumps({"event": "x.y", "message": text})]))


def test_hex_of_a_key_goes(redaction: Redaction) -> None:
    assert redaction.text("seed " + "0a1b" * 16) == f"seed {REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29T20:22:00.824618Z command.changed",
        "01a228f8-92d5-724d-b3d6-90221797f7b0 completed by pc-2",
        "/var/lib/floorhub/logs/hub.log: No space left on device",
        f"root_key {PUBLIC}",
        "floorhub_commands_completed_total 12",
        "mqtt://127.0.0.1:1883 refused, http://hub:8080 answers",
    ],
)
def test_what_helps_stays(redaction: Redaction, text: str) -> None:
    assert redaction.text(text) == text


def test_fields_that_are_the_customers_go_as_a_whole(redaction: Redaction) -> None:
    line = {
        "event": "command.refused",
        "client_id": "pc-1",
        "code": "payload_invalid",
        "payload": {"deep": ["CANARY"]},
        "reference": "CANARY",
        "detail": {"title": "CANARY", "attempt": 2, "api_key": "CANARY", "nested": [{"secret": ["CANARY"]}]},
        "result": ["CANARY"],
    }

    (out,) = LogLines(redaction, PATHS).of([json.dumps(line)])

    assert "CANARY" not in out
    kept = json.loads(out)
    assert (kept["event"], kept["client_id"], kept["code"]) == ("command.refused", "pc-1", "payload_invalid")
    assert kept["payload"] == LEFT_OUT
    assert kept["detail"]["attempt"] == 2


def test_of_postgres_only_its_own_words_stay(redaction: Redaction) -> None:
    stamp = "2026-11-29 20:22:00.824 UTC [123]"
    lines = [
        f"{stamp} LOG:  duration: 1200.1 ms  statement: CALL something('CANARY')",
        f"{stamp} LOG:  duration: 1200.1 ms  execute s1: SELECT 'CANARY'",
        "\t, ('CANARY')",
        f"{stamp} DETAIL:  Parameters: $1 = 'CANARY'",
        f"{stamp} STATEMENT:  SELECT 'CANARY'",
        f'{stamp} FATAL:  password authentication failed for user "floorhub"',
    ]

    out = list(LogLines(redaction, PATHS).of(lines, postgres=True))

    assert "CANARY" not in "\n".join(out)
    assert len(out) == 3
    assert out[0].endswith(f"1200.1 ms  statement: {LEFT_OUT}")
    assert "password authentication failed" in out[-1]


LOOSE = "hunter2x"
"""A secret of somebody else in no form of its own."""


@pytest.mark.parametrize(
    "text",
    [
        "ipp://user:hunter2x/abc@printer/ipp",
        "ipp://user:hunter2x#abc@printer/ipp",
        "ipp://user:hunter2x?abc@printer/ipp",
        "ipp://user:hunt'er2x@printer/ipp",
        'ipp://user:hunter2x"<>\\@printer/ipp',
        "ipp://user:hunter2x word@printer/ipp",
        "ipp://user:p@hunter2x@printer/ipp",
        "https://printer/cb?mail=a@hunter2x",
        "//user:hunter2x@printer/ipp",
        "user:hunter2x@printer:631",
        "http://printer:hunter2x/",
        "host=h password=a,hunter2x dbname=d",
        "host=h password=a;hunter2x",
        "host=h password=a&hunter2x",
        "host=h password=a'hunter2x",
        "host=h password='a\\'hunter2x' dbname=d",
        "host=h sslpassword=hunter2x",
        "pin=hunter2x",
        "pin: 4711 hunter2x",
        "pw=hunter2x pwd=hunter2x pass=hunter2x",
        "client_key=hunter2x access_key=hunter2x password_old=hunter2x",
        "GET /x?a=b&sig=hunter2x",
        "argv lp --password hunter2x -U x",
        "curl -u admin:hunter2x http://printer/",
        "Cookie: a=b; session=hunter2x",
        'said {\\"password\\":\\"hunter2x\\"}',
        "{'password': b'hunter2x'}",
        "(b'authorization', b'Basic aHVudGVyMng=') hunter2x",
        "the secret is hunter2x",
        "/hook/services/T000/B000/hunter2x",
        "비밀번호=hunter2x",
        "password: |\n  hunter2x",
        '{"event": "x", "payload": {"pin": "hunter2x"',
        "1795994888: New client connected from 127.0.0.1:5 as pc (p5, c1, k10, u'hunter2x').",
    ],
)
def test_text_that_nobody_has_looked_at_keeps_only_what_is_harmless(redaction: Redaction, text: str) -> None:
    lines = [text, json.dumps({"event": "x.y", "reason": text, "error": text, "exception": f"ValueError: {text}"})]
    out = "\n".join([redaction.text(text), *LogLines(redaction, PATHS).of(lines)])
    assert "hunter2x" not in out
    assert "er2x" not in out


@pytest.mark.parametrize(
    "fields",
    [
        {"command": {"payload": {"pin": LOOSE}}},
        {"items": [{"payload": {"pin": LOOSE}}]},
        {"secret": {"old": LOOSE}},
        {"passwords": [LOOSE]},
        {"tokens": {"a": LOOSE}},
        {"headers": [["authorization", LOOSE]]},
        {"printers": {"office": {"uri": f"ipp://u:{LOOSE}@h/", "title": LOOSE}}},
        {"printers": {LOOSE: "idle"}},
        {"anything": LOOSE},
        {"anything": 4711},
        {LOOSE: 1},
        {"path": f"/api/uploads/{LOOSE}"},
        {"path": f"/api/clients/{LOOSE.upper()}/history"},
        {"path": f"/{LOOSE}"},
        {"name": LOOSE},
        {"code": f"pin {LOOSE}"},
        {"details": {"details": {"pin": LOOSE}}},
        {"root_key": "Aa0" * 14},
        {"exception": f'Traceback\n  File "{LOOSE}", line 1, in f\n    x = "{LOOSE}"\nKeyError: {LOOSE}\n{LOOSE}'},
    ],
    ids=str,
)
def test_of_our_lines_only_fields_that_are_known_stay(redaction: Redaction, fields: dict[str, Any]) -> None:
    (out,) = LogLines(redaction, PATHS).of([json.dumps({"event": "x.y", "level": "info", **fields})])
    assert not {LOOSE, LOOSE.upper(), "4711", "Aa0Aa0"} & set(re.findall(r"\w+", out)), out
    assert json.loads(out)["event"] == "x.y"
    assert LOOSE not in json.dumps(redaction.value({"old": {"secret": {"old": LOOSE}, "payload": {"pin": LOOSE}}}))


def test_what_helps_in_our_lines_stays(redaction: Redaction) -> None:
    line = {
        "at": "2026-11-29T23:57:20.067116Z",
        "event": "http.failed",
        "level": "error",
        "worker": "hub-1",
        "path": "/api/clients/pc-a7/history",
        "status": 500,
        "duration_ms": 57.69,
        "request_id": "e1db3b3384194188a576b88e12d08767",
        "command_id": "01a229a2-54a3-750c-a4e4-a31936403383",
        "client_id": "pc-a7",
        "code": None,
        "root_key": PUBLIC,
        "reason": "not_acknowledged",
        "lane": "printer:office",
        "printers": {"office": "idle"},
        "message": "The hub at http://hub:8080 does not answer. Check FLOORHUB_URL, and whether the hub runs there.",
        "todo": "free space: documents are refused",
    }
    stack = (
        'Traceback (most recent call last):\n  File "/opt/x/hub/api/server.py", line 103, in __call__\n    await x()\n'
        "KeyError: 'of somebody'"
    )

    (out,) = LogLines(redaction, PATHS).of([json.dumps({**line, "exception": stack})])

    shown = json.loads(out)
    assert shown.pop("exception") == f'  File "hub/api/server.py", line 103, in __call__\nKeyError: {LEFT_OUT}'
    assert shown == line


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-29T23:29:41: New connection from 127.0.0.1:47005 on port 1884.",
        "2026-11-29T23:29:41: New client connected from 127.0.0.1:47005 as pc-a7 (p5, c1, k12, u'pc-a7').",
        "2026-11-29T23:34:06: Client pc-a7 disconnected.",
    ],
)
def test_what_the_broker_says_of_itself_stays(redaction: Redaction, line: str) -> None:
    (out,) = LogLines(redaction).of([line])
    assert out.partition(" (p5")[0] == line.partition(" (p5")[0]


@pytest.mark.parametrize(
    ("line", "stays"),
    [
        ('ERROR:  invalid input syntax for type json: "hunter2x"', "invalid input syntax for type json"),
        ("LOG:  connection authorized: password=hunter2x", "connection authorized"),
        ("LOG:  hunter2x'", "LOG:"),
        ('ERROR:  duplicate key value violates unique constraint "hunter2x"', "violates unique constraint"),
    ],
)
def test_errors_of_postgres_lose_what_they_quote(redaction: Redaction, line: str, stays: str) -> None:
    (out,) = LogLines(redaction).of([f"2026-11-29 23:27:14.108 UTC [12] {line}"], postgres=True)
    assert LOOSE not in out
    assert stays in out


def test_a_key_that_is_logged_line_by_line_goes_and_the_log_goes_on(redaction: Redaction) -> None:
    body = ["MIIEvQIBADANBgkq/kiG9w0BAQE+", "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3"]
    begin, end = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"
    lines = [begin, *body, end, "the hub has started.", begin, body[0], "the hub has stopped."]
    out = list(LogLines(redaction).of(lines))
    assert [line for line in out if line != REDACTED] == ["the hub has started.", "the hub has stopped."]


@pytest.mark.parametrize(
    "form",
    [
        quote(KNOWN, safe="").lower(),
        "".join(f"%{ord(char):02x}" for char in KNOWN),
        "".join(f"\\u{ord(char):04x}" for char in KNOWN),
        base64.b64encode(f"hub:{KNOWN}".encode()).decode(),
        base64.b64encode(f"a:{KNOWN}".encode()).decode(),
        KNOWN.encode().hex(),
        f"{KNOWN}-and"[:-1],
    ],
)
def test_a_known_secret_goes_in_other_forms_too(redaction: Redaction, form: str) -> None:
    assert not re.search(r"p@ss|w.{0,2}ord-7|70407373|%70|u0070|cEBzc", redaction.setting(f"before {form} after"))
    assert len(redaction.setting(form)) <= len(REDACTED) + 10


def test_logins_in_settings_are_known_secrets(tmp_path: Path) -> None:
    environment = {
        "FLOORHUB_MQTT_URL": "mqtt://u:CANARY1#x@127.0.0.1:1",
        "FLOORHUB_URL": "http://u:CANARY2/x@127.0.0.1:1",
        "FLOORHUB_FETCH_ALLOW": "u:CANARY3@h.example,files.example",
        "FLOORHUB_WEBHOOK_URL": "https://h/CANARY4",
        "FLOORHUB_LOG_LEVL": "warning",
        "FLOORHUB_TOKEN_CANARY5": "x",
    }
    settings = Settings(database_url=SecretStr("postgresql://u:CANARY6@h/d?sslpassword=CANARY7"), data_dir=tmp_path)
    redaction = Redaction(*known(Installation(settings, False, environment)))
    for name, value in environment.items():
        assert "CANARY" not in redaction.setting(value), name
    for number in (1, 2, 3, 6, 7):
        assert redaction.setting(f"x CANARY{number} y") == f"x {REDACTED} y"
    assert "CANARY5" not in redaction.setting("FLOORHUB_TOKEN_CANARY5 is not a setting")
    assert redaction.setting("a warning, FLOORHUB_LOG_LEVL") == "a warning, FLOORHUB_LOG_LEVL"
    assert redaction.setting("files.example") == "files.example"

"""What is taken out of a support bundle, in all the forms in which it comes, and what is left."""

import json
from urllib.parse import quote

import pytest

from hub.programs.support.redaction import LEFT_OUT, REDACTED, Redaction

KNOWN = 'p@ss/w"ord-7'
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
        "some CANARYaB3dEfGh1jKlMnOpQrStUv text",
        "-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nCANARY cut off",
        "ERROR: duplicate\nDETAIL: Key (reference)=(CANARY) already exists.",
    ],
)
def test_what_looks_like_a_secret_goes_though_nobody_knows_it(redaction: Redaction, text: str) -> None:
    (line,) = redaction.log([text])

    assert "CANARY" not in line
    assert "CANARY" not in "\n".join(redaction.log([json.dumps({"event": "x.y", "message": text})]))


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

    (out,) = redaction.log([json.dumps(line)])

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

    out = list(redaction.log(lines, postgres=True))

    assert "CANARY" not in "\n".join(out)
    assert len(out) == 3
    assert out[0].endswith(f"1200.1 ms  statement: {LEFT_OUT}")
    assert "password authentication failed" in out[-1]

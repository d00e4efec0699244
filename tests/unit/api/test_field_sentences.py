"""What a caller hears of a body that does not fit: all of it at once, in one voice, in Korean and in English."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from hub.api import problems
from hub.core.clients.shapes import ClientChange, ClientInput, PermissionsOfMany
from hub.core.commands.shapes import CommandInput
from hub.core.http_clients.shapes import ErrorInput, ResultBody
from hub.features.action_policies.shapes import PolicyInput
from hub.features.batches.shapes import BatchInput
from hub.features.dead_letters.shapes import ReplayInput
from hub.features.schedules.shapes import ScheduleChange, ScheduleInput
from hub.telemetry.log import Log

DOCUMENT = "0193b3c0-0000-7000-8000-000000000000"
PRINT = {"client_id": "press-1", "action": "print", "payload": {"printer": "office", "document": DOCUMENT}}
UNKNOWN = "is not a field of this object: remove it, or look up the fields in /docs"
NO_URL = "must begin with http:// or https://. Upload a file that is on your own disk; use path for a file on the hub"
NOTHING = "changes nothing: send at least one of"
LIBRARIES = re.compile(r"Input should|Expected|Object|Field required|Value error|String should|valid", re.IGNORECASE)


async def refused(shape: Any, body: Any, language: str) -> dict[str, str]:
    """What is said about each field."""
    app = FastAPI()

    @app.post("/")
    async def take(body: shape) -> None:  # type: ignore[valid-type]
        raise AssertionError(f"{body} was taken")

    problems.install(app, Log())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as http:
        answer = await http.post("/", json=body, headers={"Accept-Language": language})
    assert (answer.status_code, answer.headers["content-language"]) == (422, language)
    told = answer.json()["errors"]
    assert len({each["field"] for each in told}) == len(told), "a fault is told once"
    return {each["field"]: each["message"] for each in told}


CASES: list[tuple[Any, dict[str, Any], dict[str, str]]] = [
    # What the newcomer tried: two faults, of which the payload's was told when the other one was gone.
    (
        CommandInput,
        {**PRINT, "priority": 11, "payload": {"printer": "office", "copies": 0, "staple": True}},
        {
            "priority": "must be at most 10",
            "payload.document": "is missing: add it",
            "payload.copies": "must be at least 1",
            "payload.staple": "is not a field of this object: remove it, or look up the fields in /docs",
        },
    ),
    (
        CommandInput,
        {
            **PRINT,
            "priority": "5",
            "on_interrupt": "again",
            "tags": ["", 7],
            "expiresAt": "tomorrow",
            "expiresInS": 5,
            "backOff": {"first_delay_s": 60, "cap_s": 1},
            "reference": "",
            "order_key": "a\0b",
            "colour": True,
        },
        {
            "priority": "must be a number",
            "on_interrupt": "must be one of: rerun, unknown",
            "tags[0]": "is empty: send a value, or leave it out",
            "tags[1]": "must be text",
            "expiresAt": "must be an ISO 8601 time with its zone, such as 2026-11-21T08:00:00Z",
            "expiresInS": "contradicts expires_at: send only one of them",
            "backOff.cap_s": "must not be less than first_delay_s",
            "reference": "is empty: send a value, or leave it out",
            "order_key": "contains NUL or a broken character, which cannot be stored: remove it",
            "colour": "is not a field of this object: remove it, or look up the fields in /docs",
        },
    ),
    # Two names of one thing, beside what does not fit under either.
    (
        CommandInput,
        {
            **PRINT,
            "clientId": "press-2",
            "estimatedDuration": -1,
            "estimated_duration_seconds": 2,
            "max_retries": 1,
            "maxRetries": True,
            "payload": {
                "printer": "office",
                "printerName": "front",
                "pdfUrl": 7,
                "copies": 0,
                "options": {"colour": 1, "duplex": "tumble"},
            },
        },
        {
            "clientId": "contradicts client_id: send only one of them",
            "estimatedDuration": "must be at least 0",
            "estimated_duration_seconds": "contradicts estimatedDuration: send only one of them",
            "maxRetries": "contradicts max_retries: send only one of them",
            "payload.printerName": "contradicts printer: send only one of them",
            "payload.pdfUrl": "must be text",
            "payload.copies": "must be at least 1",
            "payload.options.colour": "is not a field of this object: remove it, or look up the fields in /docs",
            "payload.options.duplex": "must be one of: true, false, long, short",
        },
    ),
    # A name that is close to one that exists.
    (
        CommandInput,
        {**PRINT, "orderKeys": "a", "payload": {**PRINT["payload"], "copeis": 2}, "backOff": {"first_delay": 5}},
        {
            "orderKeys": f"{UNKNOWN}. Did you mean `order_key`?",
            "payload.copeis": f"{UNKNOWN}. Did you mean `copies`?",
            "backOff.first_delay": f"{UNKNOWN}. Did you mean `first_delay_s`?",
        },
    ),
    (
        CommandInput,
        {"client_id": "press-1", "action": "restart_agent", "payload": {"delay": 5_000}},
        {"payload.delay": f"{UNKNOWN}. Did you mean `delay_s`?"},
    ),
    # A path of Windows where a URL belongs, under the name that the caller has for it.
    (
        CommandInput,
        {**PRINT, "payload": {"printer": "office", "pdfUrl": "C:\\x.pdf"}},
        {"payload.pdfUrl": NO_URL},
    ),
    (
        CommandInput,
        {**PRINT, "payload": {"printer": "office", "document": {"url": "ftp://a/x.pdf"}}},
        {"payload.document.url": NO_URL},
    ),
    (
        BatchInput,
        {"target": {"all": True}, "command": {"action": "print", "payload": {"printer": "a", "pdfUrl": "/srv/x.pdf"}}},
        {"command.payload.pdfUrl": NO_URL},
    ),
    (
        CommandInput,
        {**PRINT, "payload": {"printer": "office", "document": DOCUMENT, "options": [], "filePath": "/srv/a"}},
        {
            "payload.options": "must be an object",
            "payload.filePath": "contradicts document: send only one of them",
        },
    ),
    (
        CommandInput,
        {
            **PRINT,
            "payload": {
                "printer": "x" * 64,
                "document": {"url": 7, "pages": 2},
                "copies": True,
                "sides": "both",
                "duplex": "tumble",
                "media": "a4; rm",
                "title": 5,
                "content_type": "pdf",
            },
        },
        {
            "payload.printer": "must have 63 or fewer characters",
            "payload.document.url": "must be text",
            "payload.document.pages": "is not a field of this object: remove it, or look up the fields in /docs",
            "payload.copies": "must be a whole number",
            "payload.sides": "must be one of: one-sided, two-sided-long-edge, two-sided-short-edge",
            "payload.duplex": "must be one of: true, false, long, short",
            "payload.media": "must be a size such as a4 or iso_a4_210x297mm",
            "payload.title": "must be text",
            "payload.content_type": "must be a media type such as application/pdf",
        },
    ),
    (
        CommandInput,
        {**PRINT, "payload": {"printer": "office", "document": {}, "duplex": True, "sides": "one-sided"}},
        {"payload.document": "must be the id of a document, or an object with either url or path"},
    ),
    (
        CommandInput,
        {**PRINT, "payload": {"printer": "office", "document": DOCUMENT, "duplex": True, "sides": "one-sided"}},
        {"payload.duplex": "contradicts sides: send only one of them"},
    ),
    (
        CommandInput,
        {
            "client_id": "Press 1",
            "action": "Print!",
            "payload": [],
            "timeout_s": 0,
            "not_before": "1999-01-01T00:00:00Z",
        },
        {
            "client_id": "must be 1 to 63 characters from a-z, 0-9 and '-', starting with a letter or digit",
            "action": "must be 1 to 63 characters from a-z, 0-9, '_' and '-', starting with a letter",
            "payload": "must be an object",
            "timeout_s": "must be more than 0",
            "not_before": "must be between the years 2000 and 2200",
        },
    ),
    (
        CommandInput,
        {"client_id": "press-1", "action": "reboot", "payload": {"delay_s": 3_601}},
        {"payload.delay_s": "must be at most 3600"},
    ),
    (CommandInput, {}, {"client_id": "is missing: add it", "action": "is missing: add it"}),
    (
        BatchInput,
        {
            "target": {"clients": [], "zone": "a"},
            "commands": [
                {**PRINT, "priority": 0},
                {"client_id": "b", "action": "print", "payload": {"printer": "a", "copies": 1_000}},
            ],
            "rollout": {},
            "max_failures": -1,
        },
        {
            "target.clients": "must have 1 or more entries",
            "target": "must have either `clients`, or `all`, or at least one of `group`, `zone` and `tags`",
            "commands[0].priority": "must be at least 1",
            "commands[1].payload.document": "is missing: add it",
            "commands[1].payload.copies": "must be at most 999",
            "rollout": "must have exactly one of per_minute, percent_per_minute",
            "max_failures": "must be at least 0",
            "body": "must have either both `target` and `command`, or only `commands`",
        },
    ),
    (
        ScheduleInput,
        {
            "name": "",
            "cron": "60 * * * *",
            "time_zone": "Seoul",
            "request": {
                "target": {"all": True},
                "command": {"action": "open-door", "not_before": "2026-11-21T08:00:00Z"},
            },
        },
        {
            "name": "is empty: send a value, or leave it out",
            "cron": "has an invalid minute, or one that no time ever matches: write it as in 0 7 * * 1-5",
            "time_zone": "must be an IANA time zone such as Asia/Seoul, or UTC",
            "request.command.not_before": "cannot be used here: the schedule decides the time",
        },
    ),
    (
        ScheduleChange,
        {"name": None, "cron": "7 *", "enabled": 1},
        {
            "name": "cannot be null: leave it out to keep the current value",
            "cron": "must be five fields (minute, hour, day of month, month, day of week), such as 0 7 * * 1-5",
            "enabled": "must be true or false",
        },
    ),
    (
        ScheduleChange,
        {},
        {"body": f"{NOTHING} name, cron, time_zone, request, misfire, grace_s, enabled"},
    ),
    (
        ClientInput,
        {"id": "p", "kind": "robot", "rate_limit": 1.5, "metadata": "none", "allowed_actions": "print"},
        {
            "kind": "must be one of: printer_pc, pda, kiosk, screen, other",
            "rate_limit": "must be a whole number",
            "metadata": "must be an object",
            "allowed_actions": "must be a list",
        },
    ),
    (
        ClientChange,
        {"name": None, "tags": None, "rate_limit": -1},
        {
            "name": "cannot be null: leave it out to keep the current value",
            "tags": "cannot be null: leave it out to keep the current value",
            "rate_limit": "must be at least 0",
        },
    ),
    (
        PermissionsOfMany,
        {"target": {"tags": {}}},
        {
            "target.tags": "must have at least one of all, any",
        },
    ),
    (
        PermissionsOfMany,
        {"target": {"all": True}},
        {"body": f"{NOTHING} allowed_actions, rate_limit, max_commands_per_day"},
    ),
    (
        ReplayInput,
        {"ids": ["7"], "filter": {"created_after": 5}, "cursor": "x" * 201},
        {
            "ids[0]": f"must be an id, such as {DOCUMENT}",
            "filter.created_after": "must be an ISO 8601 time with its zone, such as 2026-11-21T08:00:00Z",
            "cursor": "must have 200 or fewer characters",
            "body": "must have exactly one of ids, filter",
        },
    ),
    (
        PolicyInput,
        {"max_retries": None},
        {"body": f"{NOTHING} first_delay_s, factor, cap_s, max_retries, timeout_s, expires_in_s"},
    ),
    (
        ErrorInput,
        {"report_id": DOCUMENT, "session": "a b", "attempt": 0, "code": "Out of paper"},
        {
            "session": "must be 1 to 50 characters from A-Z, a-z, 0-9, '.', '_' and '-'",
            "attempt": "must be at least 1",
            "code": "must be 1 to 64 characters from a-z, 0-9 and '_', starting with a letter",
        },
    ),
    (
        ResultBody,
        {"report_id": DOCUMENT, "reportId": "7", "attempt": 1, "success": True},
        {
            "reportId": "contradicts report_id: send only one of them",
            "session": "is missing: add it",
            "success": "is not a field of this object: remove it, or look up the fields in /docs",
        },
    ),
    (ResultBody, {"success": "yes", "message": 7}, {"success": "must be true or false", "message": "must be text"}),
    (ClientInput, {"id": "subscribe"}, {"id": "is reserved for paths of the API: choose another id"}),
]
IDS = [f"{getattr(shape, '__name__', 'ResultBody')}-{place}" for place, (shape, _, _) in enumerate(CASES)]


@pytest.mark.parametrize(("shape", "body", "told"), CASES, ids=IDS)
async def test_every_fault_is_told_at_once_with_what_to_do(
    shape: Any, body: dict[str, Any], told: dict[str, str]
) -> None:
    assert await refused(shape, body, "en") == told


@pytest.mark.parametrize(("shape", "body", "told"), CASES, ids=IDS)
async def test_the_same_is_told_in_korean(shape: Any, body: dict[str, Any], told: dict[str, str]) -> None:
    said = await refused(shape, body, "ko")
    assert said.keys() == told.keys()
    for field, message in said.items():
        assert re.search("[가-힣]", message), (field, message)
        assert message.endswith("."), (field, message)
        assert not LIBRARIES.search(message), (field, message)


async def test_a_body_that_is_no_object_is_told_in_the_same_voice() -> None:
    assert await refused(CommandInput, [1], "en") == {"body": "must be an object"}
    assert await refused(CommandInput, "x", "ko") == {"body": "객체 값이어야 합니다."}

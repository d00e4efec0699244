"""The page of other names is the table of the code, and each of its rows is so."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.api.catalogue import CATALOGUE
from hub.api.field_catalogue import field_sentence, of_validation
from hub.core.clients.shapes import ClientOutput, NewClientOutput
from hub.core.commands.shapes import CommandInput, CommandOutput
from hub.core.http_clients import rules
from hub.core.http_clients.shapes import ErrorBody, Ping, ResultBody, SimpleReport, StatusBody
from hub.features.batches.shapes import BatchInput
from hub.features.schedules.shapes import ScheduleInput
from schemas import actions, names
from schemas.messages import Report, Run
from schemas.names import TABLE, Name
from tests.contract.docs.pages import rows

DOCUMENT = UUID("0192f0c1-0000-7000-8000-000000000001")
COMMAND = UUID("0192f0c1-0000-7000-8000-000000000002")
BY_PLACE = {place: [name for name in TABLE if name.place == place] for place in {name.place for name in TABLE}}
#: A value of each field, as it is sent under the other name and as it is kept.
SAID: Mapping[str, tuple[Any, Any]] = {
    "clientId": ("press-1", "press-1"),
    "estimatedDuration": (30, 30.0),
    "estimated_duration_seconds": (30, 30.0),
    "printerName": ("office", "office"),
    "pdfUrl": ("https://files.example/a.pdf", "https://files.example/a.pdf"),
    "filePath": ("/srv/a.pdf", "/srv/a.pdf"),
    "file": ("/srv/a.pdf", "/srv/a.pdf"),
    "options.duplex": (True, "two-sided-long-edge"),
    "displayIndex": (1, 1),
    "display": (1, 1),
}
OTHERS: Mapping[str, Any] = {
    "client_id": "press-2",
    "estimated_duration_s": 31,
    "printer": "front",
    "document": str(DOCUMENT),
    "sides": "one-sided",
    "display_index": 2,
}
"""What contradicts."""


def of(place: str) -> list[Any]:
    return [pytest.param(name, id=name.theirs) for name in BY_PLACE[place]]


def at(value: Any, path: str) -> Any:
    """What is at a path of a JSON value, or of fields."""
    for part in path.split("."):
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return value


def put(path: str, value: Any) -> dict[str, Any]:
    """An object with a value at a path."""
    name, _, rest = path.partition(".")
    return {name: put(rest, value) if rest else value}


def test_the_page_shows_the_table() -> None:
    shown = [tuple(row[:3]) for row in rows("docs/reference/names.md") if row[0] in BY_PLACE]
    assert shown == [(name.place, name.theirs, name.ours or "-") for name in TABLE]


def test_every_place_is_looked_at() -> None:
    looked_at = {names.COMMAND, names.PRINT, names.DISPLAY, names.PING, names.EVENT, names.STATUS, names.RESULT}
    assert set(BY_PLACE) == looked_at | {names.ERROR, names.COMMAND_ANSWER, names.CLIENT_ANSWER, names.CODE}


# --- what callers send ---------------------------------------------------------------------------------------


def command(**fields: Any) -> dict[str, Any]:
    return {"client_id": "press-1", "action": "open-door", **fields}


@pytest.mark.parametrize("name", of(names.COMMAND))
def test_a_field_of_a_command_has_its_other_name(name: Name) -> None:
    sent, kept = SAID[name.theirs]
    body = {field: value for field, value in command().items() if field != name.ours}
    assert getattr(CommandInput.model_validate({**body, name.theirs: sent}).to_request(), name.ours) == kept
    assert CommandInput.model_validate({**body, name.theirs: sent, name.ours: sent}).client_id == "press-1"
    with pytest.raises(ValidationError) as refused:
        CommandInput.model_validate({**body, name.theirs: sent, name.ours: OTHERS[name.ours]})
    [problem] = [of_validation({**error, "loc": ("body", *error["loc"])}) for error in refused.value.errors()]
    assert problem.field == name.theirs
    assert field_sentence(problem, korean=False) == f"contradicts {name.ours}: send only one of them"


def payload_of(action: str, name: Name) -> tuple[dict[str, Any], dict[str, Any]]:
    """The least payload but for what a name says, and that with it."""
    field = name.ours.partition(".")[0]
    least = {"printer": "office", "document": str(DOCUMENT)} if action == "print" else {}
    rest = {other: value for other, value in least.items() if other != field}
    return rest, {**rest, **put(name.theirs, SAID[name.theirs][0])}


PAYLOADS = [
    pytest.param(action, name, id=f"{action}-{name.theirs}")
    for action, place in (("print", names.PRINT), ("display", names.DISPLAY))
    for name in BY_PLACE[place]
]


@pytest.mark.parametrize(("action", "name"), PAYLOADS)
def test_a_field_of_a_payload_has_its_other_name_wherever_it_is_given(action: str, name: Name) -> None:
    rest, payload = payload_of(action, name)
    kept = {**rest, **put(name.ours, SAID[name.theirs][1])}
    inner = {"action": action, "payload": payload}
    batch = {"target": {"all": True}, "command": inner}
    listed = {"commands": [{"client_id": "press-1", **inner}]}
    schedule = {"name": "n", "cron": "0 7 * * *", "request": batch}
    of_batch = BatchInput.model_validate(batch).to_request().command
    if name.ours.startswith("document."):  # which a schedule refuses under each name
        with pytest.raises(ValidationError, match="document_by_id"):
            ScheduleInput.model_validate(schedule)
        of_schedule = of_batch
    else:
        of_schedule = ScheduleInput.model_validate(schedule).to_request().request.command
    assert of_batch is not None
    assert of_schedule is not None
    for request in (
        CommandInput.model_validate({"client_id": "press-1", **inner}).to_request(),
        BatchInput.model_validate(listed).to_request().commands[0],
        of_batch,
        of_schedule,
    ):
        assert actions.accept(action, request.payload) == request.payload == kept


@pytest.mark.parametrize(("action", "name"), PAYLOADS)
def test_both_names_of_a_field_agree_or_are_both_named(action: str, name: Name) -> None:
    rest, payload = payload_of(action, name)
    field = name.ours.partition(".")[0]
    ours = put(name.ours, SAID[name.theirs][1])
    assert actions.accept(action, {**payload, **ours}) == {**rest, **ours}
    with pytest.raises(actions.PayloadError) as refused:
        actions.accept(action, {**payload, field: OTHERS[field]})
    assert refused.value.field == name.theirs
    assert f"{name.theirs} contradicts {field}" in refused.value.message


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"pdfUrl": "https://a.example/a", "filePath": "/srv/a"}, "filePath"),
        ({"filePath": "/srv/a", "file": "/srv/b"}, "file"),
        ({"document": str(DOCUMENT), "options": []}, "options"),
        ({"document": str(DOCUMENT), "options": {"duplex": 1}}, "options.duplex"),
        ({"document": str(DOCUMENT), "options": {"duplex": "both"}}, "options.duplex"),
        ({"document": str(DOCUMENT), "options": {"colour": True}}, "options.colour"),
        ({"document": str(DOCUMENT), "options": {"printer": "x"}}, "options.printer"),
        ({"document": str(DOCUMENT), "options": {"copies": 2}, "copies": 3}, "options.copies"),
        ({"document": str(DOCUMENT), "options": {"duplex": True}, "duplex": False}, "options.duplex"),
        ({"document": str(DOCUMENT), "options": {"copies": 0}}, "copies"),
        ({"pdfUrl": 5}, "document.url"),
        ({"pdfUrl": None}, "document"),
    ],
)
def test_a_wrong_payload_under_other_names_is_refused(payload: dict[str, Any], field: str) -> None:
    with pytest.raises(actions.PayloadError) as refused:
        actions.accept("print", {"printer": "office", **payload})
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("action", "payload", "kept"),
    [
        ("print", {"contentType": "text/plain"}, {"content_type": "text/plain"}),
        ("print", {"options": {"content_type": "text/plain"}}, {"content_type": "text/plain"}),
        ("reboot", {"delayS": 5}, {"delay_s": 5}),
        ("collect_logs", {"maxBytes": 5}, {"max_bytes": 5}),
        ("status", {}, {}),
        ("pick", {"taskId": 5}, {"taskId": 5}),
        ("open-door", {"delayS": 5}, {"delayS": 5}),
    ],
)
def test_fields_of_payloads_may_be_in_camel_case(action: str, payload: dict[str, Any], kept: dict[str, Any]) -> None:
    least = {"printer": "office", "document": str(DOCUMENT)} if action == "print" else {}
    assert actions.accept(action, {**least, **payload}) == {**least, **kept}


@pytest.mark.parametrize(
    ("options", "beside", "kept"),
    [
        ({"duplex": False}, {}, {"sides": "one-sided"}),
        ({"duplex": "short"}, {}, {"sides": "two-sided-short-edge"}),
        ({"duplex": True}, {"duplex": "long"}, {"duplex": "long"}),
        ({"duplex": True}, {"sides": "two-sided-long-edge"}, {"sides": "two-sided-long-edge"}),
        ({"duplex": None, "copies": 2}, {}, {"copies": 2}),
        ({}, {"copies": 2}, {"copies": 2}),
        (None, {}, {}),
    ],
)
def test_options_are_kept_as_fields(options: Any, beside: dict[str, Any], kept: dict[str, Any]) -> None:
    least = {"printer": "office", "document": str(DOCUMENT)}
    assert actions.accept("print", {**least, "options": options, **beside}) == {**least, **kept}


# --- what clients that know only their key say and get -------------------------------------------------------


def report(form: Any, body: dict[str, Any]) -> Report:
    found = TypeAdapter(form).validate_python(body)
    assert isinstance(found, SimpleReport)
    return found.report(COMMAND, 1)


@pytest.mark.parametrize("name", of(names.PING))
def test_a_ping_has_what_is_ignored(name: Name) -> None:
    assert Ping.model_validate({name.theirs: "2026-11-21T08:00:00Z"}).session is None


@pytest.mark.parametrize("name", of(names.STATUS))
def test_a_status_has_its_other_name(name: Name) -> None:
    if name.theirs == "message":
        assert at(report(StatusBody, {"status": "completed", "message": "well"}), name.ours) == "well"
    else:
        assert report(StatusBody, {"status": name.theirs}).status.value == name.ours


@pytest.mark.parametrize("name", of(names.RESULT))
def test_a_result_has_its_other_name(name: Name) -> None:
    field, _, said = name.theirs.partition(": ")
    if said:
        assert report(ResultBody, {"success": said == "true"}).status.value == name.ours
        return
    value = {"data": {"jobId": 1}, "message": "well", "duration": 1.5}[field]
    assert at(report(ResultBody, {"success": True, field: value}), name.ours) == value


@pytest.mark.parametrize("name", of(names.ERROR))
def test_an_error_has_its_other_name(name: Name) -> None:
    assert at(report(ErrorBody, {name.theirs: "why"}), name.ours) == "why"


@pytest.mark.parametrize("name", of(names.EVENT))
def test_an_event_has_its_other_name(name: Name) -> None:
    print_payload = {
        "printer": "office",
        "document": {"id": str(DOCUMENT), "path": f"/api/documents/{DOCUMENT}"},
        "sides": "two-sided-long-edge",
    }
    shown = name.theirs == "payload.displayIndex"
    run = Run(
        client_id="pda-1",
        command_id=COMMAND,
        attempt=1,
        lane="client",
        action="display" if shown else "print",
        payload={"display_index": 1} if shown else print_payload,
        priority=5,
        issued_at=datetime.now(UTC),
        expires_at=datetime.now(UTC),
        timeout_s=60,
    )
    event = rules.command_event(run, lambda document_id: f"http://hub/api/documents/{document_id}")
    theirs, ours = at(event, name.theirs), at(run, name.ours)
    if name.ours == "payload.document.path":
        assert theirs == f"http://hub{ours}"
    elif name.ours == "payload.sides":
        assert theirs is True
    elif name.theirs == "payload":
        assert ours.items() <= theirs.items()
    else:
        assert theirs == (str(ours) if name.theirs == "id" else ours)


# --- what callers read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*of(names.COMMAND_ANSWER), *of(names.CLIENT_ANSWER)])
def test_an_answer_has_our_name_and_not_the_other_one(name: Name) -> None:
    models = (CommandOutput,) if name.place == names.COMMAND_ANSWER else (ClientOutput, NewClientOutput)
    fields = {field: model.model_fields[field] for model in models for field in model.model_fields}
    field, _, inner = name.ours.partition(".")
    assert field in fields
    assert not inner or inner in str(fields[field].annotation.__args__[0].model_fields)  # type: ignore[union-attr]
    assert name.theirs not in fields or name.theirs == "status"


@pytest.mark.parametrize("name", of(names.CODE))
def test_a_code_is_the_title_of_ours_or_said_to_be_another(name: Name) -> None:
    titles = {entry.name for entry in CATALOGUE.values()}
    [row] = [row for row in rows("docs/reference/names.md") if row[:2] == [name.place, name.theirs]]
    if name.theirs in titles:
        assert CATALOGUE[name.ours].name == name.theirs
        assert not row[3].startswith("title")
    else:
        assert row[3].startswith(f"title {CATALOGUE[name.ours].name}")

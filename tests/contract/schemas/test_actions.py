"""One payload for each action: the reference page, the hub, the agent and the exported schemas have the same fields,
limits and defaults. What the page says is held against the other three."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.base import read_payload
from device_agent.actions.config import MachineConfig, PrinterConfig
from device_agent.actions.printing import request as print_request
from device_agent.actions.registry import Drivers
from device_agent.core.gate import PayloadError
from hub.core.commands.service.submission import CommandRequest, check
from hub.errors import RejectedError
from schemas import actions, asyncapi, export
from schemas.actions import ACTIONS
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
WITHOUT_DRIVER = {"display", "pick", "screenshot"}
DOCUMENT_ID = "0192f0c1-0000-7000-8000-000000000001"
#: A value of each required field: as callers give it, and as agents get it.
ASKED = {"printer": "office", "document": DOCUMENT_ID}
SENT = {"printer": "office", "document": {"path": f"/api/documents/{DOCUMENT_ID}", "sha256": "0" * 64, "size": 1}}
#: What a text or a name in a pattern is probed with.
TEXTS = ("office", "1-3,5", "a4", "application/pdf", "image/png", "", " ", "a b", "a/b/c", "-", "/", "용지", "a4\n")


@dataclass(frozen=True)
class Field:
    """One field of a payload. Bounds are of a number, or of a text's length; None: without."""

    kind: str
    required: bool
    default: Any = None
    low: float | None = None
    high: float | None = None
    pattern: str | None = None
    choices: frozenset[str] = frozenset()
    """As JSON."""


Fields = dict[str, Field]


# --- what the page says --------------------------------------------------------------------------------------


def sections() -> dict[str, str]:
    """The text below each heading that names actions, by the action."""
    found = {}
    for heading, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL):
        found |= {name: text for name in heading.split(", ") if name in ACTIONS}
    return found


def documented(action: str) -> Fields:
    """The fields of an action by its table."""
    lines = [line for line in sections()[action].splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name.strip("`"): described(takes, default.strip("`")) for name, default, takes, _ in cells}


def described(takes: str, default: str) -> Field:
    """A field by its cells `takes` and `default`."""
    known: dict[str, Any] = {"required": default == "required"}
    if default not in ("required", "-"):
        known["default"] = json.loads(default.replace(",", ""))
    if takes == "a document":
        return Field(kind="document", **known)
    if takes.startswith("`"):
        words = re.findall(r"`([^`]+)`", takes)
        choices = frozenset(word if word in ("true", "false") else json.dumps(word) for word in words)
        return Field(kind="choice", choices=choices, **known)
    kind = {"text": "string", "whole": "integer", "number": "number"}[takes.split(",")[0].split()[0]]
    pattern = re.search(r"like `([^`]+)`", takes)
    spelled = takes.replace(pattern[0], "") if pattern else takes
    if between := re.search(r"([\d,]+) to ([\d,]+)", spelled):
        low, high = (float(number.replace(",", "")) for number in between.groups())
        return Field(kind=kind, low=low, high=high, pattern=pattern and pattern[1], **known)
    most = re.search(r"at most ([\d,]+)", spelled)
    least = re.search(r"([\d,]+) or more", spelled)
    return Field(
        kind=kind,
        low=float(least[1]) if least else None,
        high=float(most[1]) if most else None,
        pattern=pattern and pattern[1],
        **known,
    )


def takes_any_object(action: str) -> bool:
    return "any object" in sections()[action]


def test_every_action_has_a_section() -> None:
    assert set(sections()) == set(ACTIONS)
    assert set(documented("print")) >= {"printer", "document", "copies", "content_type"}


# --- values on both sides of what the page says --------------------------------------------------------------


def good(field: Field) -> Iterator[Any]:
    """Values that the field takes, those at its bounds among them."""
    if not field.required and field.default is None:
        yield None
    match field.kind:
        case "choice":
            yield from (json.loads(choice) for choice in field.choices)
        case "integer":
            yield from (int(bound) for bound in (field.low, field.high) if bound is not None)
        case "number":
            yield from (bound for bound in (field.low, field.high, 0.5) if bound is not None)
        case "string" if field.pattern is not None:
            yield from (text for text in TEXTS if re.fullmatch(field.pattern, text))
            yield longest(field)
        case "string":
            yield from ("x" * int(field.low or 0), "주" * int(field.high or 0))


def bad(field: Field) -> Iterator[Any]:
    """Values that the field does not take, those just beyond its bounds among them."""
    yield from ([], {"x": 1})
    if field.required or field.default is not None:
        yield None
    match field.kind:
        case "choice":
            yield from (value for value in ("", "no such", 1, True) if json.dumps(value) not in field.choices)
        case "integer" | "number":
            yield from ("1", True)
            if field.low is not None:
                yield int(field.low) - 1
            if field.high is not None:
                yield int(field.high) + 1
            if field.kind == "integer":
                yield 1.5
        case "string":
            yield 7
            if field.low:
                yield "x" * (int(field.low) - 1)
            if field.high is not None:
                yield longest(field) + "x"
            if field.pattern is not None:
                yield from (text for text in TEXTS if not re.fullmatch(field.pattern, text))


def longest(field: Field) -> str:
    """A text of the most characters."""
    start = next((text for text in TEXTS if field.pattern and text and re.fullmatch(field.pattern, text)), "")
    return start + "x" * (int(field.high or 0) - len(start))


def base(fields: Fields, values: dict[str, Any]) -> dict[str, Any]:
    """The least payload."""
    return {name: values[name] for name, field in fields.items() if field.required}


# --- the hub -------------------------------------------------------------------------------------------------


def hub_refuses(action: str, payload: dict[str, Any]) -> str | None:
    """The field that the hub refuses; None: it accepts."""
    try:
        check(CommandRequest(client_id="pc", action=action, payload=payload))
    except RejectedError as problem:
        return problem.fields[0].field
    return None


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_the_hub_has_the_fields_limits_and_defaults_of_the_page(action: str) -> None:
    fields = documented(action)
    least = base(fields, ASKED)
    assert hub_refuses(action, least) is None
    for name, field in fields.items():
        for value in good(field):
            assert hub_refuses(action, {**least, name: value}) is None, (name, value)
        for value in bad(field):
            assert (hub_refuses(action, {**least, name: value}) or "").startswith(f"payload.{name}"), (name, value)
        if field.required:
            without = {key: value for key, value in least.items() if key != name}
            assert hub_refuses(action, without) == f"payload.{name}"
        else:
            assert getattr(actions.read(ACTIONS[action].asked, least), name) == field.default
    others = {name for other in ACTIONS for name in documented(other)} | {"no_such_field"}
    for name in others - fields.keys():
        assert (hub_refuses(action, {**least, name: 1}) is None) == takes_any_object(action), name


# --- the agent -----------------------------------------------------------------------------------------------


@pytest.fixture
def drivers(tmp_path: Path) -> Drivers:
    names = ("office", "1-3,5", "x", "주" * 63)
    printers = [PrinterConfig(name=name, uri=f"folder:{tmp_path}", default=name == "x") for name in names]
    return Drivers(printers, {}, version="1", folder=tmp_path, machine=MachineConfig(reboot=True, shutdown=True))


def agent_refuses(drivers: Drivers, action: str, payload: dict[str, Any]) -> str | None:
    """What the agent says about a payload that it refuses; it begins with the field. None: it accepts."""
    driver = drivers.driver_for(action)
    assert driver is not None
    try:
        driver.check(action, payload)
    except PayloadError as problem:
        return problem.message if problem.code == "payload_invalid" else f"({problem.code})"
    return None


def agent_reads(action: str, payload: dict[str, Any]) -> Any:
    return print_request.parse(payload) if action == "print" else read_payload(ACTIONS[action].sent, payload)


def test_the_agent_has_a_driver_for_each_action_but_these(drivers: Drivers) -> None:
    assert set(ACTIONS) - set(drivers.actions) == WITHOUT_DRIVER


@pytest.mark.parametrize("action", sorted(set(ACTIONS) - WITHOUT_DRIVER))
def test_the_agent_has_the_fields_limits_and_defaults_of_the_page(action: str, drivers: Drivers) -> None:
    fields = documented(action)
    least = base(fields, SENT)
    assert agent_refuses(drivers, action, {**least, "no_such_field": 1}) is None
    for name, field in fields.items():
        for value in good(field):
            assert agent_refuses(drivers, action, {**least, name: value}) is None, (name, value)
        for value in bad(field):
            said = agent_refuses(drivers, action, {**least, name: value})
            assert (said or "").startswith(name), (name, value)
        if field.required:
            assert agent_refuses(drivers, action, {key: value for key, value in least.items() if key != name})
        elif name == "content_type":  # decided by the document, which does not say it here
            assert agent_reads(action, least).content_type == "application/octet-stream"
        else:
            assert getattr(agent_reads(action, least), name) == field.default


def test_the_example_of_a_run_has_a_payload_of_its_action() -> None:
    run = json.loads((ROOT / "schemas" / "examples" / "run.json").read_text(encoding="utf-8"))
    assert agent_reads(run["action"], run["payload"]).document.path == run["payload"]["document"]["path"]


# --- the exported schemas ------------------------------------------------------------------------------------


def from_schema(schema: dict[str, Any], components: dict[str, Any]) -> Fields:
    """The fields of an object's schema, resolved."""
    while "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", [])
    return {name: of_property(found, required=name in required) for name, found in schema.get("properties", {}).items()}


def of_property(found: dict[str, Any], *, required: bool) -> Field:
    known: dict[str, Any] = {"required": required, "default": found.get("default")}
    parts = [part for part in found.get("anyOf", [found]) if part.get("type") != "null"]
    assert required or ({"type": "null"} in found.get("anyOf", [])) == (found["default"] is None)
    if any("/Document" in part.get("$ref", "") for part in parts):
        return Field(kind="document", **known)
    if any("enum" in part or part["type"] == "boolean" for part in parts):
        values = [value for part in parts for value in part.get("enum", [True, False])]
        return Field(kind="choice", choices=frozenset(map(json.dumps, values)), **known)
    (part,) = parts
    pattern = part.get("pattern")
    return Field(
        kind=part["type"],
        low=part.get("minimum", part.get("minLength")),
        high=part.get("maximum", part.get("maxLength")),
        pattern=pattern and pattern.removeprefix("^").removesuffix("$"),
        **known,
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export.write(folder)
    return folder


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("form", ["asked", "sent"])
def test_the_exported_schema_has_the_fields_limits_and_defaults_of_the_page(
    action: str, form: str, exported: Path
) -> None:
    schema = json.loads((exported / "actions" / f"{action}.{form}.json").read_text(encoding="utf-8"))
    assert from_schema(schema, schema["$defs"]) == documented(action)
    closed = schema["$defs"][schema["$ref"].rpartition("/")[2]].get("additionalProperties") is False
    assert closed == (form == "asked" and not takes_any_object(action))


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_asyncapi_has_the_fields_limits_and_defaults_of_the_page(action: str, exported: Path) -> None:
    document = json.loads((exported / export.ASYNCAPI).read_text(encoding="utf-8"))
    assert document == asyncapi.document()
    payload = document["components"]["messages"]["run"]["x-floorhub-payloads"][action]
    assert from_schema(payload, document["components"]["schemas"]) == documented(action)

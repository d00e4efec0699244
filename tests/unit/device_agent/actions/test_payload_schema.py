"""A JSON Schema that a site's own action brings: what fits, what is refused, and what is no schema."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from device_agent.actions.config import OwnActionConfig
from device_agent.actions.registry import MAX_SCHEMAS, Drivers
from device_agent.config import ConfigError, parse
from device_agent.core.gate import PayloadError
from tests.support.agent_config import LEAST

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "args": {
            "type": "object",
            "properties": {"gate": {"$ref": "#/$defs/gate"}, "times": {"type": "integer", "maximum": 3}},
            "required": ["gate"],
            "additionalProperties": False,
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["args"],
    "$defs": {"gate": {"enum": ["north", "south"]}},
}


def drivers(folder: Path, **schemas: Any) -> Drivers:
    actions = {name: OwnActionConfig(argv=["/bin/true"], payload_schema=schema) for name, schema in schemas.items()}
    return Drivers([], actions, version="1", folder=folder)


def open_gate(folder: Path, schema: dict[str, Any] = SCHEMA) -> Any:
    own = OwnActionConfig(argv=["/bin/open", "{gate}", "{times}"], payload_schema=schema)
    return Drivers([], {"open_gate": own}, version="1", folder=folder).driver_for("open_gate")


def test_a_payload_that_fits_is_taken(tmp_path: Path) -> None:
    open_gate(tmp_path).check("open_gate", {"args": {"gate": "north", "times": 3}, "notes": ["x"]})


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"args": {"gate": "west", "times": 1}}, r"^args\.gate: .*west"),
        ({"args": {"gate": "north", "times": "1"}}, r"^args\.times: .*integer"),
        ({"args": {"gate": "north", "times": 4}}, r"^args\.times: .*3"),
        ({"args": {"times": 1}}, r"^args: .*gate.* required"),
        ({"args": {"gate": "north", "times": 1, "force": True}}, r"^args: .*force"),
        ({"args": {"gate": "north", "times": 1}, "notes": ["x", 1]}, r"^notes\[1\]: "),
        ({}, r"args.* required"),
    ],
)
def test_a_payload_that_does_not_fit_names_the_field(tmp_path: Path, payload: dict[str, Any], said: str) -> None:
    with pytest.raises(PayloadError, match=said) as caught:
        open_gate(tmp_path).check("open_gate", payload)
    assert caught.value.code == "payload_invalid"


def test_what_fits_the_schema_must_still_fit_the_program(tmp_path: Path) -> None:
    with pytest.raises(PayloadError, match="times is missing"):
        open_gate(tmp_path).check("open_gate", {"args": {"gate": "north"}})


def test_a_huge_or_deep_payload_makes_a_short_sentence(tmp_path: Path) -> None:
    deep: dict[str, Any] = {"args": 1}
    for _ in range(900):
        deep = {"args": deep}
    driver = open_gate(tmp_path, {"type": "object", "properties": {"args": {"$ref": "#"}}})
    for payload in (deep, {"args": "x" * 40_000}):
        with pytest.raises(PayloadError) as caught:
            driver.check("open_gate", payload)
        assert len(caught.value.message) < 1_100


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "objekt"}, "objekt"),
        ({"properties": {"args": {"pattern": "("}}}, r"properties\.args\.pattern"),
        ({"$ref": "#/$defs/none"}, "none"),
        ({"$ref": "http://127.0.0.1:9/gate.json"}, r"gate\.json is not part of the schema"),
        ({"$ref": "file:///etc/passwd"}, "passwd is not part of the schema"),
        ({"$schema": "https://no.example/draft"}, r"no\.example"),
    ],
)
def test_what_is_no_schema_is_an_error_that_names_the_action(tmp_path: Path, schema: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"^actions\.open_gate\.payload_schema: ") as caught:
        drivers(tmp_path, open_gate=schema)
    assert caught.match(said)


def test_without_the_library_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(ValueError, match=r"actions\.open_gate\.payload_schema: .*floorhub\[payload-schema\]"):
        drivers(tmp_path, open_gate=SCHEMA)
    assert drivers(tmp_path, open_gate=None).actions == ["collect_logs", "open_gate", "restart_agent", "status"]


def test_the_client_tells_the_schemas_it_has(tmp_path: Path) -> None:
    assert drivers(tmp_path, open_gate=SCHEMA, feed=None).payload_schemas == {"open_gate": SCHEMA}


def test_schemas_that_no_state_message_could_hold_are_refused(tmp_path: Path) -> None:
    large = {"description": "x" * (MAX_SCHEMAS // 2)}
    drivers(tmp_path, one=large)
    with pytest.raises(ValueError, match=r"^actions: their payload schemas have"):
        drivers(tmp_path, one=large, two=large)


def test_a_schema_may_stand_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_text(json.dumps(SCHEMA))
    table = LEAST | {"actions": {"open_gate": {"argv": ["/bin/true"], "payload_schema": "gate.json"}}}
    assert parse(table, tmp_path).actions["open_gate"].payload_schema == SCHEMA
    table = LEAST | {"actions": {"open_gate": {"argv": ["/bin/true"], "payload_schema": SCHEMA}}}
    assert parse(table, tmp_path).actions["open_gate"].payload_schema == SCHEMA


@pytest.mark.parametrize(
    ("content", "said"), [(None, "cannot be read"), ("{", "holds no JSON object"), ("[]", "holds no JSON object")]
)
def test_a_schema_file_that_cannot_be_used_names_the_action(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "gate.json").write_text(content)
    table = LEAST | {"actions": {"open_gate": {"argv": ["/bin/true"], "payload_schema": "gate.json"}}}
    with pytest.raises(ConfigError, match=rf"^actions\.open_gate\.payload_schema: .*{said}"):
        parse(table, tmp_path)

"""Fields of bodies take the JSON type that they are described with, and no other; on every route, also later ones."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from hub.api.shapes import Input, Moment
from tests.support.hubs import routes

OF_ANOTHER_TYPE: dict[str, list[Any]] = {
    "integer": [False, True, "3", "", 1.5, float("inf"), float("nan"), [], {}],
    "number": [False, True, "3", "", float("inf"), float("nan"), [], {}],
    "boolean": [0, 1, 0.0, "true", "no", "", [], {}],
    "string": [0, 1.5, True, [], {}],
}


def shapes(kind: type[Input] = Input) -> Iterator[type[Input]]:
    for inner in kind.__subclasses__():
        yield inner
        yield from shapes(inner)


def cases() -> Iterator[tuple[type[Input], str, str]]:
    """Each field of each shape, with its JSON type; of lists, the items' type as `[type]`."""
    routes()  # brings in every subject
    for shape in sorted(set(shapes()), key=lambda shape: shape.__name__):
        for name, described in shape.model_json_schema()["properties"].items():
            for each in described.get("anyOf", [described]):
                if each.get("type") in OF_ANOTHER_TYPE:
                    yield shape, name, each["type"]
                elif each.get("items", {}).get("type") in OF_ANOTHER_TYPE:
                    yield shape, name, f"[{each['items']['type']}]"


CASES = list(cases())


@pytest.mark.parametrize(("shape", "name", "kind"), CASES, ids=[f"{s.__name__}.{n}:{k}" for s, n, k in CASES])
def test_a_value_of_another_type_is_refused_by_name(shape: type[Input], name: str, kind: str) -> None:
    for value in OF_ANOTHER_TYPE[kind.strip("[]")]:
        given = [value] if kind.startswith("[") else value
        with pytest.raises(ValidationError) as refused:
            shape.model_validate({name: given})
        assert name in [error["loc"][0] for error in refused.value.errors() if error["loc"]], value


def field_of(shape: type[Input], name: str) -> SchemaValidator:
    """What validates one field of a shape."""
    schema: Any = shape.__pydantic_core_schema__
    while schema["type"] != "model-fields":
        schema = schema["schema"]
    return SchemaValidator(schema["fields"][name]["schema"])


def test_all_kinds_were_tried() -> None:
    assert {kind for _, _, kind in CASES} == {"integer", "number", "boolean", "string", "[string]"}
    assert ("CommandInput", "max_retries", "integer") in [(s.__name__, n, k) for s, n, k in CASES]


def test_every_body_is_of_these_shapes() -> None:
    bodies = [route.body_field.field_info.annotation for route in routes() if route.body_field is not None]
    inputs = set(shapes())
    for body in bodies:
        # A body with several forms has each of them with a tag.
        forms = {getattr(form, "__origin__", form) for form in getattr(body, "__args__", ())}
        assert {body, *forms} & inputs, body
    assert len(bodies) > 10


@pytest.mark.parametrize("text", ["1", "1.0", "1e0"])
def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(text: str) -> None:
    from hub.core.commands.shapes import CommandInput

    body = {"client_id": "a", "action": "status", "max_retries": json.loads(text), "timeout_s": json.loads(text)}
    command = CommandInput.model_validate(body)
    assert (command.max_retries, command.timeout_s) == (1, 1.0)


@pytest.mark.parametrize("value", [1_764_000_000, 1_764_000_000_000, "1764000000", "1.764e9", True, None, ""])
def test_a_number_is_no_time(value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(value)


@pytest.mark.parametrize(("shape", "name", "kind"), [case for case in CASES if "string" in case[2]])
def test_words_are_kept_in_one_form(shape: type[Input], name: str, kind: str) -> None:
    described = shape.model_json_schema()["properties"][name]
    texts = json.dumps(described)
    if any(limit in texts for limit in ('"pattern"', '"enum"', '"format"', '"const"')):
        return  # takes no other script
    whole = unicodedata.normalize("NFD", "포장 ≤ é")
    value = [whole] if kind.startswith("[") else whole
    found = field_of(shape, name).validate_python(value)
    assert (found[0] if kind.startswith("[") else found) == unicodedata.normalize("NFC", whole)


def test_a_payload_stays_as_it_was_sent() -> None:
    from hub.core.commands.shapes import CommandInput

    payload = {unicodedata.normalize("NFD", "키"): [unicodedata.normalize("NFD", "값")]}
    body = {"client_id": "a", "action": "open-door", "payload": payload}
    assert CommandInput.model_validate(body).payload == payload

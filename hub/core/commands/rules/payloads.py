"""What is wrong with the payload of a built-in action: all of it, each fault at its field.

The contract (`schemas.actions`) says whether a payload fits, and stops at the first fault. Here the type of each field
says what it should have been.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from hub.api.field_catalogue import of_pattern, of_sentence, unknown_field
from hub.api.text import find_unstorable
from hub.errors import FieldProblem
from hub.outbound.rules import UrlError, parse_url
from schemas import actions

Limited = TypeVar("Limited", bound=inspect.Type)


def payload_problems(action: str, payload: dict[str, Any]) -> list[FieldProblem]:
    """What is wrong, by the path below the payload; empty when nothing is."""
    try:
        actions.accept(action, payload)
    except actions.PayloadError as refused:
        stored, wrong = actions.named_or_wrong(action, payload)
        found = [_of_sentence(problem) for problem in wrong]
        found += _of_struct(actions.ACTIONS[action].asked, stored, "")
        found = found or [_of_sentence(refused)]
        return [_as_sent(problem, action, payload) for problem in found]
    return []


def url_problems(action: str, payload: dict[str, Any], stored: Mapping[str, Any]) -> list[FieldProblem]:
    """What is wrong with the URL of a document, as the payload calls it. `stored`: the payload under our names."""
    document = stored.get("document") if action in actions.ACTIONS else None
    url = document.get("url") if isinstance(document, dict) else None
    if not isinstance(url, str) or url[:5].lower() == "file:":  # a path, which is looked at when it is opened
        return []
    try:
        parse_url(url)
    except UrlError as problem:
        return [_as_sent(FieldProblem("document.url", problem.code, problem.params), action, payload)]
    return []


def _as_sent(problem: FieldProblem, action: str, payload: Mapping[str, Any]) -> FieldProblem:
    """A problem at the name that the payload has for the field."""
    for alias, ours in actions.ACTIONS[action].aliases.items():
        if ours == problem.field and alias in payload and ours.partition(".")[0] not in payload:
            return FieldProblem(alias, problem.code, problem.params)
    return problem


def _of_sentence(problem: actions.PayloadError) -> FieldProblem:
    place = problem.field[:100]
    if find_unstorable(place, "") is not None:
        return FieldProblem(place.partition(".")[0], "unstorable")
    return FieldProblem(place, *of_sentence(problem.message))


def _of_struct(form: type[msgspec.Struct], given: Mapping[str, Any], path: str) -> Iterator[FieldProblem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(form)}
    for name, field in fields.items():
        if name not in given and field.required:
            yield FieldProblem(f"{path}{name}", "missing")
    for name, value in given.items():
        if name in fields:
            yield from _of_value(fields[name].type, value, f"{path}{name}")
        elif find_unstorable(name, "") is not None:
            yield FieldProblem(path.removesuffix("."), "unstorable")
        elif form.__struct_config__.forbid_unknown_fields:
            yield FieldProblem(f"{path}{name[:100]}", "unknown_field", unknown_field(name, fields))


def _of_value(kind: Any, value: Any, path: str) -> Iterator[FieldProblem]:
    try:
        msgspec.convert(value, kind)
    except UnicodeEncodeError:
        yield FieldProblem(path, "unstorable")
    except msgspec.ValidationError:
        types = list(actions.alternatives(inspect.type_info(kind)))
        struct = next((each for each in types if isinstance(each, inspect.StructType)), None)
        if struct is not None and isinstance(value, dict):
            yield from _of_struct(struct.cls, value, f"{path}.")
        else:
            yield FieldProblem(path, *_code(types, value))


def _code(types: list[inspect.Type], value: Any) -> tuple[str, Mapping[str, Any]]:
    """The code, and its params, for a value that is none of these."""
    choices = [each for kind in types if isinstance(kind, inspect.LiteralType) for each in kind.values]
    if isinstance(value, str):
        text = _first(types, inspect.StrType)
        if text is not None:
            return _text(text, value)
        if choices:
            shown = [*(("true", "false") if _first(types, inspect.BoolType) else ()), *choices]
            return "choice", {"choices": [str(each) for each in shown]}
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = _first(types, inspect.IntType) or _first(types, inspect.FloatType)
        if number is not None and (isinstance(number, inspect.FloatType) or float(value).is_integer()):
            return _number(number, value)
    return "type", {"kinds": tuple(dict.fromkeys(_kind(each) for each in types if not isinstance(each, _UNNAMED)))}


_UNNAMED = (inspect.NoneType,)
_KINDS: Mapping[type[inspect.Type], str] = {
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.StrType: "text",
    inspect.LiteralType: "text",
    inspect.ListType: "list",
    inspect.VarTupleType: "list",
}


def _kind(kind: inspect.Type) -> str:
    return _KINDS.get(type(kind), "object")


def _first(types: list[inspect.Type], kind: type[Limited]) -> Limited | None:
    return next((each for each in types if isinstance(each, kind)), None)


def _text(kind: inspect.StrType, value: str) -> tuple[str, Mapping[str, Any]]:
    if kind.min_length is not None and len(value) < kind.min_length:
        return ("empty", {}) if kind.min_length == 1 else ("too_short", {"limit": kind.min_length})
    if kind.max_length is not None and len(value) > kind.max_length:
        return "too_long", {"limit": kind.max_length}
    return of_pattern(kind.pattern or "")


def _number(kind: inspect.IntType | inspect.FloatType, value: float) -> tuple[str, Mapping[str, Any]]:
    for code, limit, wrong in (
        ("at_least", kind.ge, kind.ge is not None and value < kind.ge),
        ("more_than", kind.gt, kind.gt is not None and value <= kind.gt),
        ("at_most", kind.le, kind.le is not None and value > kind.le),
        ("less_than", kind.lt, kind.lt is not None and value >= kind.lt),
    ):
        if wrong:
            return code, {"limit": limit}
    return "beyond_64_bits", {}

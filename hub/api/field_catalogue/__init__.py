"""The one table of what can be wrong with a field: its code, and what to do, in English and Korean.

A sentence follows the field's name: `payload.copies: must be at least 1`. What libraries say is told apart by
`of_validation`, so that every field is spoken of in one voice, whoever looked at it.

Each code stands in one file of this folder, that of its subject.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from hub.api.field_catalogue import access, batches, clients, documents, forms, together, values
from hub.api.field_catalogue.forms import PATTERNS
from hub.api.field_catalogue.sentence import Sentence
from hub.errors import FieldProblem
from schemas.closeness import nearest

SUBJECTS = (values, forms, together, documents, access, clients, batches)
FIELDS: Mapping[str, Sentence] = {code: said for subject in SUBJECTS for code, said in subject.SENTENCES.items()}

KINDS: Mapping[str, Sentence] = {
    "text": Sentence("text", "문자열"),
    "integer": Sentence("a whole number", "정수"),
    "number": Sentence("a number", "숫자"),
    "boolean": Sentence("true or false", "true 또는 false"),
    "object": Sentence("an object", "객체"),
    "list": Sentence("a list", "배열"),
    "null": Sentence("null", "null"),
}
"""JSON types, as the sentence `type` names them."""

_LIBRARY: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "missing": ("missing", {}),
    "extra_forbidden": ("unknown_field", {}),
    "greater_than_equal": ("at_least", {"limit": "ge"}),
    "greater_than": ("more_than", {"limit": "gt"}),
    "less_than_equal": ("at_most", {"limit": "le"}),
    "less_than": ("less_than", {"limit": "lt"}),
    "string_too_short": ("too_short", {"limit": "min_length"}),
    "string_too_long": ("too_long", {"limit": "max_length"}),
    "too_short": ("too_few", {"limit": "min_length"}),
    "too_long": ("too_many", {"limit": "max_length"}),
    "finite_number": ("not_finite", {}),
    "int_parsing_size": ("beyond_64_bits", {}),
    "timezone_aware": ("time", {}),
    "timezone_naive": ("time", {}),
}
"""Pydantic's names of errors: the code, and where its params are in the context."""
_LIBRARY_TYPES: Mapping[str, str] = {
    "string": "text",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "list",
    "dict": "object",
    "model": "object",
    "none": "null",
}
_OF_THE_CONTRACT: Mapping[re.Pattern[str], tuple[str, Mapping[str, Any]]] = {
    re.compile(r"(?:it|\S+) contradicts (?P<other>[^;:]+)[;:] .*give only one of them"): ("contradicts", {}),
    re.compile(r"give page numbers and ranges in ascending order.*"): ("page_ranges", {}),
    re.compile(r"give the id of a document, or either url or path, as a string"): ("document_reference", {}),
    re.compile(r"there is no such option"): ("unknown_field", {}),
    re.compile(r"it has half of a character, which cannot be stored"): ("unstorable", {}),
    re.compile(r"give an object, such as .*"): ("type", {"kinds": ("object",)}),
    re.compile(r"give true, false, long or short"): ("choice", {"choices": ("true", "false", "long", "short")}),
}
MEANT = "meant"
"""The param of `unknown_field` with the field that was probably meant."""
FORMS = ("<full>", "<simple>")
"""What a place begins with that is in a body of several forms: it says which one, and is no part of the path."""
_OURS = "floorhub."
"""What the library's name of an error of ours begins with."""
_LIBRARY_FORMS: Mapping[str, str] = {"uuid": "uuid", "datetime": "time", "date": "time", "time": "time"}


def field_sentence(problem: FieldProblem, *, korean: bool) -> str:
    """What is wrong with a field and what to do. Foreign text in it is cut."""
    found = FIELDS.get(problem.code, FIELDS["refused"])
    params = {"reason": problem.code} | {name: _shown(value) for name, value in problem.params.items()}
    if "kinds" in params:
        named = [KINDS[kind][korean] for kind in problem.params["kinds"]]
        params["kinds"] = (" 또는 " if korean else " or ").join(named)
    sentence = (found.ko if korean else found.en).format(**params)
    if meant := problem.params.get(MEANT):
        return f"{sentence} 비슷한 필드: `{meant}`." if korean else f"{sentence}. Did you mean `{meant}`?"
    return sentence


def unknown_field(name: str, known: Iterable[str]) -> Mapping[str, str]:
    """The params of `unknown_field`: the known field that was probably meant, if one is close."""
    meant = nearest(name, known)
    return {} if meant is None else {MEANT: meant}


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)[:200]
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def of_pattern(pattern: str) -> tuple[str, dict[str, Any]]:
    """The code, and its params, for text that does not match a pattern."""
    code = PATTERNS.get(pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern)
    return (code, {}) if code else ("pattern", {"pattern": pattern})


def of_sentence(sentence: str) -> tuple[str, Mapping[str, Any]]:
    """The code, and its params, for what the contract says of a payload (`schemas.actions`), which knows no language
    but its own."""
    for pattern, (code, params) in _OF_THE_CONTRACT.items():
        if match := pattern.fullmatch(sentence):
            return code, {**params, **match.groupdict()}
    return "refused", {"reason": sentence}


def invalid(code: str, **params: Any) -> PydanticCustomError:
    """A problem of this table, for a validator to raise."""
    return PydanticCustomError(f"{_OURS}{code}", code, params)


def all_of(
    problems: Iterable[FieldProblem],
    others: ValidationError | None = None,
    said: Mapping[str, str] = MappingProxyType({}),
    fields: Iterable[str] = (),
) -> ValidationError:
    """All these problems, and others that were found before, for a validator to raise at once. `said`: what the body
    calls its fields, by our names; `fields`: all that it could have."""
    names = list(fields)
    known: list[InitErrorDetails] = [] if others is None else [_again(error, said, names) for error in others.errors()]
    ours: list[InitErrorDetails] = [
        {
            "type": invalid(one.code, **one.params),
            "loc": (said.get(one.field, one.field),) if one.field else (),
            "input": None,
        }
        for one in problems
    ]
    return ValidationError.from_exception_data("body", [*known, *ours])


def _again(error: ErrorDetails, said: Mapping[str, str], fields: list[str]) -> InitErrorDetails:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden" and len(error["loc"]) == 1:
        context = {**context, **unknown_field(str(error["loc"][0]), fields)}
    own = PydanticCustomError(kind, error["msg"], context)
    place = (said.get(str(error["loc"][0]), error["loc"][0]), *error["loc"][1:]) if error["loc"] else ()
    return {"type": own, "loc": place, "input": error["input"]}


def of_validation(error: Mapping[str, Any]) -> FieldProblem:
    """An error of pydantic as a problem of ours."""
    source, place = place_of(error)
    code, params = _told(str(error["type"]), error.get("ctx") or {}, str(error["msg"]))
    if source in ("query", "header"):
        place = place[:1]  # a parameter is named as a whole, also one that may be given several times
    return FieldProblem(_path(place) or source, code, params)


def place_of(error: Mapping[str, Any]) -> tuple[str, list[str | int]]:
    """The part of the request that an error of pydantic is about, and where in it."""
    source, *place = error["loc"]
    return str(source), place[1:] if place and place[0] in FORMS else place


def _path(place: Sequence[str | int]) -> str:
    """As the services write it: `commands[0].payload.copies`."""
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".")


def _told(kind: str, context: Mapping[str, Any], message: str) -> tuple[str, Mapping[str, Any]]:
    if kind.startswith(_OURS):
        return kind.removeprefix(_OURS), context
    if kind in _LIBRARY:
        code, names = _LIBRARY[kind]
        params = {name: context[key] for name, key in names.items()}
        if MEANT in context:
            params[MEANT] = context[MEANT]
        return ("empty", {}) if code == "too_short" and params["limit"] == 1 else (code, params)
    if kind == "string_pattern_mismatch":
        return of_pattern(str(context["pattern"]))
    if kind in ("literal_error", "enum"):
        return "choice", {"choices": str(context["expected"]).replace("'", "").replace(" or ", ", ")}
    base, _, _ = kind.partition("_")
    if base in _LIBRARY_FORMS:
        return _LIBRARY_FORMS[base], {}
    if base in _LIBRARY_TYPES:
        return "type", {"kinds": [_LIBRARY_TYPES[base]]}
    return of_sentence(message.removeprefix("Value error, "))

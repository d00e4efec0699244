"""Which JSON values a field of a body takes: a number is no text and no boolean, a boolean is no number. And words get
their one form (`text.normal`), except inside of objects that are kept as they were sent, such as a payload."""

from collections.abc import Callable
from typing import Any

from pydantic_core import core_schema

from hub.api.field_catalogue import invalid
from hub.api.text import find_unstorable, normal


def _number(value: Any) -> Any:
    # 1.0 is an integer in JSON; the library judges that.
    if isinstance(value, bool | str):
        raise invalid("type", kinds=("number",))
    return value


def _boolean(value: Any) -> Any:
    if not isinstance(value, bool):
        raise invalid("type", kinds=("boolean",))
    return value


def _word(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.isascii() and "\0" not in value:
        return value  # as most are: it can be stored, and has one form
    if problem := find_unstorable(value, ""):
        raise invalid(problem.code, **problem.params)
    return normal(value)


_OURS = (_number, _boolean, _word)


def make_strict(schema: Any) -> Any:
    """The schema of a model with every field of it strict, in place; models in its fields see to theirs."""
    kind = schema["type"]
    if kind in ("int", "float"):
        return _before(_number, schema)
    if kind == "bool" or (kind == "literal" and any(isinstance(value, bool) for value in schema["expected"])):
        return _before(_boolean, schema)
    if kind == "str":
        return _before(_word, schema)
    if kind == "function-before" and schema["function"]["function"] in _OURS:
        return schema
    if kind == "list" and "items_schema" in schema:
        schema["items_schema"] = make_strict(schema["items_schema"])
    elif kind == "model-fields":
        for each in schema["fields"].values():
            each["schema"] = make_strict(each["schema"])
    elif kind != "dict" and isinstance(schema.get("schema"), dict):
        schema["schema"] = make_strict(schema["schema"])
    return schema


def _before(function: Callable[[Any], Any], schema: Any) -> Any:
    return core_schema.no_info_before_validator_function(function, schema)

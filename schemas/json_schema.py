"""Every message, and the payload of every action, as JSON Schema (2020-12), for people of other languages."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas import actions, messages

MESSAGES: tuple[type[messages.Message], ...] = (
    messages.Run,
    messages.Cancel,
    messages.Reports,
    messages.Receipt,
    messages.Welcome,
    messages.Birth,
    messages.Offline,
    messages.Will,
    messages.State,
    messages.Heartbeat,
    messages.Request,
    messages.Response,
    messages.RollCall,
    messages.Keys,
)


def kind_of(message: type[messages.Message]) -> str:
    """The `kind` of a message type."""
    return str(message.__struct_config__.tag)


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each message by its kind, each complete in itself."""
    return {kind_of(message): _schema(message) for message in MESSAGES}


def asked_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each action's payload as a caller gives it to the hub, by the action, complete in itself."""
    return {name: _schema(action.asked) for name, action in actions.ACTIONS.items()}


def sent_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each action's payload as the hub sends it, by the action, complete in itself."""
    return {name: _schema(action.sent) for name, action in actions.ACTIONS.items()}


_ASKED_NAMES = {
    "PrintAsked": "PrintPayload",
    "DocumentAsked": "DocumentReference",
    "Display": "DisplayPayload",
    "LogsAsked": "CollectLogsPayload",
    "DelayAsked": "DelayPayload",
    "Payload": "AnyPayload",
}
"""What callers know the forms as; those that are not here keep their names."""


def asked_components(ref_template: str) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """What a caller gives as the payload of an action: the names of the forms, any object last, and the schema of each
    and of what it refers to. `ref_template` says how they name each other."""
    forms = sorted(
        dict.fromkeys(action.asked for action in actions.ACTIONS.values()), key=lambda form: form is actions.Payload
    )
    references, components = msgspec.json.schema_components(forms, ref_template="{name}")
    named = {name: _ASKED_NAMES.get(name, name) for name in components}
    schemas = {named[name]: portable(_renamed(schema, named, ref_template)) for name, schema in components.items()}
    schemas[_ASKED_NAMES["Payload"]]["additionalProperties"] = True
    return [named[each["$ref"]] for each in references], schemas


def _renamed(schema: Any, named: Mapping[str, str], ref_template: str) -> Any:
    if isinstance(schema, list):
        return [_renamed(item, named, ref_template) for item in schema]
    if not isinstance(schema, dict):
        return schema
    renamed = {key: _renamed(value, named, ref_template) for key, value in schema.items()}
    if isinstance(schema.get("$ref"), str):
        renamed["$ref"] = ref_template.format(name=named[schema["$ref"]])
    if isinstance(title := schema.get("title"), str) and title in named:
        renamed["title"] = named[title]
    return renamed


def _schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    (root,), components = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": struct.__name__,
        **portable(root),
        "$defs": portable(components),
    }


def shared_schemas(ref_template: str) -> dict[str, dict[str, Any]]:
    """All types that travel, by their name, each once; `ref_template` says how they name each other."""
    structs = [*MESSAGES, *dict.fromkeys(action.sent for action in actions.ACTIONS.values())]
    _, components = msgspec.json.schema_components(structs, ref_template=ref_template)
    shared: dict[str, dict[str, Any]] = portable(components)
    return shared


def portable(schema: Any) -> Any:
    r"""The same schema for any language, its texts on one line.

    Patterns of JSON Schema are ECMAScript's, which has no `\Z`; its `$` is the end of the text, never a line's.
    """
    if isinstance(schema, list):
        return [portable(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {name: portable(value) for name, value in schema.items()}
    if isinstance(converted.get("pattern"), str):
        converted["pattern"] = converted["pattern"].removesuffix(r"\Z") + "$"
    if isinstance(converted.get("description"), str):
        converted["description"] = " ".join(converted["description"].split())
    return converted

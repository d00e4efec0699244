"""Every message, and the payload of every action, as JSON Schema (2020-12), for people of other languages."""

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

"""The contract as JSON Schema (2020-12), one file per kind of message, for people of other languages."""

from pathlib import Path
from typing import Any

import msgspec

from schemas import messages

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
    """The JSON Schema of each message by its kind."""
    schemas: dict[str, dict[str, Any]] = {}
    for message in MESSAGES:
        (root,), components = msgspec.json.schema_components([message], ref_template="#/$defs/{name}")
        schemas[kind_of(message)] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": message.__name__,
            **root,
            "$defs": components,
        }
    return schemas


def write(folder: Path) -> list[Path]:
    """Write `<kind>.json` for each message into `folder`; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, schema in json_schemas().items():
        file = folder / f"{kind}.json"
        file.write_bytes(msgspec.json.format(msgspec.json.encode(schema, order="deterministic")) + b"\n")
        written.append(file)
    return written

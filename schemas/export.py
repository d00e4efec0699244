"""The contract as files: JSON Schema for each kind of message and each action's payload, and AsyncAPI for the whole."""

from pathlib import Path
from typing import Any

import msgspec

from schemas import asyncapi, json_schema

ASYNCAPI = "asyncapi.json"
ACTIONS = "actions"


def write(folder: Path) -> list[Path]:
    """Write `<kind>.json` for each message, `actions/<action>.asked.json` and `actions/<action>.sent.json` for each
    payload, and `asyncapi.json` into `folder`; the files written."""
    (folder / ACTIONS).mkdir(parents=True, exist_ok=True)
    written = [_write(folder / f"{kind}.json", schema) for kind, schema in json_schema.json_schemas().items()]
    for form, schemas in (("asked", json_schema.asked_schemas()), ("sent", json_schema.sent_schemas())):
        written += [_write(folder / ACTIONS / f"{name}.{form}.json", schema) for name, schema in schemas.items()]
    return [*written, _write(folder / ASYNCAPI, asyncapi.document())]


def _write(file: Path, content: dict[str, Any]) -> Path:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content, order="deterministic")) + b"\n")
    return file

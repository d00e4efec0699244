"""The contract as files: JSON Schema, one for each kind of message, and AsyncAPI for the whole."""

from pathlib import Path
from typing import Any

import msgspec

from schemas import asyncapi, json_schema

ASYNCAPI = "asyncapi.json"


def write(folder: Path) -> list[Path]:
    """Write `<kind>.json` for each message and `asyncapi.json` into `folder`; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(folder / f"{kind}.json", schema) for kind, schema in json_schema.json_schemas().items()]
    return [*written, _write(folder / ASYNCAPI, asyncapi.document())]


def _write(file: Path, content: dict[str, Any]) -> Path:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(content, order="deterministic")) + b"\n")
    return file

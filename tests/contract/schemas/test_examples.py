"""The golden examples: what both sides must read, and write the same again."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas import codec, export, json_schema, messages
from schemas.actions import ACTIONS
from schemas.topics import Channel
from tests.support.paths import ROOT

EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("*.json"))
CHANNELS = {
    "run": Channel.COMMANDS,
    "cancel": Channel.COMMANDS,
    "reports": Channel.REPORTS,
    "receipt": Channel.RECEIPTS,
    "welcome": Channel.RECEIPTS,
    "birth": Channel.PRESENCE,
    "offline": Channel.PRESENCE,
    "will": Channel.PRESENCE,
    "state": Channel.STATE,
    "heartbeat": Channel.HEARTBEAT,
    "request": Channel.REQUESTS,
    "response": Channel.RESPONSES,
}


def read(kind: str, body: bytes) -> Any:
    if kind == "roll_call":
        return codec.decode_roll_call(body)
    if kind == "keys":
        return codec.decode_keys(body)
    return codec.decode(CHANNELS[kind], body)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_example_is_read_and_written_again_without_a_difference(file: Path) -> None:
    example = json.loads(file.read_text(encoding="utf-8"))
    body = json.dumps(example, ensure_ascii=False).encode()

    message = read(example["kind"], body)

    assert json.loads(codec.encode(message)) == example


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_fields_of_a_newer_peer_are_ignored(file: Path) -> None:
    example = json.loads(file.read_text(encoding="utf-8"))

    message = read(example["kind"], json.dumps({**example, "added_later": {"x": 1}}).encode())

    assert json.loads(codec.encode(message)) == example


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_example_fits_the_published_json_schema(file: Path) -> None:
    example = json.loads(file.read_text(encoding="utf-8"))

    jsonschema.validate(example, json_schema.json_schemas()[example["kind"]])


def test_every_kind_of_message_has_an_example_and_a_schema() -> None:
    kinds = {json_schema.kind_of(message) for message in json_schema.MESSAGES}

    assert {json.loads(file.read_text(encoding="utf-8"))["kind"] for file in EXAMPLES} == kinds
    declared = {
        item
        for item in vars(messages).values()
        if isinstance(item, type) and issubclass(item, messages.Message) and item is not messages.Message
    }
    assert declared == set(json_schema.MESSAGES)


def test_patterns_are_those_of_every_language() -> None:
    r"""`\Z` is Python's: elsewhere it is an error, or the letter Z."""
    client_id = json_schema.json_schemas()["birth"]["$defs"]["Birth"]["properties"]["client_id"]
    assert client_id["pattern"] == "^[a-z0-9][a-z0-9-]{0,62}$"
    assert "\\\\" not in json.dumps(json_schema.json_schemas())


def test_schemas_are_written_one_file_per_kind(tmp_path: Path) -> None:
    written = export.write(tmp_path / "out")

    kinds = {json_schema.kind_of(message) for message in json_schema.MESSAGES}
    payloads = {f"actions/{name}.{form}.json" for name in ACTIONS for form in ("asked", "sent")}
    names = {str(file.relative_to(tmp_path / "out")) for file in written}
    assert names == {f"{kind}.json" for kind in kinds} | payloads | {export.ASYNCAPI}
    for file in written[:-1]:
        assert msgspec.json.decode(file.read_bytes())["$schema"].endswith("2020-12/schema")

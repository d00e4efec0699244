"""The golden examples: what both sides must read, and write the same again."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas import codec, export, messages
from schemas.topics import Channel

EXAMPLES = sorted((Path(__file__).parents[2] / "schemas" / "examples").glob("*.json"))
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

    jsonschema.validate(example, export.json_schemas()[example["kind"]])


def test_every_kind_of_message_has_an_example_and_a_schema() -> None:
    kinds = {export.kind_of(message) for message in export.MESSAGES}

    assert {json.loads(file.read_text(encoding="utf-8"))["kind"] for file in EXAMPLES} == kinds
    declared = {
        item
        for item in vars(messages).values()
        if isinstance(item, type) and issubclass(item, messages.Message) and item is not messages.Message
    }
    assert declared == set(export.MESSAGES)


def test_schemas_are_written_one_file_per_kind(tmp_path: Path) -> None:
    written = export.write(tmp_path / "out")

    assert {file.stem for file in written} == {export.kind_of(message) for message in export.MESSAGES}
    for file in written:
        assert msgspec.json.decode(file.read_bytes())["$schema"].endswith("2020-12/schema")

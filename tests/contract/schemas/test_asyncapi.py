"""The AsyncAPI document against the rules of AsyncAPI 3.0, and against the contract that it describes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas import asyncapi, codec, json_schema, signing
from schemas.topics import FROM_CLIENT, HUB_KEYS, HUB_PRESENCE, RETAINED, Channel, address, client_topic
from tests.contract.json_objects import objects
from tests.support.paths import ROOT

DOCUMENT = asyncapi.document()
EXAMPLES = sorted((ROOT / "schemas" / "examples").glob("*.json"))
KINDS = {json_schema.kind_of(message) for message in json_schema.MESSAGES}

#: Fixed fields of the objects of AsyncAPI 3.0.0, less those that no contract of ours needs.
FIELDS = {
    "root": {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"},
    "info": {"title", "version", "description", "termsOfService", "contact", "license", "tags", "externalDocs"},
    "server": {"host", "protocol", "protocolVersion", "pathname", "description", "title", "summary", "variables"}
    | {"security", "tags", "externalDocs", "bindings"},
    "channel": {"address", "messages", "title", "summary", "description", "servers", "parameters", "tags", "bindings"},
    "operation": {"action", "channel", "title", "summary", "description", "security", "tags", "bindings", "traits"}
    | {"messages", "reply"},
    "message": {"headers", "payload", "correlationId", "contentType", "name", "title", "summary", "description"}
    | {"tags", "bindings", "examples", "traits"},
    "parameter": {"enum", "default", "description", "examples", "location"},
    "components": {"schemas", "servers", "channels", "operations", "messages", "securitySchemes", "parameters"}
    | {"serverVariables", "correlationIds", "replies", "tags"},
    "server_mqtt": {"clientId", "cleanSession", "lastWill", "keepAlive", "sessionExpiryInterval", "maximumPacketSize"}
    | {"bindingVersion"},
    "operation_mqtt": {"qos", "retain", "messageExpiryInterval", "bindingVersion"},
}


def only(kind: str, thing: dict[str, Any]) -> None:
    """The object has no field that AsyncAPI does not know."""
    assert {name for name in thing if not name.startswith("x-")} <= FIELDS[kind]


def references(part: Any) -> Iterator[str]:
    """Every `$ref` below a part."""
    return (found["$ref"] for found in objects(part) if isinstance(found.get("$ref"), str))


def resolve(reference: str) -> Any:
    """What a local reference names."""
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def payload_schema(kind: str) -> dict[str, Any]:
    """The schema of a message's payload with what it refers to."""
    return {**DOCUMENT["components"]["messages"][kind]["payload"], "components": DOCUMENT["components"]}


def test_every_object_has_only_fields_of_asyncapi() -> None:
    assert re.fullmatch(r"3\.0\.\d+", DOCUMENT["asyncapi"])
    only("root", DOCUMENT)
    only("info", DOCUMENT["info"])
    assert {"title", "version"} <= set(DOCUMENT["info"])
    only("components", DOCUMENT["components"])
    for server in DOCUMENT["servers"].values():
        only("server", server)
        assert {"host", "protocol"} <= set(server)
        assert set(re.findall(r"{(\w+)}", server["host"])) == set(server["variables"])
        only("server_mqtt", server["bindings"]["mqtt"])
    for channel in DOCUMENT["channels"].values():
        only("channel", channel)
    for operation in DOCUMENT["operations"].values():
        only("operation", operation)
        only("operation_mqtt", operation["bindings"]["mqtt"])
    for message in DOCUMENT["components"]["messages"].values():
        only("message", message)
    for parameter in DOCUMENT["components"]["parameters"].values():
        only("parameter", parameter)
    for names in (DOCUMENT["channels"], DOCUMENT["operations"], *DOCUMENT["components"].values()):
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)


def test_every_reference_leads_somewhere() -> None:
    found = list(references(DOCUMENT))
    assert found
    for reference in found:
        assert resolve(reference) is not None


def test_every_operation_has_a_channel_and_messages_of_that_channel() -> None:
    for name, operation in DOCUMENT["operations"].items():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        assert channel.removeprefix("#/channels/") in DOCUMENT["channels"], name
        assert operation["messages"], name
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/"), name
        if "reply" in operation:
            reply = operation["reply"]
            assert all(m["$ref"].startswith(reply["channel"]["$ref"] + "/messages/") for m in reply["messages"])


def test_parameters_are_those_of_the_address() -> None:
    for channel in DOCUMENT["channels"].values():
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel.get("parameters", {}))


def test_every_topic_and_every_kind_is_there() -> None:
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert sorted(addresses) == sorted([*map(address, Channel), HUB_PRESENCE, HUB_KEYS])
    assert set(DOCUMENT["components"]["messages"]) == KINDS
    assert address(Channel.REPORTS).format(client_id="pda-7") == client_topic("pda-7", Channel.REPORTS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_one_sender_and_one_receiver(kind: str) -> None:
    sides = sorted(name.removesuffix(f"_{kind}") for name in DOCUMENT["operations"] if name.endswith(f"s_{kind}"))
    assert sides in (["client_sends", "hub_receives"], ["client_receives", "hub_sends"])
    for side in sides:
        operation = DOCUMENT["operations"][f"{side}_{kind}"]
        assert operation["action"] == side.split("_")[1].removesuffix("s")


@pytest.mark.parametrize("channel", Channel)
def test_direction_qos_and_retain_are_the_code_s(channel: Channel) -> None:
    sender = "client" if channel in FROM_CLIENT else "hub"
    for kind in DOCUMENT["channels"][channel.value]["messages"]:
        sends = DOCUMENT["operations"][f"{sender}_sends_{kind}"]
        assert sends["channel"]["$ref"] == f"#/channels/{channel.value}"
        assert sends["bindings"]["mqtt"]["retain"] == (channel in RETAINED)
        assert sends["bindings"]["mqtt"]["qos"] == (0 if channel is Channel.HEARTBEAT else 1)


def test_what_is_signed_says_so() -> None:
    for kind, message in DOCUMENT["components"]["messages"].items():
        signed = message.get("x-floorhub-signature")
        assert (signed is not None) == (kind in signing.DOMAIN)
        assert signed is None or signed["domain"] == signing.DOMAIN[kind].decode()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_payloads_have_valid_schemas(kind: str) -> None:
    # AsyncAPI's schema object is a superset of Draft 07; ours also hold under 2020-12.
    for draft in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
        draft.check_schema(DOCUMENT["components"]["schemas"][resolve(f"#/components/messages/{kind}")["title"]])


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_fit_the_schema_of_their_channel(file: Path) -> None:
    example = json.loads(file.read_text(encoding="utf-8"))
    kind = example["kind"]

    jsonschema.validate(example, payload_schema(kind), jsonschema.Draft7Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**example, "v": 0}, payload_schema(kind), jsonschema.Draft7Validator)

    (name,) = [name for name, channel in DOCUMENT["channels"].items() if kind in channel["messages"]]
    if name in {channel.value for channel in Channel}:
        assert codec.decode(Channel(name), json.dumps(example).encode()).v == example["v"]

"""The contract as AsyncAPI 3.0: who sends what to whom, on which topic, how, and signed by what.

One document serves both sides: each way of a message has an operation for the client and one for the hub, told apart
by their tag. Payloads are the same schemas as the published JSON Schema.
"""

from dataclasses import dataclass
from typing import Any

from schemas import messages, signing
from schemas.actions import ACTIONS
from schemas.codec import MAX_PAYLOAD
from schemas.json_schema import kind_of, shared_schemas
from schemas.topics import FROM_CLIENT, HUB_KEYS, HUB_PRESENCE, RETAINED, Channel, address

VERSION = "3.0.0"
BINDING = "0.2.0"
"""Of the MQTT bindings."""
KEEPALIVE_S = 12


@dataclass(frozen=True, slots=True)
class _Way:
    """A channel of the document."""

    name: str
    address: str
    kinds: tuple[type[messages.Message], ...]
    summary: str
    from_client: bool
    qos: int = 1
    retain: bool = False
    for_all: bool = False


_CLIENT_WAYS: dict[Channel, tuple[tuple[type[messages.Message], ...], str]] = {
    Channel.COMMANDS: ((messages.Run, messages.Cancel), "What a client shall do, or shall not do any more."),
    Channel.RECEIPTS: ((messages.Receipt, messages.Welcome), "Which reports are durable; and the answer to a birth."),
    Channel.RESPONSES: ((messages.Response,), "Answers to requests. Nothing sends it yet."),
    Channel.REPORTS: ((messages.Reports,), "What became of attempts; comes again until its receipt."),
    Channel.PRESENCE: (
        (messages.Birth, messages.Offline, messages.Will),
        "Whether the client is there: the birth after the SUBACK, the good-bye, and the last will.",
    ),
    Channel.STATE: ((messages.State,), "What the client can do, and how its devices are."),
    Channel.HEARTBEAT: ((messages.Heartbeat,), "A full agent's main loop is alive: every 10 s, and at a roll call."),
    Channel.REQUESTS: ((messages.Request,), "A client's question. The hub ignores it yet."),
}


def _ways() -> list[_Way]:
    ways = [
        _Way(
            name=channel.value,
            address=address(channel),
            kinds=kinds,
            summary=summary,
            from_client=channel in FROM_CLIENT,
            qos=0 if channel is Channel.HEARTBEAT else 1,
            retain=channel in RETAINED,
        )
        for channel, (kinds, summary) in _CLIENT_WAYS.items()
    ]
    roll_call = "Every agent answers within `spread_s` seconds, at random."
    keys = "The keys that the hub signs with, signed by the root key that each client pins."
    ways.append(
        _Way("hub_presence", HUB_PRESENCE, (messages.RollCall,), roll_call, False, retain=True, for_all=True),
    )
    ways.append(_Way("hub_keys", HUB_KEYS, (messages.Keys,), keys, False, retain=True, for_all=True))
    return ways


def document() -> dict[str, Any]:
    """The AsyncAPI document."""
    ways = _ways()
    return {
        "asyncapi": VERSION,
        "id": "urn:floorhub:contract:v1",
        "info": {
            "title": "Floorhub wire contract",
            "version": f"{messages.VERSION}.0.0",
            "description": (
                "MQTT 5 with JSON in UTF-8. A payload has at most "
                f"{MAX_PAYLOAD} bytes. Unknown fields and unknown kinds are ignored. What the hub sends to one client,"
                " and the list of keys, is signed: see `x-floorhub-signature` of each message. A client's id is its"
                " MQTT user name, its MQTT client id, and the parameter `client_id` of its topics. What `payload` holds"
                " depends on the action: see `x-floorhub-payloads` of the message `run`."
            ),
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": _server("mqtt", "1883"), "broker_tls": _server("mqtts", "8883")},
        "channels": {way.name: _channel(way) for way in ways},
        "operations": {name: operation for way in ways for name, operation in _operations(way).items()},
        "components": {
            "messages": {kind_of(kind): _message(kind) for way in ways for kind in way.kinds},
            "schemas": shared_schemas("#/components/schemas/{name}"),
            "parameters": {
                "client_id": {
                    "description": "The client's id, as it was registered: a-z, 0-9 and '-', at most 63 characters.",
                    "examples": ["pda-7"],
                }
            },
            "securitySchemes": {
                "secret": {
                    "type": "userPassword",
                    "description": (
                        "A client: its id and its secret, and the id as MQTT client id, too. The hub: `_hub`; its"
                        " client ids begin with `_hub-`. Each may use only the topics that are its own."
                    ),
                }
            },
            "tags": {side: {"name": side, "description": f"How the {side} sees it."} for side in ("client", "hub")},
        },
    }


def _server(protocol: str, port: str) -> dict[str, Any]:
    presence = address(Channel.PRESENCE)
    will = {"topic": presence, "qos": 1, "retain": True, "message": "a message of the kind `will`"}
    return {
        "host": "{host}:{port}",
        "protocol": protocol,
        "protocolVersion": "5.0",
        "description": "The broker, with TCP_NODELAY on each socket. What it keeps nobody relies on.",
        "variables": {
            "host": {"default": "127.0.0.1", "description": "Where the broker listens."},
            "port": {"default": port},
        },
        "security": [{"$ref": "#/components/securitySchemes/secret"}],
        "bindings": {
            "mqtt": {
                "clientId": "{client_id}",
                "cleanSession": True,
                "sessionExpiryInterval": 0,
                "keepAlive": KEEPALIVE_S,
                "maximumPacketSize": 70_000,
                "lastWill": will,
                "bindingVersion": BINDING,
            }
        },
    }


def _channel(way: _Way) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": way.address,
        "title": way.name,
        "description": way.summary,
        "messages": {kind_of(kind): {"$ref": f"#/components/messages/{kind_of(kind)}"} for kind in way.kinds},
    }
    if not way.for_all:
        channel["parameters"] = {"client_id": {"$ref": "#/components/parameters/client_id"}}
    return channel


def _operations(way: _Way) -> dict[str, dict[str, Any]]:
    """Each kind of the channel, from the side of whoever sends it and of whoever receives it."""
    sender, receiver = ("client", "hub") if way.from_client else ("hub", "client")
    operations: dict[str, dict[str, Any]] = {}
    for kind in map(kind_of, way.kinds):
        operation: dict[str, Any] = {
            "channel": {"$ref": f"#/channels/{way.name}"},
            "messages": [{"$ref": f"#/channels/{way.name}/messages/{kind}"}],
            "bindings": {"mqtt": {"qos": way.qos, "retain": way.retain, "bindingVersion": BINDING}},
        }
        sends = {"action": "send", "summary": f"The {sender} sends `{kind}`.", **operation}
        if kind == kind_of(messages.Will):
            sends["summary"] = "The client hands `will` to the broker when it connects; the broker sends it."
        if kind == kind_of(messages.Request):
            response = Channel.RESPONSES.value
            sends["reply"] = {
                "channel": {"$ref": f"#/channels/{response}"},
                "messages": [{"$ref": f"#/channels/{response}/messages/{kind_of(messages.Response)}"}],
            }
        receives = {"action": "receive", "summary": f"The {receiver} receives `{kind}`.", **operation}
        operations[f"{sender}_sends_{kind}"] = {**sends, "tags": [{"$ref": f"#/components/tags/{sender}"}]}
        operations[f"{receiver}_receives_{kind}"] = {**receives, "tags": [{"$ref": f"#/components/tags/{receiver}"}]}
    return operations


def _message(kind: type[messages.Message]) -> dict[str, Any]:
    name = kind_of(kind)
    message: dict[str, Any] = {
        "name": name,
        "title": kind.__name__,
        "summary": " ".join((kind.__doc__ or "").split("\n\n")[0].split()),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
    }
    if "request_id" in kind.__struct_fields__:
        message["correlationId"] = {"location": "$message.payload#/request_id"}
    if kind is messages.Run:
        message["x-floorhub-payloads"] = {
            action.name: {"$ref": f"#/components/schemas/{action.sent.__name__}"} for action in ACTIONS.values()
        }
    domain = signing.DOMAIN.get(name)
    if domain is not None:
        by = "the root key" if name == kind_of(messages.Keys) else "a key of the list on the channel `hub_keys`"
        message["x-floorhub-signature"] = {
            "algorithm": "Ed25519",
            "by": by,
            "framing": "two lines: the key's id, a space, the signature in base64url without padding; the JSON",
            "over": f"{domain.decode()}, one NUL byte, and the bytes of the JSON as they came",
            "domain": domain.decode(),
            "basic_client": "may cut the first line off without checking it",
        }
    return message

"""Every topic and topic filter of the contract. No other Python file holds a topic string.

A client's id is its MQTT user name, its MQTT client id and its topic segment; the broker's rules rely on that.
"""

import enum
import re

import msgspec

ROOT = "floorhub/v1"
HUB_PRESENCE = f"{ROOT}/hub/presence"
HUB_KEYS = f"{ROOT}/hub/keys"

#: What may follow the root for a client. `fullmatch` only: `$` would accept a trailing newline.
CLIENT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class Channel(enum.StrEnum):
    """The last segment of a client's topics; see `docs/reference/topics.md` for direction, QoS and retain."""

    COMMANDS = "commands"
    REPORTS = "reports"
    RECEIPTS = "receipts"
    PRESENCE = "presence"
    STATE = "state"
    HEARTBEAT = "heartbeat"
    REQUESTS = "requests"
    RESPONSES = "responses"


_CHANNELS = {channel.value: channel for channel in Channel}

#: Channels that a client writes; the hub writes all others.
FROM_CLIENT = frozenset({Channel.REPORTS, Channel.PRESENCE, Channel.STATE, Channel.HEARTBEAT, Channel.REQUESTS})
#: Channels whose latest message the broker keeps.
RETAINED = frozenset({Channel.PRESENCE, Channel.STATE})


class ClientTopic(msgspec.Struct, frozen=True):
    """A parsed client topic."""

    client_id: str
    channel: Channel


def is_client_id(text: str) -> bool:
    """Whether `text` may be a client's id."""
    return CLIENT_ID.fullmatch(text) is not None


def client_topic(client_id: str, channel: Channel) -> str:
    """The topic of one channel of one client. Raises ValueError for what can be no client id."""
    if not is_client_id(client_id):
        raise ValueError(f"{client_id!r} is not a client id: use a-z, 0-9 and '-', at most 63 characters")
    return f"{ROOT}/clients/{client_id}/{channel.value}"


def address(channel: Channel) -> str:
    """The topic of one channel with `{client_id}` where the id stands, for descriptions of the contract."""
    return f"{ROOT}/clients/{{client_id}}/{channel.value}"


def every_client(channel: Channel) -> str:
    """The filter for one channel of all clients."""
    return f"{ROOT}/clients/+/{channel.value}"


def shared(group: str, channel: Channel) -> str:
    """The same filter as a shared subscription, so that each message reaches one member of `group`."""
    return f"$share/{group}/{every_client(channel)}"


def parse_client_topic(topic: str) -> ClientTopic | None:
    """The client and channel that `topic` names, or None for any other topic."""
    prefix = f"{ROOT}/clients/"
    if not topic.startswith(prefix):
        return None
    client_id, slash, channel = topic[len(prefix) :].partition("/")
    known = _CHANNELS.get(channel)
    if not slash or known is None or not is_client_id(client_id):
        return None
    return ClientTopic(client_id, known)


#: Mosquitto's own: where its dynamic-security plugin takes commands, and where it answers. Not part of the contract.
BROKER_CONTROL = "$CONTROL/dynamic-security/v1"
BROKER_CONTROL_RESPONSE = f"{BROKER_CONTROL}/response"

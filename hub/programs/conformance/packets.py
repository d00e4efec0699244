"""MQTT 5 on the wire: as much of it as a listener between a client and its broker must read (OASIS MQTT 5.0, 2 and 3).

What a client itself must know of it is in hub/mqtt/packets.py. Older protocol levels are read, too, so that a client
that speaks one can be told so.
"""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from hub.mqtt.packets import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    MQTT_5,
    PUBACK,
    PUBLISH,
    SUBACK,
    SUBSCRIBE,
    Cursor,
    Packet,
    PacketError,
    reason_of,
)

__all__ = [
    "CONNACK",
    "CONNECT",
    "DISCONNECT",
    "MQTT_5",
    "PUBACK",
    "PUBLISH",
    "SUBACK",
    "SUBSCRIBE",
    "Packet",
    "PacketError",
    "reason_of",
]

MAX_PACKET = 1_000_000
"""Bytes of a packet that are read at all; the broker allows less."""

_WILL_DELAY, _TOPIC_ALIAS = 0x18, 0x23


@dataclass(frozen=True, slots=True)
class Will:
    """The last will of a CONNECT."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    delay_s: int


@dataclass(frozen=True, slots=True)
class Connect:
    """What a client says first."""

    level: int
    client_id: str
    username: str | None
    clean_start: bool
    keepalive_s: int
    will: Will | None


@dataclass(frozen=True, slots=True)
class Publish:
    """A message. `packet_id` is None at QoS 0; `topic` is empty where `alias` stands for it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    packet_id: int | None
    alias: int | None = None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The filters that a client asks for, with their QoS."""

    packet_id: int
    filters: Mapping[str, int]


async def read_packet(reader: asyncio.StreamReader) -> Packet | None:
    """The next packet, or None at the end of the stream. Raises PacketError, OSError."""
    try:
        first = (await reader.readexactly(1))[0]
        length = 0
        for position in range(4):
            digit = (await reader.readexactly(1))[0]
            length |= (digit & 0x7F) << 7 * position
            if not digit & 0x80:
                break
        else:
            raise PacketError("a length of more than four bytes")
        if length > MAX_PACKET:
            raise PacketError(f"a packet of {length} bytes")
        return Packet(first >> 4, first & 0x0F, await reader.readexactly(length))
    except asyncio.IncompleteReadError:
        return None


def read_connect(packet: Packet) -> Connect:
    """What a CONNECT says. Raises PacketError."""
    cursor = Cursor(packet.body)
    cursor.text()
    level, flags, keepalive_s = cursor.number(1), cursor.number(1), cursor.number(2)
    if level >= MQTT_5:
        cursor.properties()
    client_id = cursor.text()
    will = None
    if flags & 0x04:
        properties = cursor.properties() if level >= MQTT_5 else {}
        topic, payload = cursor.text(), cursor.data()
        will = Will(topic, payload, flags >> 3 & 3, bool(flags & 0x20), properties.get(_WILL_DELAY, 0))
    username = cursor.text() if flags & 0x80 else None
    return Connect(level, client_id, username, bool(flags & 0x02), keepalive_s, will)


def read_publish(packet: Packet, level: int) -> Publish:
    """The message of a PUBLISH. Raises PacketError."""
    cursor = Cursor(packet.body)
    topic, qos = cursor.text(), packet.flags >> 1 & 3
    packet_id = cursor.number(2) if qos else None
    properties = cursor.properties() if level >= MQTT_5 else {}
    return Publish(topic, cursor.rest(), qos, bool(packet.flags & 1), packet_id, properties.get(_TOPIC_ALIAS))


def write_publish(message: Publish, level: int) -> Packet:
    """A PUBLISH without properties."""
    topic = message.topic.encode()
    body = struct.pack(">H", len(topic)) + topic
    if message.packet_id is not None:
        body += struct.pack(">H", message.packet_id)
    if level >= MQTT_5:
        body += b"\0"
    return Packet(PUBLISH, message.qos << 1 | message.retain, body + message.payload)


def read_subscribe(packet: Packet, level: int) -> Subscribe:
    """What a SUBSCRIBE asks for. Raises PacketError."""
    cursor = Cursor(packet.body)
    packet_id = cursor.number(2)
    if level >= MQTT_5:
        cursor.properties()
    filters = {}
    while cursor.left:
        name = cursor.text()
        filters[name] = cursor.number(1) & 3
    return Subscribe(packet_id, filters)


def packet_id_of(packet: Packet) -> int:
    """The packet id of a PUBACK or SUBACK. Raises PacketError."""
    return Cursor(packet.body).number(2)


def puback(packet_id: int) -> Packet:
    """The acknowledgement of a message."""
    return Packet(PUBACK, 0, struct.pack(">H", packet_id))

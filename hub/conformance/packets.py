"""MQTT 5 on the wire: as much of it as a listener between a client and its broker must read (OASIS MQTT 5.0, 2 and 3).

The hub's own connections use a library; no library shows what a client wrote into its CONNECT, or in which order its
packets came. Older protocol levels are read, too, so that a client that speaks one can be told so.
"""

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, DISCONNECT = 8, 9, 14
MQTT_5 = 5
MAX_PACKET = 1_000_000
"""Bytes of a packet that are read at all; the broker allows less."""

_WILL_DELAY, _TOPIC_ALIAS = 0x18, 0x23
#: How long the value of a property is: bytes, or the name of a form.
_PROPERTIES: Mapping[int, int | str] = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), "text"),
    0x0B: "number",
    0x26: "pair",
}


class PacketError(Exception):
    """Bytes that are no MQTT."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its type, the four flags beside it, and everything behind the length."""

    type: int
    flags: int
    body: bytes

    def encode(self) -> bytes:
        """The packet as it goes over the wire."""
        length = len(self.body)
        header = bytearray([self.type << 4 | self.flags])
        while True:
            length, digit = divmod(length, 128)
            header.append(digit | (0x80 if length else 0))
            if not length:
                return bytes(header) + self.body


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
    cursor = _Cursor(packet.body)
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
    cursor = _Cursor(packet.body)
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
    cursor = _Cursor(packet.body)
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
    return _Cursor(packet.body).number(2)


def puback(packet_id: int) -> Packet:
    """The acknowledgement of a message."""
    return Packet(PUBACK, 0, struct.pack(">H", packet_id))


def reason_of(packet: Packet) -> int:
    """The reason code of a CONNACK or DISCONNECT; 0 where it is left out."""
    position = 1 if packet.type == CONNACK else 0
    return packet.body[position] if len(packet.body) > position else 0


@dataclass(slots=True)
class _Cursor:
    """Reads a packet's body from its beginning."""

    body: bytes
    position: int = field(default=0)

    @property
    def left(self) -> int:
        return len(self.body) - self.position

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise PacketError("a packet that ends too early")
        self.position += length
        return self.body[self.position - length : self.position]

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def data(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        return self.data().decode("utf-8", "replace")

    def rest(self) -> bytes:
        return self.take(self.left)

    def varying(self) -> int:
        value = 0
        for position in range(4):
            digit = self.number(1)
            value |= (digit & 0x7F) << 7 * position
            if not digit & 0x80:
                return value
        raise PacketError("a number of more than four bytes")

    def properties(self) -> dict[int, int]:
        """The properties that are numbers; the others are passed over."""
        end = self.varying() + self.position
        found: dict[int, int] = {}
        while self.position < end:
            name = self.varying()
            form = _PROPERTIES.get(name)
            match form:
                case int():
                    found[name] = self.number(form)
                case "text":
                    self.data()
                case "pair":
                    self.data()
                    self.data()
                case "number":
                    found[name] = self.varying()
                case _:
                    raise PacketError(f"a property {name:#x}, which MQTT 5 does not have")
        return found

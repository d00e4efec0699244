"""MQTT 5 on the wire, as much of it as a client needs (OASIS MQTT 5.0, 2 and 3): no QoS 2, no AUTH, no topic alias.

Packets are written here and read in `decoder.py`, which finds them in the bytes that come in. Nothing touches a socket
or a clock.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, PINGRESP, DISCONNECT = 8, 9, 13, 14
MQTT_5 = 5
LARGEST_PACKET = 1024 * 1024
"""Bytes of a packet that are taken in at all; the broker is told, and sends nothing larger."""
PINGREQ = b"\xc0\x00"

NORMAL, MALFORMED, PROTOCOL_ERROR, PACKET_TOO_LARGE = 0x00, 0x81, 0x82, 0x95
FAILURE = 0x80
"""Reason codes from here on say no."""

REASONS: Mapping[int, str] = {
    0x00: "normal disconnection",
    0x80: "unspecified error",
    0x81: "malformed packet",
    0x82: "protocol error",
    0x83: "implementation specific error",
    0x84: "unsupported protocol version",
    0x85: "client identifier not valid",
    0x86: "bad user name or password",
    0x87: "not authorized",
    0x88: "server unavailable",
    0x89: "server busy",
    0x8A: "banned",
    0x8B: "server shutting down",
    0x8C: "bad authentication method",
    0x8D: "keep alive timeout",
    0x8E: "session taken over",
    0x8F: "topic filter invalid",
    0x90: "topic name invalid",
    0x93: "receive maximum exceeded",
    0x94: "topic alias invalid",
    0x95: "packet too large",
    0x96: "message rate too high",
    0x97: "quota exceeded",
    0x98: "administrative action",
    0x99: "payload format invalid",
    0x9A: "retain not supported",
    0x9B: "QoS not supported",
    0x9C: "use another server",
    0x9D: "server moved",
    0x9F: "connection rate exceeded",
}

_SESSION_EXPIRY, _RECEIVE_MAXIMUM, _SERVER_KEEP_ALIVE, _MAXIMUM_PACKET_SIZE = 0x11, 0x21, 0x13, 0x27
_RESPONSE_TOPIC, _CORRELATION_DATA = 0x08, 0x09
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
    """Bytes that are no MQTT, or none that we speak; `code` is what a DISCONNECT says about it."""

    def __init__(self, problem: str, code: int = MALFORMED) -> None:
        super().__init__(problem)
        self.code = code


def reason_text(code: int) -> str:
    """A reason code for people."""
    return f"{REASONS.get(code, 'reason code')} (0x{code:02x})"


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its type, the four flags beside it, and everything behind the length."""

    type: int
    flags: int
    body: bytes

    def encode(self) -> bytes:
        """The packet as it goes over the wire."""
        return bytes([self.type << 4 | self.flags]) + _varying(len(self.body)) + self.body


@dataclass(frozen=True, slots=True)
class Connack:
    """The broker's answer to a CONNECT. None: it said nothing of it."""

    code: int
    session_present: bool = False
    keepalive_s: int | None = None
    receive_maximum: int | None = None
    largest_packet: int | None = None


# Out.


def connect(client_id: str, username: str, password: str, keepalive_s: int, largest_packet: int) -> bytes:
    """A CONNECT with a clean start and a session that ends with its connection."""
    properties = struct.pack(">BIBI", _SESSION_EXPIRY, 0, _MAXIMUM_PACKET_SIZE, largest_packet)
    flags = 0x80 | 0x40 | 0x02  # user name, password, clean start
    body = _text("MQTT") + struct.pack(">BBH", MQTT_5, flags, keepalive_s) + _varying(len(properties)) + properties
    return Packet(CONNECT, 0, body + _text(client_id) + _text(username) + _text(password)).encode()


def subscribe(packet_id: int, subscriptions: Sequence[tuple[str, int]]) -> bytes:
    """A SUBSCRIBE of filters with their QoS."""
    filters = b"".join(_text(name) + bytes([qos]) for name, qos in subscriptions)
    return Packet(SUBSCRIBE, 2, struct.pack(">HB", packet_id, 0) + filters).encode()


def publish(
    topic: str,
    payload: bytes,
    packet_id: int,
    *,
    retain: bool,
    correlation: bytes | None = None,
    response_topic: str | None = None,
) -> bytes:
    """A PUBLISH; QoS 1 when it has a `packet_id`, QoS 0 when that is 0."""
    name = topic.encode()
    properties = b"\0"
    if correlation is not None or response_topic is not None:
        listed = b"" if response_topic is None else bytes([_RESPONSE_TOPIC]) + _text(response_topic)
        if correlation is not None:
            listed += bytes([_CORRELATION_DATA]) + _data(correlation)
        properties = _varying(len(listed)) + listed
    size = _SIZE.pack(len(name))
    if packet_id:
        first, number = 0x33 if retain else 0x32, _SIZE.pack(packet_id)
    else:
        first, number = 0x31 if retain else 0x30, b""
    length = 2 + len(name) + len(number) + len(properties) + len(payload)
    return b"".join((_FIRST[first], _varying(length), size, name, number, properties, payload))


def puback(packet_id: int) -> bytes:
    """The acknowledgement of a message."""
    return _PUBACK.pack(0x40, 2, packet_id)


def disconnect(code: int = NORMAL) -> bytes:
    """The last packet of a connection."""
    return bytes([DISCONNECT << 4, 1, code])


_SIZE = struct.Struct(">H")
_PUBACK = struct.Struct(">BBH")
_FIRST = {first: bytes([first]) for first in range(0x30, 0x34)}


def _varying(value: int) -> bytes:
    if value < 128:
        return bytes((value,))
    if value < 16_384:
        return bytes((value & 127 | 128, value >> 7))
    digits = bytearray()
    while True:
        value, digit = divmod(value, 128)
        digits.append(digit | (0x80 if value else 0))
        if not value:
            return bytes(digits)


def _data(value: bytes) -> bytes:
    return _SIZE.pack(len(value)) + value


def _text(value: str) -> bytes:
    return _data(value.encode())


# In.


def read_connack(packet: Packet) -> Connack:
    """What a CONNACK says. Raises PacketError."""
    cursor = Cursor(packet.body)
    flags, code = cursor.number(1), cursor.number(1)
    properties = cursor.properties()
    return Connack(
        code,
        bool(flags & 1),
        properties.get(_SERVER_KEEP_ALIVE),
        properties.get(_RECEIVE_MAXIMUM),
        properties.get(_MAXIMUM_PACKET_SIZE),
    )


def read_suback(packet: Packet) -> tuple[int, bytes]:
    """The packet id of a SUBACK, and a reason code for each filter. Raises PacketError."""
    cursor = Cursor(packet.body)
    packet_id = cursor.number(2)
    cursor.properties()
    return packet_id, cursor.rest()


def reason_of(packet: Packet) -> int:
    """The reason code of a CONNACK or DISCONNECT; 0 where it is left out."""
    position = 1 if packet.type == CONNACK else 0
    return packet.body[position] if len(packet.body) > position else 0


@dataclass(slots=True)
class Cursor:
    """Reads a packet's body from its beginning. All of it raises PacketError."""

    body: bytes
    position: int = field(default=0)

    @property
    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self.body) - self.position

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if length > self.left:
            raise PacketError("a packet that ends too early")
        self.position += length
        return self.body[self.position - length : self.position]

    def number(self, length: int) -> int:
        """A number of so many bytes."""
        return int.from_bytes(self.take(length), "big")

    def data(self) -> bytes:
        """Bytes behind their length."""
        return self.take(self.number(2))

    def text(self) -> str:
        """Text behind its length."""
        return self.data().decode("utf-8", "replace")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def varying(self) -> int:
        """A number of one to four bytes."""
        value = 0
        for position in range(4):
            digit = self.number(1)
            value |= (digit & 0x7F) << 7 * position
            if not digit & 0x80:
                return value
        raise PacketError("a number of more than four bytes")

    def properties(self) -> dict[int, int]:
        """The properties that are numbers; the others are passed over."""
        length = self.varying()
        if length > self.left:
            raise PacketError("properties that are longer than their packet")
        end = length + self.position
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
        if self.position > end:
            raise PacketError("a property that is longer than the properties")
        return found

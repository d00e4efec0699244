"""What a page sends towards the broker, read as MQTT as far as it must be: who connects, and where packets end. Pure.

The broker reads everything again; nothing here needs to understand topics or payloads.
"""

import enum
from dataclasses import dataclass

from schemas.topics import is_client_id

MAX_PACKET = 70_000
"""Bytes of a packet after its fixed header, as the broker takes them."""
_LENGTH_BYTES = 4
_CONNECT, _CONNACK, _DISCONNECT = 1, 2, 14
_FROM_CLIENTS = frozenset({3, 4, 5, 6, 7, 8, 10, 12, _DISCONNECT, 15})
"""Types of packets that a client may send once it has connected."""
_NAMES_OF_VERSIONS = {(b"MQTT", 4): 4, (b"MQTT", 5): 5}
_USERNAME, _PASSWORD, _WILL_RETAIN, _WILL_QOS, _WILL, _CLEAN, _RESERVED = 0x80, 0x40, 0x20, 0x18, 0x04, 0x02, 0x01


class Why(enum.StrEnum):
    """Why a page is turned away; also the label of its metric."""

    MALFORMED = "malformed"
    VERSION = "version"
    NAME = "name"
    TOO_LARGE = "too_large"
    SECOND_CONNECT = "second_connect"
    WRONG_PACKET = "wrong_packet"
    TEXT = "text"
    SLOW = "slow"
    NO_CONNECT = "no_connect"
    NOT_READ = "not_read"
    BROKER_AWAY = "broker_away"
    THROTTLED = "throttled"


class RefusedError(Exception):
    """The page is turned away."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class Connect:
    """What a CONNECT says. `version`: 4 (MQTT 3.1.1) or 5."""

    version: int
    client_id: str
    username: str


class PageBytes:
    """Follows the bytes of one page: `feed` gives what may go to the broker, from the whole CONNECT on."""

    def __init__(self) -> None:
        self.connect: Connect | None = None
        self.version = 0
        """Of the protocol, as soon as a CONNECT says one; 0: not known."""
        self.packets = 0
        """Whole packets so far."""
        self._head = bytearray()
        self._left = 0
        """Bytes that are missing of the present packet's body."""
        self._held = bytearray()
        """The CONNECT until it is whole."""

    @property
    def in_packet(self) -> bool:
        """Whether a packet has begun and not ended."""
        return bool(self._head)

    def feed(self, data: bytes) -> bytes:
        """Read further bytes; those for the broker. Raises RefusedError."""
        rest = memoryview(data)
        while rest:
            if not self._has_whole_head():
                self._head.append(rest[0])
                if self.connect is None:
                    self._held.append(rest[0])
                rest = rest[1:]
                if not self._has_whole_head():
                    if len(self._head) > _LENGTH_BYTES:
                        raise RefusedError(Why.MALFORMED)
                    continue
                self._begin()
            taken = min(self._left, len(rest))
            if self.connect is None:
                self._held += rest[:taken]
            rest = rest[taken:]
            self._left -= taken
            if not self._left:
                self._end()
                if self.packets == 1:  # the CONNECT goes on as a whole, with what came behind it
                    return bytes(self._held) + self.feed(bytes(rest))
        return data if self.connect is not None else b""

    def _has_whole_head(self) -> bool:
        return len(self._head) > 1 and self._head[-1] < 0x80

    def _begin(self) -> None:
        kind, flags = self._head[0] >> 4, self._head[0] & 0x0F
        if self.connect is None:
            if kind != _CONNECT or flags:
                raise RefusedError(Why.WRONG_PACKET)
        elif kind == _CONNECT:
            raise RefusedError(Why.SECOND_CONNECT)
        elif kind not in _FROM_CLIENTS:
            raise RefusedError(Why.WRONG_PACKET)
        self._left = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(self._head[1:]))
        if self._left > MAX_PACKET:
            raise RefusedError(Why.TOO_LARGE)

    def _end(self) -> None:
        if self.connect is None:
            body = bytes(self._held[len(self._head) :])
            self.version = _version_of(body)
            self.connect = read_connect(body)
        self.packets += 1
        self._head.clear()


def _version_of(body: bytes) -> int:
    """The version of a CONNECT if it has the form of one, else 0."""
    reader = _Reader(body)
    try:
        return _NAMES_OF_VERSIONS.get((reader.binary(), reader.byte()), 0)
    except RefusedError:
        return 0


def read_connect(body: bytes) -> Connect:
    """What a CONNECT without its fixed header says. Raises RefusedError unless it has exactly the form that MQTT 3.1.1
    or 5 gives it, and comes from somebody who can be a client: accounts of the hub and of people are none."""
    reader = _Reader(body)
    name, level = reader.binary(), reader.byte()
    version = _NAMES_OF_VERSIONS.get((name, level))
    if version is None:
        raise RefusedError(Why.VERSION if name in (b"MQTT", b"MQIsdp") else Why.MALFORMED)
    flags = reader.byte()
    reader.take(2)  # keep alive
    has_will = bool(flags & _WILL)
    if flags & _RESERVED or flags & _WILL_QOS == _WILL_QOS or (not has_will and flags & (_WILL_QOS | _WILL_RETAIN)):
        raise RefusedError(Why.MALFORMED)
    if version == 5:
        reader.properties()
    client_id = reader.text()
    if has_will:
        if version == 5:
            reader.properties()
        reader.text()
        reader.binary()
    username = reader.text() if flags & _USERNAME else ""
    if flags & _PASSWORD:
        reader.binary()
    if reader.left:
        raise RefusedError(Why.MALFORMED)
    # Not a list of forbidden names: whatever a broker folds, cuts or maps, this form has no other one.
    if not is_client_id(client_id) or not is_client_id(username):
        raise RefusedError(Why.NAME)
    return Connect(version, client_id, username)


class _Reader:
    """Reads fields one after the other. Raises RefusedError where they end too early."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._body) - self._at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise RefusedError(Why.MALFORMED)
        self._at += size
        return self._body[self._at - size : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def binary(self) -> bytes:
        return self.take(int.from_bytes(self.take(2)))

    def text(self) -> str:
        try:
            return self.binary().decode()
        except UnicodeDecodeError:
            raise RefusedError(Why.MALFORMED) from None

    def properties(self) -> None:
        size = 0
        for place in range(_LENGTH_BYTES):
            byte = self.byte()
            size |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                self.take(size)
                return
        raise RefusedError(Why.MALFORMED)


_REASONS = {
    Why.NAME: (0x87, 5),
    Why.VERSION: (0x84, 1),
    Why.TOO_LARGE: (0x95, None),
    Why.BROKER_AWAY: (0x88, 3),
    Why.THROTTLED: (0x9F, 3),
    Why.SECOND_CONNECT: (0x82, None),
    Why.WRONG_PACKET: (0x82, None),
    Why.MALFORMED: (0x81, None),
}
"""Reason codes of MQTT 5, and return codes of MQTT 3.1.1 where there is one."""


def last_word(why: Why, version: int, *, connected: bool) -> bytes:
    """The packet that tells a client why it is turned away: CONNACK, or once it is `connected` DISCONNECT, which
    MQTT 3.1.1 does not have. Empty where the protocol has none."""
    code, old_code = _REASONS.get(why, (None, None))
    if connected:
        return bytes((_DISCONNECT << 4, 2, code, 0)) if version == 5 and code is not None else b""
    if version == 5 and code is not None:
        return bytes((_CONNACK << 4, 3, 0, code, 0))
    if version != 5 and old_code is not None and (version or why is Why.VERSION):
        return bytes((_CONNACK << 4, 2, 0, old_code))
    return b""


def connack_code(data: bytes) -> int | None:
    """The reason or return code of a CONNACK with which the broker's answer begins; None: it is none, or not whole."""
    if len(data) < 4 or data[0] != _CONNACK << 4:
        return None
    at = 1
    while at < len(data) and data[at] >= 0x80:
        at += 1
    return data[at + 2] if len(data) > at + 2 else None

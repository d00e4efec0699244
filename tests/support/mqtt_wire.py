"""MQTT byte by byte on every door of the broker: a probe sends what no library would, and sees all that comes back."""

import base64
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import NamedTuple

from tests.support.page import PINGREQ, packet, text

DEADLINE_S = 20.0
PUBLISH, SUBACK, PINGRESP = 3, 9, 13
_RECEIVED = 0x10_000
_KEY = base64.b64encode(bytes(16))
_CLOSE, _DATA = 8, (0, 1, 2)


class Packet(NamedTuple):
    """A control packet that came. `body` is all behind its fixed header."""

    kind: int
    flags: int
    body: bytes

    @property
    def topic(self) -> str:
        """Of a PUBLISH."""
        return self.body[2 : 2 + int.from_bytes(self.body[:2])].decode()


class Connection:
    """One connection, of MQTT `version` (3, 4 or 5). Close it."""

    def __init__(self, sock: socket.socket, version: int, *, host: str | None = None) -> None:
        """`host`: speak MQTT in a WebSocket at `/mqtt` there."""
        self._sock = sock
        sock.settimeout(DEADLINE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.version = version
        self._in_frames = host is not None
        self._came = bytearray()
        self._mqtt = bytearray()
        self.over = False
        """The other side has ended it."""
        if host is not None:
            self._upgrade(host)

    def close(self) -> None:
        """End it without a word."""
        self._sock.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes, opcode: int = 2) -> None:
        """Send bytes of MQTT, as one WebSocket message where there is one. Who has been cut off says no more."""
        if self._in_frames:
            long = b"\xfe" + len(data).to_bytes(2) if len(data) < 0x10000 else b"\xff" + len(data).to_bytes(8)
            size = bytes((0x80 | len(data),)) if len(data) < 126 else long
            data = bytes((0x80 | opcode,)) + size + bytes(4) + data
        self.send_raw(data)

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        try:
            self._sock.sendall(data)
        except (ConnectionError, ssl.SSLError):
            self.over = True

    def hear(self) -> Packet | None:
        """The next packet; None once the connection is over. Raises TimeoutError."""
        while (found := self._next()) is None:
            if not self._read():
                return None
        return found

    def settled(self) -> list[Packet]:
        """All that came until the other side had read what was sent before this, or ended the connection."""
        self.send(PINGREQ)
        heard = []
        while (found := self.hear()) is not None and found.kind != PINGRESP:
            heard.append(found)
        return heard

    def _next(self) -> Packet | None:
        at, size = 1, 0
        while at < len(self._mqtt):
            size |= (self._mqtt[at] & 0x7F) << 7 * (at - 1)
            at += 1
            if self._mqtt[at - 1] < 0x80:
                if len(self._mqtt) < at + size:
                    return None
                found = Packet(self._mqtt[0] >> 4, self._mqtt[0] & 0x0F, bytes(self._mqtt[at : at + size]))
                del self._mqtt[: at + size]
                return found
        return None

    def _read(self) -> bool:
        """More of what came; whether there can be any."""
        part = b""
        if not self.over:
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                part = self._sock.recv(_RECEIVED)
        if not part:
            self.over = True
            return False
        if not self._in_frames:
            self._mqtt += part
            return True
        self._came += part
        while (frame := self._frame()) is not None:
            opcode, data = frame
            if opcode in _DATA:
                self._mqtt += data
            elif opcode == _CLOSE:
                self.over = True
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        if len(self._came) < 2:
            return None
        at, size = 2, self._came[1]
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(self._came) < at:
                return None
            size = int.from_bytes(self._came[2:at])
        if len(self._came) < at + size:
            return None
        frame = self._came[0] & 0x0F, bytes(self._came[at : at + size])
        del self._came[: at + size]
        return frame

    def _upgrade(self, host: str) -> None:
        self.send_raw(
            b"GET /mqtt HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n"
            % (host.encode(), _KEY)
        )
        while b"\r\n\r\n" not in self._came:
            part = self._sock.recv(_RECEIVED)
            assert part, bytes(self._came)
            self._came += part
        head, _, rest = bytes(self._came).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self._came[:] = rest


Door = Callable[[int], Connection]
"""Opens a connection of a version of MQTT."""


def plain(address: tuple[str, int], *, websocket: bool = False) -> Door:
    """Without TLS."""
    host = f"{address[0]}:{address[1]}" if websocket else None
    return lambda version: Connection(socket.create_connection(address, DEADLINE_S), version, host=host)


def secured(address: tuple[str, int], trust: ssl.SSLContext, name: str, *, websocket: bool = False) -> Door:
    """With TLS, where the other side has the name."""
    host = f"{name}:{address[1]}" if websocket else None
    return lambda version: Connection(
        trust.wrap_socket(socket.create_connection(address, DEADLINE_S), server_hostname=name), version, host=host
    )


def subscribe_packet(filters: list[bytes], version: int, *, options: int = 0, properties: bytes = b"") -> bytes:
    """A SUBSCRIBE with the packet id 1."""
    said = bytes((len(properties),)) + properties if version == 5 else b""
    return packet(8, b"\x00\x01" + said + b"".join(text(each) + bytes((options,)) for each in filters), 2)


def publish(
    topic: str | bytes, payload: bytes, version: int, *, qos: int = 0, retain: bool = False, properties: bytes = b""
) -> bytes:
    """A PUBLISH, with the packet id 2 where it has one."""
    said = bytes((len(properties),)) + properties if version == 5 else b""
    return packet(3, text(topic) + (b"\x00\x02" if qos else b"") + said + payload, qos << 1 | retain)


def payload_of(found: Packet, version: int) -> bytes:
    """What a PUBLISH carries."""
    at = 2 + int.from_bytes(found.body[:2]) + (2 if found.flags & 0x06 else 0)
    if version == 5:
        size = shift = 0
        while True:
            byte = found.body[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at += size
    return found.body[at:]


def four_bytes(kind: int, value: int) -> bytes:
    """A property of MQTT 5 with a number of four bytes."""
    return struct.pack(">BI", kind, value)

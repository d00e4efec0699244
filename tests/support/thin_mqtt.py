"""The smallest MQTT 5 client that simulated clients need: CONNECT with a will, SUBSCRIBE, QoS-1 PUBLISH both ways.

For load only: no reconnect, no flow control, no check of what the broker says. Real clients cost more.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import cast

OnMessage = Callable[["ThinClient", str, bytes], None]


def _text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def _packet(kind: int, body: bytes) -> bytes:
    length = len(body)
    size = bytearray()
    while True:
        length, digit = divmod(length, 128)
        size.append(digit | (128 if length else 0))
        if not length:
            return bytes([kind]) + bytes(size) + body


class ThinClient(asyncio.Protocol):
    """One connection of one simulated client."""

    def __init__(self, on_message: OnMessage) -> None:
        self._on_message = on_message
        self._buffer = bytearray()
        self._outgoing: list[bytes] = []
        self._next_id = 0
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._unacknowledged = 0
        self._all_acknowledged = asyncio.Event()

    @classmethod
    async def connect(
        cls, port: int, client_id: str, secret: str, will: tuple[str, bytes], on_message: OnMessage
    ) -> "ThinClient":
        """Connect with a will; returns after the CONNACK."""
        _, client = await asyncio.get_running_loop().create_connection(lambda: cls(on_message), "127.0.0.1", port)
        flags = 0x80 | 0x40 | 0x20 | 0x08 | 0x04 | 0x02  # user, password, will retained with QoS 1, clean start
        properties = b"\x05" + b"\x11" + struct.pack(">I", 0)  # session expiry 0
        body = _text(b"MQTT") + bytes([5, flags]) + struct.pack(">H", 60) + properties
        body += _text(client_id.encode()) + b"\x00" + _text(will[0].encode()) + _text(will[1])
        body += _text(client_id.encode()) + _text(secret.encode())
        await client._ask(_packet(0x10, body))
        return client

    async def subscribe(self, *topics: str) -> None:
        """Subscribe with QoS 1; returns after the SUBACK."""
        body = struct.pack(">H", self._packet_id()) + b"\x00"
        body += b"".join(_text(topic.encode()) + b"\x01" for topic in topics)
        await self._ask(_packet(0x82, body))

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1; nobody waits for the PUBACK."""
        body = _text(topic.encode()) + struct.pack(">H", self._packet_id()) + b"\x00" + payload
        self._unacknowledged += 1
        self._all_acknowledged.clear()
        self._write(_packet(0x33 if retain else 0x32, body))

    async def drained(self) -> None:
        """Return when the broker has acknowledged everything."""
        if self._unacknowledged:
            await asyncio.wait_for(self._all_acknowledged.wait(), 60)

    def close(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._flush()
            self._transport.close()

    async def _ask(self, packet: bytes) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self._write(packet)
        code = await asyncio.wait_for(self._answered, 30)
        if code >= 0x80:
            raise ConnectionError(f"the broker said 0x{code:02x}")

    def _packet_id(self) -> int:
        self._next_id = self._next_id % 65_535 + 1
        return self._next_id

    def _write(self, data: bytes) -> None:
        """What is written in one turn of the loop goes out together, as an agent's reports do."""
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outgoing.append(data)

    def _flush(self) -> None:
        data, self._outgoing = b"".join(self._outgoing), []
        if self._transport is not None:
            self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes came in: work off every whole packet."""
        buffer = self._buffer
        buffer += data
        start = 0
        while (end := self._one(start)) is not None:
            start = end
        del buffer[:start]

    def _one(self, start: int) -> int | None:
        buffer = self._buffer
        length = shift = 0
        at = start + 1
        while True:
            if at >= len(buffer):
                return None
            digit = buffer[at]
            length |= (digit & 127) << shift
            shift += 7
            at += 1
            if digit < 128:
                break
        end = at + length
        if end > len(buffer):
            return None
        kind = buffer[start] >> 4
        if kind == 3:
            self._message(buffer[start], bytes(buffer[at:end]))
        elif kind == 4:
            self._unacknowledged -= 1
            if not self._unacknowledged:
                self._all_acknowledged.set()
        elif kind == 2:
            self._answered.set_result(buffer[at + 1])
        elif kind == 9:
            self._answered.set_result(buffer[end - 1])
        return end

    def _message(self, first: int, body: bytes) -> None:
        size = int.from_bytes(body[:2], "big")
        topic = body[2 : 2 + size].decode()
        at = 2 + size
        if first & 0x06:
            self._write(b"\x40\x02" + body[at : at + 2])
            at += 2
        at += 1 + body[at]  # properties; fewer than 128 bytes here
        self._on_message(self, topic, body[at:])

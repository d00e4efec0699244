"""Finds MQTT 5 packets in bytes as they come in (OASIS MQTT 5.0, 2.1).

What the hub does for every command, PUBLISH and PUBACK, is written out for speed; the rest goes through `Cursor`.
"""

from typing import Protocol

from hub.mqtt.packets import LARGEST_PACKET, PACKET_TOO_LARGE, PROTOCOL_ERROR, PUBLISH, Cursor, Packet, PacketError


class Receiver(Protocol):
    """To whom a Decoder tells what came in, in its order. What it raises ends the `feed`."""

    def on_publish(self, topic: str, payload: bytes, packet_id: int, *, retained: bool) -> None:
        """A message; its packet id is 0 at QoS 0."""

    def on_puback(self, packet_id: int, code: int) -> None:
        """The acknowledgement of a message of ours."""

    def on_packet(self, packet: Packet) -> None:
        """Anything else."""


class Decoder:
    """Takes in bytes as they come, and tells of each packet once it is whole. Holds one unfinished packet at most."""

    def __init__(self, receiver: Receiver, largest: int = LARGEST_PACKET) -> None:
        self._receiver = receiver
        self._largest = largest
        # An unfinished packet, in the pieces in which it came: they are joined once, when `_needed` bytes are there.
        self._pieces: list[bytes] = []
        self._held = 0
        self._needed = 0
        self._stopped = False

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their packet."""
        return self._held

    def stop(self) -> None:
        """Tell of nothing more, also of what is in the bytes that are being worked off."""
        self._stopped = True
        self._pieces.clear()
        self._held = 0

    def feed(self, data: bytes) -> None:
        """Bytes came in. Raises PacketError; then the decoder has stopped."""
        if self._pieces:
            self._pieces.append(data)
            self._held += len(data)
            if self._held < self._needed:
                return
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._held = 0
        try:
            at = self._work_off(data)
        except BaseException:
            self.stop()
            raise
        if at < len(data) and not self._stopped:
            self._pieces.append(data[at:] if at else data)
            self._held = len(data) - at

    def _work_off(self, data: bytes) -> int:
        """Tell of every whole packet; where the first that is not whole begins."""
        receiver = self._receiver
        size = len(data)
        at = 0
        while not self._stopped:
            if at + 2 > size:
                self._needed = 2
                return at
            first, length, body = data[at], data[at + 1], at + 2
            if length > 127:
                length, body = self._long(data, at)
                if not body:
                    self._needed = size - at + 1
                    return at
            if length > self._largest:
                raise PacketError(f"a packet of {length} bytes", PACKET_TOO_LARGE)
            end = body + length
            if end > size:
                self._needed = end - at
                return at
            if first == 0x40 and length == 2:
                receiver.on_puback(data[body] << 8 | data[body + 1], 0)
            elif first >> 4 == PUBLISH:
                self._publish(data, first, body, end)
            elif first == 0x40:
                _puback(receiver, data[body:end])
            else:
                receiver.on_packet(Packet(first >> 4, first & 15, data[body:end]))
            at = end
        return at

    def _long(self, data: bytes, at: int) -> tuple[int, int]:
        """A length of several bytes, and where its packet's body begins; 0 when the length is not whole."""
        length = 0
        for position in range(4):
            if at + 1 + position >= len(data):
                return 0, 0
            digit = data[at + 1 + position]
            length |= (digit & 127) << 7 * position
            if digit < 128:
                return length, at + 2 + position
        raise PacketError("a length of more than four bytes")

    def _publish(self, data: bytes, first: int, body: int, end: int) -> None:
        qos = first & 6
        if qos > 2:
            raise PacketError("a message of QoS 2", PROTOCOL_ERROR)
        if end - body < 4:
            raise PacketError("a PUBLISH that ends too early")
        name_end = body + 2 + (data[body] << 8 | data[body + 1])
        at = name_end + qos  # QoS 1 is 2 here, which is also how long a packet id is.
        if at >= end:
            raise PacketError("a PUBLISH that ends too early")
        packet_id = data[name_end] << 8 | data[name_end + 1] if qos else 0
        if qos and not packet_id:
            raise PacketError("a packet id of 0", PROTOCOL_ERROR)
        if data[at]:
            cursor = Cursor(data[at:end])
            cursor.properties()
            at += cursor.position
        else:
            at += 1
        try:
            topic = str(data[body + 2 : name_end], "utf-8")
        except UnicodeDecodeError:
            raise PacketError("a topic that is not UTF-8") from None
        if not topic:
            raise PacketError("a message without topic", PROTOCOL_ERROR)
        self._receiver.on_publish(topic, data[at:end], packet_id, retained=bool(first & 1))


def _puback(receiver: Receiver, body: bytes) -> None:
    """A PUBACK that gives a reason, and maybe properties."""
    cursor = Cursor(body)
    packet_id, code = cursor.number(2), cursor.number(1)
    if cursor.left:
        cursor.properties()
    receiver.on_puback(packet_id, code)

"""Our own MQTT 5 client on asyncio: one connection that spends as little of the hub's thread as it can.

All that is written in one turn of the loop goes out at once, acknowledgements included; nothing is allocated for a
message but its packet. What is asked of it, and why it is not the library, is in docs/decisions.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any, cast

from hub.mqtt import packets
from hub.mqtt.decoder import Decoder
from hub.mqtt.link import (
    CONNECT_PATIENCE_S,
    KEEPALIVE_S,
    MAX_IN_FLIGHT,
    MAX_OUTSTANDING,
    SESSION_TAKEN_OVER,
    Address,
    Handler,
    RefusedError,
)
from hub.mqtt.packets import Connack, Packet, PacketError
from schemas.tls import trusting

FLUSH_BYTES = 256 * 1024
"""As much is gathered in one turn of the loop before it is handed to the transport."""
HIGH_WATER = 1024 * 1024
"""With more in the transport's buffer, messages wait here."""
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Of messages that wait here; more are refused."""
MAX_UNSENT_BYTES = 16 * 1024 * 1024
"""In the transport's buffer. A broker that lets so much gather reads nothing, though it goes on to send."""
CLOSE_PATIENCE_S = 1.0
MOST_PACKET_ID = 65_535
TICKS = 2
"""In a keepalive interval. After three of them without a packet the connection is dead."""

_UNKNOWN = object()


class ThinLink(asyncio.Protocol):
    """link.Link, decoder.Receiver, and the protocol of an asyncio transport."""

    def __init__(self, address: Address, handler: Handler) -> None:
        self._address = address
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._decoder = Decoder(self)
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.taken_over = False
        self._connack: asyncio.Future[Connack] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[bytes]] = {}
        self._accepted = False
        # Messages out: all that have a packet id, by it; how many of them are on their way; and those that wait.
        self._tokens: dict[int, object] = {}
        self._in_flight = 0
        self._window = MAX_IN_FLIGHT
        self._largest = packets.LARGEST_PACKET
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._waiting_bytes = 0
        self._last_id = 0
        # Bytes out: what this turn of the loop wrote so far, and whether the transport wants no more.
        self._written: list[bytes] = []
        self._written_bytes = 0
        self._paused = False
        # Keepalive, counted in ticks: a process that was held up hears what came meanwhile before it counts on.
        self._tick_s = KEEPALIVE_S / TICKS
        self._silent_ticks = 0
        self._spoke = False
        self._timer: asyncio.TimerHandle | None = None
        self._closing: asyncio.TimerHandle | None = None

    @property
    def outstanding(self) -> int:
        """Messages of QoS 1 without PUBACK."""
        return len(self._tokens)

    async def open(self) -> None:
        """Connect. Raises OSError, TimeoutError or RefusedError."""
        address = self._address
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            context = None
            if address.tls:
                context = await asyncio.to_thread(trusting, address.ca_file)
            await self._loop.create_connection(lambda: self, address.host, address.port, ssl=context)
            self._write(
                packets.connect(
                    address.client_id, address.username, address.password, KEEPALIVE_S, packets.LARGEST_PACKET
                )
            )
            connack = await self._connack
        if connack.code >= packets.FAILURE:
            raise RefusedError(f"the broker refuses user {address.username!r}: {packets.reason_text(connack.code)}")

    async def subscribe(self, subscriptions: Sequence[tuple[str, int]]) -> list[str]:
        """Subscribe to all; the filters that the broker refused. Raises OSError, TimeoutError."""
        if not subscriptions:
            return []
        if self.lost.done():
            raise OSError(self.lost.result())
        packet_id = self._packet_id()
        suback = self._subacks[packet_id] = self._loop.create_future()
        self._write(packets.subscribe(packet_id, subscriptions))
        try:
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                codes = await suback
        finally:
            self._subacks.pop(packet_id, None)
        if len(codes) != len(subscriptions):
            raise OSError("the broker answered for another number of filters")
        return [topic for (topic, _), code in zip(subscriptions, codes, strict=True) if code >= packets.FAILURE]

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        retain: bool,
        token: object,
        correlation: bytes | None,
        response_topic: str | None,
    ) -> bool:
        """Take a message; False when not connected, with too much outstanding, or when the broker takes none so large.

        Messages leave in the order in which they were taken.
        """
        if not self._accepted or len(self._tokens) >= MAX_OUTSTANDING:
            return False
        packet_id = self._packet_id() if qos else 0
        packet = packets.publish(
            topic, payload, packet_id, retain=retain, correlation=correlation, response_topic=response_topic
        )
        if len(packet) > self._largest:
            return False
        if self._waiting or self._paused or (packet_id and self._in_flight >= self._window):
            if self._waiting_bytes + len(packet) > MAX_WAITING_BYTES:
                return False
            self._waiting.append((packet_id, packet))
            self._waiting_bytes += len(packet)
        else:
            self._in_flight += packet_id > 0
            self._write(packet)
        if packet_id:
            self._tokens[packet_id] = token
        return True

    def close(self) -> None:
        """Disconnect, if connected; idempotent."""
        self._end("closed", packets.NORMAL)

    # The transport's calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open, and TLS stands."""
        made = self._transport = cast("asyncio.Transport", transport)
        made.set_write_buffer_limits(high=HIGH_WATER)
        sock = made.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.lost.done():
            made.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        self._silent_ticks = 0
        try:
            self._decoder.feed(data)
        except PacketError as problem:
            self._end(f"the broker sent {problem}", problem.code)
        if self._waiting:
            self._send_waiting()

    def pause_writing(self) -> None:
        """The broker reads slower than we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """The broker caught up."""
        self._paused = False
        self._send_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._end(str(exc) if exc is not None else "closed by the broker")
        if self._closing is not None:
            self._closing.cancel()
        self._transport = None

    # The decoder's calls.

    def on_publish(self, topic: str, payload: bytes, packet_id: int, *, retained: bool) -> None:
        """A message came in; its acknowledgement leaves when the handler has taken it."""
        if not self._accepted:
            raise PacketError("a message before the connection stood", packets.PROTOCOL_ERROR)
        try:
            self._handler.on_message(topic, payload, retained=retained)
        except Exception as problem:  # noqa: BLE001 - told to the loop; one message must not end the connection
            self._complain("a message was not taken", problem)
        if packet_id:
            self._write(packets.puback(packet_id))

    def on_puback(self, packet_id: int, code: int) -> None:
        """The broker answered a publish."""
        token = self._tokens.pop(packet_id, _UNKNOWN)
        if token is _UNKNOWN:
            if not self._accepted:
                raise PacketError("a PUBACK before the connection stood", packets.PROTOCOL_ERROR)
            return
        self._in_flight -= 1
        if token is not None:
            try:
                self._handler.on_ack(token, accepted=code < packets.FAILURE)
            except Exception as problem:  # noqa: BLE001 - as above
                self._complain("an acknowledgement was not taken", problem)

    def on_packet(self, packet: Packet) -> None:
        """Everything that is rare."""
        if not self._accepted and packet.type != packets.CONNACK:
            raise PacketError("another packet than CONNACK first", packets.PROTOCOL_ERROR)
        if packet.flags:
            raise PacketError(f"flags of a packet of type {packet.type}")
        match packet.type:
            case packets.CONNACK:
                self._on_connack(packets.read_connack(packet))
            case packets.SUBACK:
                packet_id, codes = packets.read_suback(packet)
                suback = self._subacks.get(packet_id)
                if suback is not None and not suback.done():
                    suback.set_result(codes)
            case packets.PINGRESP:
                pass
            case packets.DISCONNECT:
                code = packets.reason_of(packet)
                self.taken_over = code == SESSION_TAKEN_OVER
                self._end(f"the broker disconnects: {packets.reason_text(code)}")
            case _:
                raise PacketError(f"a packet of type {packet.type}", packets.PROTOCOL_ERROR)

    def _on_connack(self, connack: Connack) -> None:
        if self._connack.done():
            raise PacketError("a second CONNACK", packets.PROTOCOL_ERROR)
        if connack.session_present:
            raise PacketError("a session that nobody asked for", packets.PROTOCOL_ERROR)
        if connack.receive_maximum == 0 or connack.largest_packet == 0:
            raise PacketError("a limit of 0", packets.PROTOCOL_ERROR)
        if connack.code < packets.FAILURE:
            self._accepted = True
            self._window = min(MAX_IN_FLIGHT, connack.receive_maximum or MAX_IN_FLIGHT)
            self._largest = connack.largest_packet or self._largest
            # The broker may ask for a shorter interval. A longer one would only delay what we want to notice.
            self._tick_s = min(connack.keepalive_s or KEEPALIVE_S, KEEPALIVE_S) / TICKS
            self._timer = self._loop.call_later(self._tick_s, self._tick)
        self._connack.set_result(connack)

    # Out.

    def _packet_id(self) -> int:
        """One that no message or subscription uses; fewer are outstanding than there are."""
        number = self._last_id
        while True:
            number = number % MOST_PACKET_ID + 1
            if number not in self._tokens and number not in self._subacks:
                self._last_id = number
                return number

    def _send_waiting(self) -> None:
        """As many of those that wait as may go."""
        waiting = self._waiting
        while waiting and not self._paused:
            packet_id, packet = waiting[0]
            if packet_id:
                if self._in_flight >= self._window:
                    return
                self._in_flight += 1
            waiting.popleft()
            self._waiting_bytes -= len(packet)
            self._write(packet)

    def _write(self, packet: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(packet)
        self._written_bytes += len(packet)
        if self._written_bytes >= FLUSH_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Hand over what was gathered; may call pause_writing."""
        written = self._written
        transport = self._transport
        if not written or transport is None or transport.is_closing():
            return
        data = written[0] if len(written) == 1 else b"".join(written)
        written.clear()
        self._written_bytes = 0
        self._spoke = True
        transport.write(data)
        if self._paused and transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._end("the broker does not read")

    def _tick(self) -> None:
        """Half a keepalive interval went by."""
        self._silent_ticks += 1
        if self._silent_ticks > 3 * TICKS // 2:
            self._end("keepalive")
            return
        if self._silent_ticks > 1 or not self._spoke:
            self._write(packets.PINGREQ)
        self._spoke = False
        self._timer = self._loop.call_later(self._tick_s, self._tick)

    # The end.

    def _end(self, reason: str, code: int | None = None) -> None:
        """The connection is over: whoever waits for it hears so. With a `code` the broker hears it, too."""
        if self.lost.done():
            return
        self.lost.set_result(reason)
        self._accepted = False
        self._decoder.stop()
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._timer is not None:
            self._timer.cancel()
        waiting: list[asyncio.Future[Any]] = [self._connack, *self._subacks.values()]
        for future in waiting:
            if not future.done():
                future.set_exception(OSError(reason))
                future.exception()  # Whoever waits has it; if nobody does, that is no error.
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if code is None:
            transport.abort()
            return
        self._write(packets.disconnect(code))
        self._flush()
        transport.close()
        # A broker that reads nothing would keep the socket open for ever.
        self._closing = self._loop.call_later(CLOSE_PATIENCE_S, transport.abort)

    def _complain(self, what: str, problem: Exception) -> None:
        self._loop.call_exception_handler({"message": what, "exception": problem, "protocol": self})

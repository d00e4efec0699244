"""One page at `/mqtt`: a WebSocket by the library websockets on one side, MQTT over TCP with the broker on the other.

Bytes pass as they are, with back-pressure both ways. Nothing reaches the broker before a whole CONNECT of somebody who
can be a client.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.protocol import State as WebSocketState
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from hub.core.limits.rules import Windows
from hub.programs.edge.admission import State, Visit
from hub.programs.edge.packets import Connect, PageBytes, RefusedError, Why, connack_code, last_word
from hub.programs.edge.telemetry import Event, Metrics
from hub.telemetry.log import Log

SUBPROTOCOL = Subprotocol("mqtt")
SWITCHING = 101
MAX_MESSAGE = 256 * 1024
"""Bytes of one WebSocket message; it may hold several packets."""
CONNECT_S = 10.0
"""From the WebSocket to the end of the CONNECT, and from there to the broker's answer."""
BROKER_S = 5.0
"""To connect to the broker."""
CLOSE_S = 2.0
"""How long a page that was told to go may take."""
BUFFER = 64 * 1024
"""Bytes that wait for one side until the other one is read no further."""
CONNECTS = 60
"""CONNECTs a minute of one name from one address."""

_CLOSE_CODES = {
    Why.TOO_LARGE: CloseCode.MESSAGE_TOO_BIG,
    Why.TEXT: CloseCode.UNSUPPORTED_DATA,
    Why.BROKER_AWAY: CloseCode.TRY_AGAIN_LATER,
    Why.THROTTLED: CloseCode.TRY_AGAIN_LATER,
    Why.MALFORMED: CloseCode.PROTOCOL_ERROR,
    Why.WRONG_PACKET: CloseCode.PROTOCOL_ERROR,
    Why.SECOND_CONNECT: CloseCode.PROTOCOL_ERROR,
}
"""All other refusals: policy violation."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a page may take, in seconds."""

    packet_s: float = 20.0
    """From the first byte of a packet to its last."""
    unread_s: float = 30.0
    """Until it reads what waits for it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all pages share."""

    broker: tuple[str, int]
    log: Log
    metrics: Metrics
    connects: Windows
    pages: "set[Page]"
    patience: Patience


class Page(asyncio.Protocol):
    """The page's side. `begin` with the connection of a request whose head was checked."""

    def __init__(self, visit: Visit, around: Surroundings) -> None:
        self._visit = visit
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport = None  # type: ignore[assignment]  # set by `begin`
        self._websocket = ServerProtocol(subprotocols=[SUBPROTOCOL], max_size=MAX_MESSAGE)
        self._bytes = PageBytes()
        self._connecting: asyncio.Task[None] | None = None
        self._broker: _BrokerSide | None = None
        self._waiting = bytearray()
        """For the broker, until it is connected."""
        self._answered = False
        """The broker has taken the CONNECT."""
        self._over = False
        self._write_paused = False
        self._units = 0
        """Whole packets, and control frames between packets, so far."""
        self._timers: dict[str, asyncio.TimerHandle] = {}

    # --- the page --------------------------------------------------------------------------------------

    def begin(self, transport: asyncio.Transport, head: bytes, data: bytes, refusal: bytes) -> None:
        """Answer the handshake, whose request is `head`; `data` came behind it. `refusal` answers one that is none."""
        self._transport = transport
        self._around.pages.add(self)
        transport.set_protocol(self)
        transport.set_write_buffer_limits(high=BUFFER)
        transport.resume_reading()
        self._after(CONNECT_S, "connect", lambda: self._refuse(Why.NO_CONNECT))
        self._websocket.receive_data(head)
        [request] = self._websocket.events_received()
        response = self._websocket.accept(cast("Handshake", request))
        if response.status_code != SWITCHING:
            transport.write(refusal)
            self._leave()
            return
        self._websocket.send_response(response)
        self._flush()
        if data:
            self.data_received(data)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        before = self._units
        self._websocket.receive_data(data)
        try:
            for event in self._websocket.events_received():
                self._frame(event)
        except RefusedError as problem:
            self._refuse(problem.why)
            return
        self._flush()
        if self._websocket.state is not WebSocketState.OPEN:
            self._leave()
        elif self._answered and "packet" not in self._timers and (self._bytes.in_packet or self._units == before):
            self._await_unit(self._units)

    def eof_received(self) -> None:
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as the loop calls it
        self._over = True
        self._around.pages.discard(self)
        self._visit.end()
        self._stop()

    def pause_writing(self) -> None:
        self._write_paused = True
        self._transport.pause_reading()  # Its pings would be answered into the same buffer.
        if self._broker is not None:
            self._broker.transport.pause_reading()
        self._after(self._around.patience.unread_s, "unread", lambda: self._refuse(Why.NOT_READ))

    def resume_writing(self) -> None:
        self._write_paused = False
        self._cancel("unread")
        if self._broker is not None:
            self._broker.transport.resume_reading()
            if not self._broker.write_paused:
                self._transport.resume_reading()
        else:
            self._transport.resume_reading()

    def end(self) -> None:
        """The edge stops: tell the page to come back."""
        self._close(CloseCode.SERVICE_RESTART)

    def _frame(self, frame: Any) -> None:
        assert isinstance(frame, Frame)  # noqa: S101 - nothing else follows the handshake
        if frame.opcode is Opcode.TEXT:
            raise RefusedError(Why.TEXT)
        if frame.opcode is not Opcode.BINARY and frame.opcode is not Opcode.CONT:
            self._units += not self._bytes.in_packet
            return
        before = self._bytes.connect
        data = self._bytes.feed(bytes(frame.data))
        self._units += 1 if not self._bytes.in_packet else 0
        if before is None and self._bytes.connect is not None:
            self._admit(self._bytes.connect)
        self._to_broker(data)

    def _admit(self, connect: Connect) -> None:
        count = self._around.connects.take((self._visit.site, connect.client_id), self._loop.time())
        if count is not None and count.left < 0:
            raise RefusedError(Why.THROTTLED)
        self._after(CONNECT_S, "connect", lambda: self._refuse(Why.BROKER_AWAY))
        self._connecting = self._loop.create_task(self._connect())

    def _await_unit(self, so_far: int) -> None:
        """Something has begun: within its time something must become whole."""

        def look() -> None:
            if self._units == so_far:
                self._refuse(Why.SLOW)

        self._after(self._around.patience.packet_s, "packet", look)

    # --- the broker ------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(BROKER_S):
                _, self._broker = await self._loop.create_connection(lambda: _BrokerSide(self), *self._around.broker)
        except (OSError, TimeoutError):
            self._refuse(Why.BROKER_AWAY)
            return
        if self._over:
            self._broker.transport.abort()
            return
        self._broker.transport.write(bytes(self._waiting))
        self._waiting.clear()
        if not self._broker.write_paused:
            self.broker_ready()

    def _to_broker(self, data: bytes) -> None:
        if self._broker is not None:
            self._broker.transport.write(data)
        elif data:
            self._waiting += data
            if len(self._waiting) > BUFFER:
                self._transport.pause_reading()

    def from_broker(self, data: bytes) -> None:
        """What the broker sends goes on as it is."""
        if self._over:
            return
        if not self._answered:
            self._hear_connack(data)
        self._websocket.send_binary(data)
        self._flush()

    def _hear_connack(self, data: bytes) -> None:
        self._answered = True
        self._cancel("connect")
        if connack_code(data) == 0:
            self._visit.becomes(State.PAGE)
            return
        connect = self._bytes.connect
        self._around.metrics.refused.labels(Why.NAME.value).inc()
        self._tell(Why.NAME, client_id=connect.client_id if connect else "")

    def broker_lost(self) -> None:
        """The broker has ended the connection, or is gone."""
        self._close(CloseCode.TRY_AGAIN_LATER if self._visit.state is State.PAGE else CloseCode.POLICY_VIOLATION)

    def broker_full(self) -> None:
        """The broker reads no more for the moment."""
        self._transport.pause_reading()

    def broker_ready(self) -> None:
        """It reads again."""
        if not self._write_paused and not self._over:
            self._transport.resume_reading()

    # --- the end ---------------------------------------------------------------------------------------

    def _refuse(self, why: Why) -> None:
        if self._over:
            return
        self._around.metrics.refused.labels(why.value).inc()
        self._tell(why)
        if why is Why.NOT_READ:
            self._over = True
            self._transport.abort()
            return
        word = last_word(why, self._bytes.version, connected=self._answered)
        if word and self._websocket.state is WebSocketState.OPEN:
            self._websocket.send_binary(word)
        self._close(_CLOSE_CODES.get(why, CloseCode.POLICY_VIOLATION), why.value)

    def _tell(self, why: Why, **fields: Any) -> None:
        self._around.log.seldom(self._visit.site, why).info(
            Event.EDGE_REFUSED, reason=why.value, address=self._visit.address, **fields
        )

    def _close(self, code: CloseCode, reason: str = "") -> None:
        if self._over:
            return
        if self._websocket.state is WebSocketState.OPEN:
            self._websocket.send_close(code, reason)
        self._flush()
        self._leave()

    def _leave(self) -> None:
        """Send what is left, and go."""
        if self._over:
            return
        self._over = True
        self._stop()
        self._transport.close()
        self._timers["close"] = self._loop.call_later(CLOSE_S, self._transport.abort)

    def _stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._connecting is not None and self._connecting is not asyncio.current_task(self._loop):
            self._connecting.cancel()
        if self._broker is not None:
            self._broker.transport.close()

    def _flush(self) -> None:
        for data in self._websocket.data_to_send():
            if data:
                self._transport.write(data)

    def _after(self, delay_s: float, name: str, act: Callable[[], None]) -> None:
        self._cancel(name)

        def run() -> None:
            self._timers.pop(name, None)
            act()

        self._timers[name] = self._loop.call_later(delay_s, run)

    def _cancel(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()


class _BrokerSide(asyncio.Protocol):
    """The connection to the broker."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.transport: asyncio.Transport = None  # type: ignore[assignment]  # set when connected
        self.write_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # of uvloop, whose classes derive from nothing
        self.transport.set_write_buffer_limits(high=BUFFER)

    def data_received(self, data: bytes) -> None:
        self._page.from_broker(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as the loop calls it
        self._page.broker_lost()

    def pause_writing(self) -> None:
        self.write_paused = True
        self._page.broker_full()

    def resume_writing(self) -> None:
        self.write_paused = False
        self._page.broker_ready()

"""A listener between the client and the broker: what it reads it passes on, except what its owner keeps back.

So it sees what no subscriber sees (CONNECT, the order of packets, the retain flag), and it can hand the client what
the owner gives it, and end the connection, without disturbing the hub.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from hub.programs.conformance import packets
from hub.programs.conformance.packets import Connect, Packet, PacketError, Publish

CONNECT_PATIENCE_S = 10.0
SUBACK_HOLD_S = 0.2
"""How long a SUBACK is kept back: who does not wait for it has said its birth by then."""
FIRST_OWN_ID = 60_000
"""Packet ids of our own messages; broker and client count theirs from 1."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(eq=False, slots=True)
class Wire:
    """One connection of the client, from its CONNECT to its end."""

    number: int
    client: asyncio.StreamWriter
    broker: asyncio.StreamWriter
    connect: Connect | None = None
    granted: dict[str, int] = field(default_factory=dict)
    """Filters whose SUBACK the client has, with the QoS it asked for."""
    left: int | None = None
    """The reason code of its DISCONNECT; None without one."""
    closed: bool = False
    unacknowledged: set[int] = field(default_factory=set)
    """Packet ids of the client's messages that the broker has not acknowledged."""
    asked: dict[int, dict[str, int]] = field(default_factory=dict)
    aliases: dict[tuple[str, int], str] = field(default_factory=dict)
    own_ids: set[int] = field(default_factory=set)
    next_id: int = FIRST_OWN_ID

    @property
    def level(self) -> int:
        """The protocol level; MQTT 5 has 5."""
        return self.connect.level if self.connect else packets.MQTT_5

    def deliver(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Hand the client a message at QoS 1, as if it came from the broker."""
        self._write(self.client, topic, payload, retain)

    def speak(self, topic: str, payload: bytes) -> None:
        """Publish in the client's place."""
        self._write(self.broker, topic, payload, retain=False)

    def cut(self) -> None:
        """End the connection without a word, to both sides."""
        for side in (self.client, self.broker):
            side.transport.abort()

    def _write(self, side: asyncio.StreamWriter, topic: str, payload: bytes, retain: bool) -> None:
        if self.closed:
            return
        self.next_id += 1
        self.own_ids.add(self.next_id)
        side.write(packets.write_publish(Publish(topic, payload, 1, retain, self.next_id), self.level).encode())


class Listener(Protocol):
    """Hears what passes. All of it is called in the loop and must not block."""

    def on_connect(self, wire: Wire) -> None:
        """A CONNECT came."""

    def on_publish(self, wire: Wire, message: Publish) -> None:
        """The client published; the message goes on to the broker."""

    def on_acknowledge(self, wire: Wire) -> None:
        """The broker has a message of the client: `wire.unacknowledged` is shorter."""

    def on_end(self, wire: Wire) -> None:
        """The connection has ended; `wire.left` tells how."""

    def admit(self, wire: Wire, message: Publish) -> bool:
        """Whether a message for the client goes on to it. False: it is acknowledged to the broker and ends here."""


class Tap:
    """Accepts the client; one broker connection for each of its own."""

    def __init__(self, broker: Broker, listener: Listener) -> None:
        self._broker = broker
        self._listener = listener
        self.wires: list[Wire] = []

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen; the port, which is chosen when it is 0. Raises OSError."""
        server = await asyncio.start_server(self._accept, host, port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for wire in self.wires:
                wire.cut()

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        broker = self._broker
        try:
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                from_broker, to_broker = await asyncio.open_connection(broker.host, broker.port, ssl=broker.tls)
        except (OSError, TimeoutError):
            to_client.transport.abort()
            return
        wire = Wire(len(self.wires) + 1, to_client, to_broker)
        self.wires.append(wire)
        pumps = [
            asyncio.create_task(self._from_client(wire, from_client), name=f"tap-client-{wire.number}"),
            asyncio.create_task(self._from_broker(wire, from_broker), name=f"tap-broker-{wire.number}"),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            wire.closed = True
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for side in (to_client, to_broker):
                with contextlib.suppress(OSError):
                    # What was passed on shall arrive: the good-bye to the broker, its answers to the client.
                    side.close()
            self._listener.on_end(wire)

    async def _from_client(self, wire: Wire, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, PacketError):
            while (packet := await packets.read_packet(reader)) is not None:
                if self._heard(wire, packet):
                    wire.broker.write(packet.encode())
                    await wire.broker.drain()

    def _heard(self, wire: Wire, packet: Packet) -> bool:
        """Take note of a client's packet; whether the broker shall have it."""
        match packet.type:
            case packets.CONNECT:
                wire.connect = packets.read_connect(packet)
                self._listener.on_connect(wire)
            case packets.SUBSCRIBE:
                asked = packets.read_subscribe(packet, wire.level)
                wire.asked[asked.packet_id] = dict(asked.filters)
            case packets.PUBLISH:
                message = packets.read_publish(packet, wire.level)
                if message.packet_id is not None:
                    wire.unacknowledged.add(message.packet_id)
                self._listener.on_publish(wire, self._named(wire, "client", message))
            case packets.PUBACK:
                return packets.packet_id_of(packet) not in wire.own_ids
            case packets.DISCONNECT:
                wire.left = packets.reason_of(packet)
        return True

    async def _from_broker(self, wire: Wire, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, PacketError):
            while (packet := await packets.read_packet(reader)) is not None:
                if packet.type == packets.SUBACK:
                    await asyncio.sleep(SUBACK_HOLD_S)
                    wire.granted |= wire.asked.pop(packets.packet_id_of(packet), {})
                if self._told(wire, packet):
                    wire.client.write(packet.encode())
                    await wire.client.drain()

    def _told(self, wire: Wire, packet: Packet) -> bool:
        """Take note of a packet for the client; whether it shall have it."""
        if packet.type == packets.PUBACK:
            packet_id = packets.packet_id_of(packet)
            wire.unacknowledged.discard(packet_id)
            self._listener.on_acknowledge(wire)
            return packet_id not in wire.own_ids
        if packet.type != packets.PUBLISH:
            return True
        message = self._named(wire, "broker", packets.read_publish(packet, wire.level))
        if self._listener.admit(wire, message):
            return True
        if message.packet_id is not None:
            wire.broker.write(packets.puback(message.packet_id).encode())
        return False

    @staticmethod
    def _named(wire: Wire, side: str, message: Publish) -> Publish:
        """The message with its topic, also where an alias stood for it."""
        if message.alias is None:
            return message
        if message.topic:
            wire.aliases[side, message.alias] = message.topic
            return message
        return replace(message, topic=wire.aliases.get((side, message.alias), ""))

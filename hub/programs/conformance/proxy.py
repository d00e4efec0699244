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
class Connection:
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

    def on_connect(self, connection: Connection) -> None:
        """A CONNECT came."""

    def on_publish(self, connection: Connection, message: Publish) -> None:
        """The client published; the message goes on to the broker."""

    def on_acknowledge(self, connection: Connection) -> None:
        """The broker has a message of the client: `connection.unacknowledged` is shorter."""

    def on_end(self, connection: Connection) -> None:
        """The connection has ended; `connection.left` tells how."""

    def admit(self, connection: Connection, message: Publish) -> bool:
        """Whether a message for the client goes on to it. False: it is acknowledged to the broker and ends here."""


class Proxy:
    """Accepts the client; one broker connection for each of its own."""

    def __init__(self, broker: Broker, listener: Listener) -> None:
        self._broker = broker
        self._listener = listener
        self.connections: list[Connection] = []

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen; the port, which is chosen when it is 0. Raises OSError."""
        server = await asyncio.start_server(self._accept, host, port)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            for connection in self.connections:
                connection.cut()

    async def _accept(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        broker = self._broker
        try:
            async with asyncio.timeout(CONNECT_PATIENCE_S):
                from_broker, to_broker = await asyncio.open_connection(broker.host, broker.port, ssl=broker.tls)
        except (OSError, TimeoutError):
            to_client.transport.abort()
            return
        connection = Connection(len(self.connections) + 1, to_client, to_broker)
        self.connections.append(connection)
        pumps = [
            asyncio.create_task(self._from_client(connection, from_client), name=f"proxy-client-{connection.number}"),
            asyncio.create_task(self._from_broker(connection, from_broker), name=f"proxy-broker-{connection.number}"),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            connection.closed = True
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for side in (to_client, to_broker):
                with contextlib.suppress(OSError):
                    # What was passed on shall arrive: the good-bye to the broker, its answers to the client.
                    side.close()
            self._listener.on_end(connection)

    async def _from_client(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, PacketError):
            while (packet := await packets.read_packet(reader)) is not None:
                if self._heard(connection, packet):
                    connection.broker.write(packet.encode())
                    await connection.broker.drain()

    def _heard(self, connection: Connection, packet: Packet) -> bool:
        """Take note of a client's packet; whether the broker shall have it."""
        match packet.type:
            case packets.CONNECT:
                connection.connect = packets.read_connect(packet)
                self._listener.on_connect(connection)
            case packets.SUBSCRIBE:
                asked = packets.read_subscribe(packet, connection.level)
                connection.asked[asked.packet_id] = dict(asked.filters)
            case packets.PUBLISH:
                message = packets.read_publish(packet, connection.level)
                if message.packet_id is not None:
                    connection.unacknowledged.add(message.packet_id)
                self._listener.on_publish(connection, self._named(connection, "client", message))
            case packets.PUBACK:
                return packets.packet_id_of(packet) not in connection.own_ids
            case packets.DISCONNECT:
                connection.left = packets.reason_of(packet)
        return True

    async def _from_broker(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, PacketError):
            while (packet := await packets.read_packet(reader)) is not None:
                if packet.type == packets.SUBACK:
                    await asyncio.sleep(SUBACK_HOLD_S)
                    connection.granted |= connection.asked.pop(packets.packet_id_of(packet), {})
                if self._told(connection, packet):
                    connection.client.write(packet.encode())
                    await connection.client.drain()

    def _told(self, connection: Connection, packet: Packet) -> bool:
        """Take note of a packet for the client; whether it shall have it."""
        if packet.type == packets.PUBACK:
            packet_id = packets.packet_id_of(packet)
            connection.unacknowledged.discard(packet_id)
            self._listener.on_acknowledge(connection)
            return packet_id not in connection.own_ids
        if packet.type != packets.PUBLISH:
            return True
        message = self._named(connection, "broker", packets.read_publish(packet, connection.level))
        if self._listener.admit(connection, message):
            return True
        if message.packet_id is not None:
            connection.broker.write(packets.puback(message.packet_id).encode())
        return False

    @staticmethod
    def _named(connection: Connection, side: str, message: Publish) -> Publish:
        """The message with its topic, also where an alias stood for it."""
        if message.alias is None:
            return message
        if message.topic:
            connection.aliases[side, message.alias] = message.topic
            return message
        return replace(message, topic=connection.aliases.get((side, message.alias), ""))

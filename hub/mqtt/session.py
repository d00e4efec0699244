"""One connection to the broker, kept up for ever. The only module of the hub that imports the MQTT library.

paho is driven by the asyncio loop, without threads, and a new paho client serves each connection: the library then
replays nothing behind our back, and an acknowledgement cannot belong to another connection. What was in flight when
a connection broke counts as not sent; leases and receipts bring it again.
"""

import asyncio
import random
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from hub.errors import SetupError
from hub.observability import Event, Log

KEEPALIVE_S = 5
CONNECT_PATIENCE_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
MAX_OUTSTANDING = 20_000
"""Messages without PUBACK; more are refused, and their leases bring them later."""
MAX_IN_FLIGHT = 1_000
"""As the broker's max_inflight_messages; paho does not read the broker's receive maximum."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is and who we are there."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    client_id: str
    ca_file: Path | None = None

    @classmethod
    def of(cls, url: str, username: str, password: str, client_id: str, ca_file: Path | None = None) -> "Address":
        """From mqtt://host[:port] or mqtts://host[:port]. Raises SetupError."""
        parts = urlsplit(url)
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise SetupError(f"FLOORHUB_MQTT_URL is {url!r}: use mqtt://host:port or mqtts://host:port")
        tls = parts.scheme == "mqtts"
        return cls(parts.hostname, parts.port or (8883 if tls else 1883), tls, username, password, client_id, ca_file)


class Handler(Protocol):
    """What a session tells. All of it is called in the loop's thread and must not block."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message came in."""

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """The broker answered a publish; `accepted` is False when it refused it."""


class Session:
    """Connects, subscribes, and connects again with jitter. `run` does the work; `publish` never waits."""

    def __init__(
        self,
        address: Address,
        subscriptions: Sequence[tuple[str, int]],
        handler: Handler,
        log: Log,
        *,
        on_connected: Callable[[], Awaitable[None]] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._address = address
        self._subscriptions = list(subscriptions)
        self._handler = handler
        self._log = log.bind(mqtt_client_id=address.client_id)
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._connection: _Connection | None = None
        self._ready = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether messages can be sent, and all subscriptions stand."""
        return self._ready.is_set()

    async def wait_connected(self, patience_s: float) -> bool:
        """Whether the session stands within the time."""
        try:
            await asyncio.wait_for(self._ready.wait(), patience_s)
        except TimeoutError:
            return False
        return True

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        token: object = None,
        correlation: bytes | None = None,
        response_topic: str | None = None,
    ) -> bool:
        """Hand a message to the connection; False when there is none or too much is outstanding."""
        connection = self._connection
        if connection is None or not self._ready.is_set():
            return False
        properties: Properties | None = None
        if correlation is not None or response_topic is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if correlation is not None:
                properties.CorrelationData = correlation
            if response_topic is not None:
                properties.ResponseTopic = response_topic
        return connection.publish(topic, payload, qos, retain, token, properties)

    async def run(self) -> None:
        """Keep the connection up until cancelled; then disconnect."""
        pause = FIRST_PAUSE_S
        while True:
            connection = _Connection(self._address, self._handler)
            try:
                await connection.open()
                refused = await connection.subscribe(self._subscriptions)
                if refused:
                    self._log.error(Event.MQTT_REFUSED, filters=refused, reason="subscription")
                self._connection = connection
                self._ready.set()
                self._log.info(Event.MQTT_CONNECTED)
                if self._on_connected is not None:
                    await self._on_connected()
                pause = FIRST_PAUSE_S
                reason = await connection.lost
                self._log.warning(Event.MQTT_LOST, reason=reason, unacknowledged=connection.outstanding)
            except _RefusedError as problem:
                self._log.error(Event.MQTT_REFUSED, reason=str(problem))
            except (OSError, TimeoutError, ValueError) as problem:
                self._log.warning(Event.MQTT_LOST, reason=str(problem) or type(problem).__name__)
            finally:
                self._ready.clear()
                self._connection = None
                if self._on_lost is not None:
                    self._on_lost()
                connection.close()
            await asyncio.sleep(random.uniform(FIRST_PAUSE_S / 2, pause))  # noqa: S311 - spreads reconnects
            pause = min(pause * 2, LONGEST_PAUSE_S)


class _RefusedError(Exception):
    """The broker said no to CONNECT."""


class _Connection:
    """One paho client and its socket, for the life of one connection."""

    def __init__(self, address: Address, handler: Handler) -> None:
        self._address = address
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._tokens: dict[int, object] = {}
        self._misc: asyncio.Task[None] | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=address.client_id,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        client.username_pw_set(address.username, address.password)
        client.max_inflight_messages_set(MAX_IN_FLIGHT)
        client.max_queued_messages_set(0)
        client.connect_timeout = CONNECT_PATIENCE_S
        if address.tls:
            client.tls_set_context(ssl.create_default_context(cafile=address.ca_file))
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        self._client = client

    @property
    def outstanding(self) -> int:
        """Messages published without PUBACK."""
        return len(self._tokens)

    async def open(self) -> None:
        """Connect. Raises OSError, TimeoutError or _RefusedError."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        address = self._address
        # The library's connect blocks (name look-up, TCP, TLS), so it runs aside; all else happens in the loop.
        await asyncio.wait_for(
            asyncio.to_thread(
                self._client.connect,
                address.host,
                address.port,
                KEEPALIVE_S,
                clean_start=True,
                properties=properties,
            ),
            CONNECT_PATIENCE_S,
        )
        self._misc = self._loop.create_task(self._keep_alive(), name="mqtt-keepalive")
        code = await asyncio.wait_for(self._connack, CONNECT_PATIENCE_S)
        if code.is_failure:
            raise _RefusedError(f"the broker refuses user {address.username!r}: {code}")

    async def subscribe(self, subscriptions: Sequence[tuple[str, int]]) -> list[str]:
        """Subscribe to all; the filters that the broker refused."""
        if not subscriptions:
            return []
        topics = [(topic, SubscribeOptions(qos=qos)) for topic, qos in subscriptions]
        result, mid = self._client.subscribe(topics)
        if result != paho.MQTT_ERR_SUCCESS or mid is None:
            raise OSError(paho.error_string(result))
        suback = self._subacks.setdefault(mid, self._loop.create_future())
        codes = await asyncio.wait_for(suback, CONNECT_PATIENCE_S)
        return [topic for (topic, _), code in zip(subscriptions, codes, strict=True) if code.is_failure]

    def publish(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        retain: bool,
        token: object,
        properties: Properties | None,
    ) -> bool:
        """As Session.publish."""
        if len(self._tokens) >= MAX_OUTSTANDING:
            return False
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            return False
        if qos and token is not None:
            self._tokens[info.mid] = token
        return True

    def close(self) -> None:
        """Disconnect, if connected; idempotent."""
        if self._misc is not None:
            self._misc.cancel()
        self._client.disconnect()
        # paho sends DISCONNECT on the next write; write it now, since nobody will ask again.
        self._client.loop_write()
        self._gone("closed")
        sock = self._client.socket()
        if sock is not None:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
            self._client._sock_close()

    async def _keep_alive(self) -> None:
        while self._client.loop_misc() == paho.MQTT_ERR_SUCCESS:  # noqa: ASYNC110 - the library wants a call a second
            await asyncio.sleep(1)
        self._gone("keepalive")

    def _gone(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        if not self._connack.done():
            self._connack.set_exception(OSError(reason))
            self._connack.exception()  # Whoever waits has it; if nobody does, that is no error.
        for suback in self._subacks.values():
            if not suback.done():
                suback.set_exception(OSError(reason))
                suback.exception()

    # Socket callbacks come from the connecting thread first and from the loop afterwards.

    def _in_loop(self, action: Callable[..., Any], *arguments: Any) -> None:
        try:
            inside = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            inside = False
        if inside:
            action(*arguments)
        else:
            self._loop.call_soon_threadsafe(action, *arguments)

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in_loop(self._loop.add_reader, sock, self._read)

    def _read(self) -> None:
        if self._client.loop_read() != paho.MQTT_ERR_SUCCESS:
            self._gone("read")

    def _on_socket_close(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._in_loop(self._loop.remove_reader, sock)
        self._in_loop(self._loop.remove_writer, sock)

    def _on_register_write(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._in_loop(self._loop.add_writer, sock, self._client.loop_write)

    def _on_unregister_write(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._in_loop(self._loop.remove_writer, sock)

    # Protocol callbacks, always in the loop.

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        if not self._connack.done():
            self._connack.set_result(code)

    def _on_subscribe(self, _client: Any, _data: Any, mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        suback = self._subacks.setdefault(mid, self._loop.create_future())
        if not suback.done():
            suback.set_result(codes)

    def _on_publish(self, _client: Any, _data: Any, mid: int, code: ReasonCode, _properties: Any) -> None:
        token = self._tokens.pop(mid, None)
        if token is not None:
            self._handler.on_ack(token, accepted=not code.is_failure)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self._handler.on_message(message.topic, bytes(message.payload), retained=message.retain)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, code: ReasonCode, _properties: Any) -> None:
        self._gone(str(code))

"""The library paho, driven by the asyncio loop, without threads. The only module of the hub that imports it.

It costs several times as much of the hub's thread as `thin`, and stays as the way back to what many others use.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

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
from schemas.tls import trusting


class PahoLink:
    """link.Link: one paho client and its socket."""

    def __init__(self, address: Address, handler: Handler) -> None:
        self._address = address
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._connack: asyncio.Future[ReasonCode] = self._loop.create_future()
        self._subacks: dict[int, asyncio.Future[list[ReasonCode]]] = {}
        self._tokens: dict[int, object] = {}
        self._misc: asyncio.Task[None] | None = None
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self.taken_over = False
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
            client.tls_set_context(trusting(address.ca_file))
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
        """Connect. Raises OSError, TimeoutError or RefusedError."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        address = self._address
        # The library's connect blocks (name look-up, TCP, TLS), so it runs aside; all else happens in the loop.
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            await asyncio.to_thread(
                self._client.connect,
                address.host,
                address.port,
                KEEPALIVE_S,
                clean_start=True,
                properties=properties,
            )
        self._misc = self._loop.create_task(self._keep_alive(), name="mqtt-keepalive")
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            code = await self._connack
        if code.is_failure:
            raise RefusedError(f"the broker refuses user {address.username!r}: {code}")

    async def subscribe(self, subscriptions: Sequence[tuple[str, int]]) -> list[str]:
        """Subscribe to all; the filters that the broker refused."""
        if not subscriptions:
            return []
        topics = [(topic, SubscribeOptions(qos=qos)) for topic, qos in subscriptions]
        result, mid = self._client.subscribe(topics)
        if result != paho.MQTT_ERR_SUCCESS or mid is None:
            raise OSError(paho.error_string(result))
        suback = self._subacks.setdefault(mid, self._loop.create_future())
        async with asyncio.timeout(CONNECT_PATIENCE_S):
            codes = await suback
        return [topic for (topic, _), code in zip(subscriptions, codes, strict=True) if code.is_failure]

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
        """As Session.publish."""
        if self.lost.done() or len(self._tokens) >= MAX_OUTSTANDING:
            return False
        properties: Properties | None = None
        if correlation is not None or response_topic is not None:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            if correlation is not None:
                properties.CorrelationData = correlation
            if response_topic is not None:
                properties.ResponseTopic = response_topic
        info = self._client.publish(topic, payload, qos, retain, properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            return False
        if qos:
            self._tokens[info.mid] = token
        return True

    def close(self) -> None:
        """Disconnect, if connected; idempotent."""
        if self._misc is not None:
            self._misc.cancel()
        self._gone("closed")
        self._client.disconnect()
        # paho sends DISCONNECT on the next write; write it now, since nobody will ask again.
        self._client.loop_write()
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
        self.taken_over = self.taken_over or code.value == SESSION_TAKEN_OVER
        self._gone(str(code))

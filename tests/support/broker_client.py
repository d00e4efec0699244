"""A small MQTT 5 client without threads: each call waits for the broker's answer, with a deadline."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from schemas import topics
from schemas.topics import Channel, client_topic
from tests.support.waiting import until

DEADLINE_S = 5.0


@dataclass
class BrokerClient:
    """One connection. `connect` returns the broker's reason code, as `subscribe` and `publish` do."""

    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    transport: Literal["tcp", "websockets"] = "tcp"
    will: tuple[str, str] | None = None
    host: str = "127.0.0.1"
    ca_file: Path | None = None
    """With it the connection has TLS, and trusts nobody else."""
    version: Literal[4, 5] = 5
    received: list[tuple[str, str]] = field(default_factory=list)
    disconnected: bool = False

    def __post_init__(self) -> None:
        self._answers: dict[Any, int] = {}
        self._mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            self.client_id,
            protocol=MQTTProtocolVersion(self.version),
            transport=self.transport,
        )
        if self.ca_file is not None:
            self._mqtt.tls_set(str(self.ca_file))
        if self.username is not None:
            self._mqtt.username_pw_set(self.username, self.password)
        if self.will is not None:
            self._mqtt.will_set(self.will[0], self.will[1], qos=1)
        self._mqtt.on_connect = lambda _c, _u, _f, code, _p: self._answers.update(connect=code.value)
        self._mqtt.on_subscribe = lambda _c, _u, mid, codes, _p: self._answers.update({mid: codes[0].value})
        self._mqtt.on_publish = lambda _c, _u, mid, code, _p: self._answers.update({mid: code.value})
        self._mqtt.on_message = lambda _c, _u, message: self.received.append((message.topic, message.payload.decode()))
        self._mqtt.on_socket_open = lambda _c, _u, opened: _do_not_delay(opened)
        self._mqtt.on_disconnect = lambda *_: setattr(self, "disconnected", True)

    def connect(self) -> int:
        self._mqtt.connect(self.host, self.port, keepalive=30)
        return self._answer("connect")

    def subscribe(self, topic_filter: str) -> int:
        _, mid = self._mqtt.subscribe(topic_filter, qos=1)
        return self._answer(mid)

    def publish(self, topic: str, payload: str, retain: bool = False) -> int:
        return self._answer(self._mqtt.publish(topic, payload, qos=1, retain=retain).mid)

    def send(self, topic: str, payload: str) -> None:
        """Publish without waiting for an answer."""
        self._mqtt.publish(topic, payload, qos=1)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Take what comes in until `condition()`; fails the test at the deadline."""
        until(
            condition,
            lambda: f"{self.client_id} waited in vain; received {self.received}",
            DEADLINE_S,
            lambda: self._mqtt.loop(0.05),
        )

    def wait_for_payload(self, payload: str) -> set[str]:
        """Wait until `payload` came, and return the topics of all that came before it."""
        self.wait_for(lambda: any(found == payload for _, found in self.received))
        return {topic for topic, found in self.received if found != payload}

    def close(self) -> None:
        connection = self._mqtt.socket()
        self._mqtt.disconnect()
        self._mqtt.loop(0.05)
        if connection is not None:
            connection.close()  # paho leaves that of a refused connection to the garbage collector

    def drop(self) -> None:
        """End the connection without a word, so that the broker sends the will."""
        connection = self._mqtt.socket()
        assert connection is not None
        connection.close()

    def _answer(self, key: Any) -> int:
        self.wait_for(lambda: key in self._answers)
        return self._answers.pop(key)


def _do_not_delay(opened: object) -> None:
    """Otherwise acknowledgements and publishes in turn wait 40 ms for each other."""
    if isinstance(opened, socket.socket):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


Connect = Callable[..., BrokerClient]
HUB_TOPICS = {topics.HUB_PRESENCE, topics.HUB_KEYS}
SECRETS = {"alice": "alice-secret", "bob": "bob-secret", "gone": "gone-secret"}
"""The clients of the module's broker; `gone` is disabled."""


def every_topic() -> set[str]:
    """All topics of the contract, for two clients."""
    return {client_topic(who, channel) for who in ("alice", "bob") for channel in Channel} | HUB_TOPICS


def own(who: str, channels: set[Channel] | frozenset[Channel]) -> set[str]:
    return {client_topic(who, channel) for channel in channels}

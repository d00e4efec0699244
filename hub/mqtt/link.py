"""What a session needs of one connection to the broker. Two modules have it: `thin` (our own) and `paho_link`."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hub.errors import SetupError
from schemas.addresses import AddressError, read_address

SESSION_TAKEN_OVER = 0x8E
"""The reason code of MQTT 5."""
KEEPALIVE_S = 5
CONNECT_PATIENCE_S = 10.0
MAX_OUTSTANDING = 20_000
"""Messages without PUBACK; more are refused, and their leases bring them later."""
MAX_IN_FLIGHT = 1_000
"""Messages on their way at a time, as the broker's max_inflight_messages; the others wait here."""


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
        form = "FLOORHUB_MQTT_URL: use mqtt://host:port or mqtts://host:port"
        form_ko = "FLOORHUB_MQTT_URL: mqtt://호스트:포트 또는 mqtts://호스트:포트를 쓰십시오"
        try:
            address = read_address(url)
        except AddressError as problem:
            raise SetupError(f"{form}; {problem}", ko=f"{form_ko}. {problem.korean}") from None
        if address.scheme not in ("mqtt", "mqtts") or address.path not in ("", "/"):
            raise SetupError(f"{form}, not {address!r}", ko=f"{form_ko}. 지금은 {address!r}입니다")
        if address.user or address.password:
            raise SetupError(
                f"{form}, without a user and password: FLOORHUB_MQTT_PASSWORD is used",
                ko=f"{form_ko}. 사용자와 암호는 빼십시오. FLOORHUB_MQTT_PASSWORD를 씁니다",
            )
        tls = address.scheme == "mqtts"
        port = address.port or (8883 if tls else 1883)
        return cls(address.host, port, tls, username, password, client_id, ca_file)


class Handler(Protocol):
    """What a session tells. All of it is called in the loop's thread and must not block."""

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message came in."""

    def on_ack(self, token: object, *, accepted: bool) -> None:
        """The broker answered a publish; `accepted` is False when it refused it."""


class RefusedError(Exception):
    """The broker said no to CONNECT."""


class Link(Protocol):
    """One connection, from `open` to its loss. A new one serves the next connection, so that nothing is sent behind our
    back and no acknowledgement belongs to another connection."""

    lost: asyncio.Future[str]
    """Why the connection ended; done once it has. Waiting for it raises nothing."""
    taken_over: bool
    """Whether the broker ended it because somebody else connected with our client id."""

    @property
    def outstanding(self) -> int:
        """Messages of QoS 1 that were taken and have no PUBACK."""

    async def open(self) -> None:
        """Connect. Raises OSError, TimeoutError or RefusedError."""

    async def subscribe(self, subscriptions: Sequence[tuple[str, int]]) -> list[str]:
        """Subscribe to filters with their QoS; those that the broker refused. Raises OSError, TimeoutError."""

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
        """Take a message, without waiting; False when there is no room. The handler gets the `token` at the PUBACK."""

    def close(self) -> None:
        """Disconnect, if connected; idempotent. The handler hears of nothing more."""


LinkType = Callable[[Address, Handler], Link]

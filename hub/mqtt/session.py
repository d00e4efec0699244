"""A session with the broker, kept up for ever: one connection after the other.

Each connection is a new `Link`, so nothing is replayed behind our back, and an acknowledgement cannot belong to another
connection. What was in flight when a connection broke counts as not sent; leases and receipts bring it again.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from hub.errors import SetupError
from hub.mqtt.link import Address, Handler, Link, LinkType, RefusedError
from hub.mqtt.paho_link import PahoLink
from hub.mqtt.telemetry import Event
from hub.mqtt.thin import ThinLink
from hub.telemetry.log import Log

__all__ = ["LINKS", "Address", "Handler", "Session"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
SHORT_S = 10.0
SUSPICIOUS = 4
_TODO = "give each hub process its own FLOORHUB_WORKER, or leave it unset"
NEWCOMER_S = 20.0
MOST_TAKEN_OVER = 2
"""So often a newcomer is taken over before it gives way. Once proves nothing: a CONNECT of our own that the network
held up takes over, too. Who has been there for longer stays, and the newcomer leaves."""

LINKS: Mapping[str, LinkType] = {"thin": ThinLink, "paho": PahoLink}
"""The values of `FLOORHUB_MQTT_CLIENT`."""


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
        link: LinkType = ThinLink,
    ) -> None:
        """`link` makes each connection: `LINKS` has the choices."""
        self._address = address
        self._subscriptions = list(subscriptions)
        self._handler = handler
        self._log = log.bind(mqtt_client_id=address.client_id)
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._link_type = link
        self._link: Link | None = None
        self._ready = asyncio.Event()
        self._taken = 0
        """How often somebody else took our connection over."""
        self._short = 0
        """How many connections in a row ended soon."""

    @property
    def connected(self) -> bool:
        """Whether messages can be sent, and all subscriptions stand."""
        return self._ready.is_set()

    async def wait_connected(self, patience_s: float) -> bool:
        """Whether the session stands within the time."""
        try:
            async with asyncio.timeout(patience_s):
                await self._ready.wait()
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
        link = self._link
        if link is None or not self._ready.is_set():
            return False
        return link.publish(
            topic,
            payload,
            qos=qos,
            retain=retain,
            token=token,
            correlation=correlation,
            response_topic=response_topic,
        )

    def _suspect(self, stood_s: float) -> None:
        """Mosquitto 2.0.11 just closes what another connection takes over; seen again and again, it is worth a word."""
        self._short = self._short + 1 if stood_s < SHORT_S else 0
        if self._short % SUSPICIOUS == SUSPICIOUS - 1:
            reason = "the broker ends each connection soon: perhaps another process connects with our client id"
            self._log.error(Event.MQTT_TAKEN_OVER, reason=reason, todo=_TODO)

    def _taken_over(self, began: float) -> None:
        client_id = self._address.client_id
        self._log.error(Event.MQTT_TAKEN_OVER, reason="another process connects with our client id", todo=_TODO)
        self._taken += 1
        if self._taken >= MOST_TAKEN_OVER and time.monotonic() - began < NEWCOMER_S:
            raise SetupError(
                f"Another process is connected to the broker as {client_id}, and each ends the other's connection: "
                "give "
                "each its own FLOORHUB_WORKER, or leave it unset.",
                ko=f"다른 프로세스가 {client_id}(으)로 브로커에 연결되어 있어 서로 연결을 끊습니다. 프로세스마다 다른 "
                "FLOORHUB_WORKER를 지정하거나 지정하지 마십시오.",
            )

    async def run(self) -> None:
        """Keep the connection up until cancelled; then disconnect. Raises SetupError when another process has our
        client id, and had it first."""
        pause, began = FIRST_PAUSE_S, time.monotonic()
        while True:
            link = self._link_type(self._address, self._handler)
            try:
                await link.open()
                refused = await link.subscribe(self._subscriptions)
                if refused:
                    self._log.seldom().error(Event.MQTT_REFUSED, filters=refused, reason="subscription")
                self._link = link
                self._ready.set()
                self._log.info(Event.MQTT_CONNECTED)
                stood = time.monotonic()
                if self._on_connected is not None:
                    await self._on_connected()
                pause = FIRST_PAUSE_S
                reason = await link.lost
                if link.taken_over:
                    self._taken_over(began)
                else:
                    self._log.seldom().warning(Event.MQTT_LOST, reason=reason, unacknowledged=link.outstanding)
                    self._suspect(time.monotonic() - stood)
            except RefusedError as problem:
                self._log.seldom().error(Event.MQTT_REFUSED, reason=str(problem))
            except (OSError, TimeoutError, ValueError) as problem:
                self._log.seldom().warning(Event.MQTT_LOST, reason=str(problem) or type(problem).__name__)
            finally:
                self._ready.clear()
                self._link = None
                if self._on_lost is not None:
                    self._on_lost()
                link.close()
            await asyncio.sleep(random.uniform(FIRST_PAUSE_S / 2, pause))  # noqa: S311 - spreads reconnects
            pause = min(pause * 2, LONGEST_PAUSE_S)

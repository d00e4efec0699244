"""A session with the broker, kept up for ever: one connection after the other.

Each connection is a new `Link`, so nothing is replayed behind our back, and an acknowledgement cannot belong to another
connection. What was in flight when a connection broke counts as not sent; leases and receipts bring it again.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence

from hub.mqtt.link import Address, Handler, Link, LinkType, RefusedError
from hub.mqtt.paho_link import PahoLink
from hub.mqtt.telemetry import Event
from hub.mqtt.thin import ThinLink
from hub.telemetry.log import Log

__all__ = ["LINKS", "Address", "Handler", "Session"]

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0

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

    async def run(self) -> None:
        """Keep the connection up until cancelled; then disconnect."""
        pause = FIRST_PAUSE_S
        while True:
            link = self._link_type(self._address, self._handler)
            try:
                await link.open()
                refused = await link.subscribe(self._subscriptions)
                if refused:
                    self._log.error(Event.MQTT_REFUSED, filters=refused, reason="subscription")
                self._link = link
                self._ready.set()
                self._log.info(Event.MQTT_CONNECTED)
                if self._on_connected is not None:
                    await self._on_connected()
                pause = FIRST_PAUSE_S
                reason = await link.lost
                self._log.warning(Event.MQTT_LOST, reason=reason, unacknowledged=link.outstanding)
            except RefusedError as problem:
                self._log.error(Event.MQTT_REFUSED, reason=str(problem))
            except (OSError, TimeoutError, ValueError) as problem:
                self._log.warning(Event.MQTT_LOST, reason=str(problem) or type(problem).__name__)
            finally:
                self._ready.clear()
                self._link = None
                if self._on_lost is not None:
                    self._on_lost()
                link.close()
            await asyncio.sleep(random.uniform(FIRST_PAUSE_S / 2, pause))  # noqa: S311 - spreads reconnects
            pause = min(pause * 2, LONGEST_PAUSE_S)

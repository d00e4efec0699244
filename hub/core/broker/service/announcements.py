"""What every agent is told after each connection to the broker: the keys, and to show itself."""

import asyncio

from hub.core.broker.service.outbound import Outbound
from hub.core.hub_keys.service import HubKeys
from hub.core.presence.service.presence import PresenceService
from hub.errors import UnavailableError

RETRY_S = 0.5


class Announcements:
    """`run` must be running."""

    def __init__(self, outbound: Outbound, presence: PresenceService, keys: HubKeys) -> None:
        self._outbound = outbound
        self._keys = keys
        self._presence = presence
        self._due = asyncio.Event()
        self._begun = False

    def due(self) -> None:
        """There is a new connection."""
        self._due.set()

    async def run(self) -> None:
        """Publish the key list and a roll call as soon as the database tells the time, until cancelled; before the
        first, let agents be asked about what they have. Raises SetupError when the keys were replaced."""
        while True:
            await self._due.wait()
            try:
                if not self._begun:
                    await self._presence.ask_again()
                    self._begun = True
                now = await self._presence.now()
                # After the time was told: a list with replaced keys is then older than any with the new ones.
                await self._keys.check()
            except UnavailableError:
                await asyncio.sleep(RETRY_S)
                continue
            self._due.clear()
            self._presence.roll_called_at = now
            self._outbound.announce(now)

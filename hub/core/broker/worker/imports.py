"""Telling the broker about clients that came by the hundred, so slowly that nobody else notices.

The plugin writes its whole file for each client, and the broker does nothing else meanwhile: a millisecond with some
hundred clients, tens of them with ten thousand. So one client goes at a time, at most 20 a second from all hubs
together. A broker that takes longer than messages do anyway is stopped for one hundredth of the time at most: then
fewer than one message of a hundred meets it.
"""

import asyncio

from hub.core.broker import store
from hub.core.broker.worker.changes import Outbox

SHORTEST_PAUSE_S = 0.05
"""Twenty a second."""
NOTICED_S = 0.01
"""What the broker may take without anybody's notice: a command takes longer."""
LONGEST_PAUSE_S = 5.0


class BrokerImports(Outbox):
    """What was imported."""

    task = "broker-imports"
    _pause_s = SHORTEST_PAUSE_S

    async def _round(self) -> bool:
        """One client. The pause lies within the turn, so that it counts for the workers of all hubs together."""
        async with self._database.transaction() as connection:
            if not await store.take_import_turn(connection):
                return False
            await asyncio.sleep(self._pause_s)
            changes = await store.open_imports(connection, 1, self._unseal)
            took = await self._tell(connection, changes)
        self._pause_s = pause_after(took)
        return bool(changes)


def pause_after(took_s: float) -> float:
    """How long the broker is left alone after a client that took so long, in seconds."""
    share = 20 if took_s <= NOTICED_S else 100
    return min(max(SHORTEST_PAUSE_S, share * took_s), LONGEST_PAUSE_S)

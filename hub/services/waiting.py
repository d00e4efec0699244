"""Callers that wait for a command to end."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from hub.errors import UnavailableError
from hub.store import commands
from hub.store.engine import Database

POLL_S = 0.5
"""How late a caller hears of an end that another process applied without our hearing its signal."""


class Waiting:
    """Futures by command; `run` must be running for ends that other processes apply."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._futures: defaultdict[UUID, set[asyncio.Future[None]]] = defaultdict(set)

    async def until_ended(self, command_id: UUID, timeout_s: float) -> bool:
        """Whether the command ended within the time; look at it afterwards. Register before it can end."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures[command_id].add(future)
        try:
            # It may have ended before this call.
            async with self._database.connection() as connection:
                if await commands.ended(connection, [command_id]):
                    return True
            await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False
        else:
            return True
        finally:
            futures = self._futures[command_id]
            futures.discard(future)
            if not futures:
                del self._futures[command_id]

    def ended(self, command_ids: Iterable[UUID]) -> None:
        """Wake whoever waits for these."""
        for command_id in command_ids:
            for future in self._futures.get(command_id, ()):
                if not future.done():
                    future.set_result(None)

    async def run(self) -> None:
        """Look, while anyone waits, whether something ended elsewhere."""
        while True:
            await asyncio.sleep(POLL_S)
            if not self._futures:
                continue
            try:
                async with self._database.connection() as connection:
                    self.ended(await commands.ended(connection, list(self._futures)))
            except UnavailableError:
                continue

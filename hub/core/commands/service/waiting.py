"""Callers that wait for a command to end."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from hub.core.commands.store import commands
from hub.database.engine import Database

POLL_S = 0.5
"""How late a caller hears of an end that another process applied without our hearing its signal."""


class Waiting:
    """Futures by command; `poll` must be called every `POLL_S` seconds for ends that other processes apply."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._futures: defaultdict[UUID, set[asyncio.Future[None]]] = defaultdict(set)
        self._stopping = False

    @contextmanager
    def expected(self, command_id: UUID) -> Iterator[asyncio.Future[None]]:
        """A future that is done when this command ends. Open it before the command is stored, or look afterwards
        whether it had ended already."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._stopping:
            future.set_result(None)
        self._futures[command_id].add(future)
        try:
            yield future
        finally:
            futures = self._futures[command_id]
            futures.discard(future)
            if not futures:
                del self._futures[command_id]

    async def look(self, command_id: UUID) -> None:
        """Wake whoever waits for a command that has ended already."""
        async with self._database.connection() as connection:
            self.ended(await commands.ended(connection, [command_id]))

    def ended(self, command_ids: Iterable[UUID]) -> None:
        """Wake whoever waits for these."""
        for command_id in command_ids:
            for future in self._futures.get(command_id, ()):
                if not future.done():
                    future.set_result(None)

    def stop(self) -> None:
        """Wake everybody, also whoever comes later: the process stops, and each gets the command as it is now."""
        self._stopping = True
        self.ended(list(self._futures))

    async def poll(self) -> None:
        """Look, when anyone waits, whether something ended elsewhere. Raises UnavailableError."""
        if self._futures:
            async with self._database.connection() as connection:
                self.ended(await commands.ended(connection, list(self._futures)))

"""Callers that wait for a command to end."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from hub.core.access.rules import Caller
from hub.core.commands.store import commands
from hub.core.commands.store.commands import StoredCommand, Wait
from hub.database.engine import Connection, Database
from hub.errors import NotFoundError, RejectedError

POLL_S = 0.5
"""How late a caller hears of an end that another process applied without our hearing its signal."""
POLLS_PER_LOOK = 4
"""After so many polls it is looked whether those who wait still may: a wait ends within 5 s after that is lost."""
UNAUTHORIZED = "unauthorized"


class Waiting:
    """Futures by command; `poll` must be called every `POLL_S` seconds for ends that other processes apply."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._futures: defaultdict[UUID, set[asyncio.Future[StoredCommand | None]]] = defaultdict(set)
        self._callers: dict[asyncio.Future[StoredCommand | None], Wait] = {}
        self._polls = 0
        self._stopping = False

    @contextmanager
    def expected(self, command_id: UUID, caller: Caller) -> Iterator[asyncio.Future[StoredCommand | None]]:
        """A future that is done when this command ends (with the command, if this process has just written its end), or
        raises RejectedError when the caller may not see it any
        more. Open it before the command is stored, or look afterwards whether it had ended already."""
        future: asyncio.Future[StoredCommand | None] = asyncio.get_running_loop().create_future()
        if self._stopping:
            future.set_result(None)
        self._futures[command_id].add(future)
        self._callers[future] = Wait(command_id, caller.principal_id, caller.key_id, caller.session_id)
        try:
            yield future
        finally:
            futures = self._futures[command_id]
            futures.discard(future)
            del self._callers[future]
            if future.done():
                future.exception()  # Seen, also where the caller has hung up.
            if not futures:
                del self._futures[command_id]

    async def look(self, command_id: UUID) -> None:
        """Wake whoever waits for a command that has ended already."""
        async with self._database.connection() as connection:
            self.ended(await commands.ended(connection, [command_id]))

    def awaited(self, command_ids: Iterable[UUID]) -> list[UUID]:
        """Those of these commands that somebody waits for."""
        return [command_id for command_id in command_ids if command_id in self._futures]

    def show(self, command: StoredCommand) -> None:
        """Wake whoever waits for this one, which has ended as it is here."""
        for future in self._futures.get(command.id, ()):
            if not future.done():
                future.set_result(command)

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
        if not self._futures:
            return
        self._polls += 1
        async with self._database.connection() as connection:
            self.ended(await commands.ended(connection, list(self._futures)))
            if self._polls % POLLS_PER_LOOK == 0:
                await self._end_lost(connection)

    async def _end_lost(self, connection: Connection) -> None:
        """End the waits of callers who lost their access meanwhile."""
        waits = {future: wait for future, wait in self._callers.items() if not future.done()}
        futures = list(waits)
        for place, code in (await commands.lost(connection, list(waits.values()))).items():
            future, wait = futures[place - 1], waits[futures[place - 1]]
            if not future.done():
                lost = NotFoundError(code, command_id=wait.command_id) if code != UNAUTHORIZED else RejectedError(code)
                future.set_exception(lost)

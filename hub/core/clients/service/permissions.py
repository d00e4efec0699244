"""Permissions of clients: for one, or for all that a target means."""

from collections.abc import Mapping
from typing import Any

from hub.core.access.rules import Caller
from hub.core.clients.rules import Target
from hub.core.clients.service.groups import resolve
from hub.core.clients.store import clients
from hub.core.clients.store import permissions as store
from hub.database.engine import Database
from hub.errors import NotFoundError

Row = dict[str, Any]


class Permissions:
    """The service. What it changes counts from the next command on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, client_id: str) -> Row:
        """A client's permissions with what was used in this minute and on this UTC day. Raises NotFoundError."""
        async with self._database.connection() as connection:
            found = await store.find(connection, client_id)
        if found is None:
            raise NotFoundError("client_not_found", client_id=client_id)
        return found

    async def change(self, caller: Caller, client_id: str, changes: Mapping[str, Any]) -> Row:
        """Change one client's. Raises NotFoundError, also for a retired client."""
        async with self._database.transaction() as connection:
            principal_id, address = caller.principal.id, caller.address
            if not await store.change(connection, [client_id], changes, principal_id=principal_id, address=address):
                known = await clients.find(connection, id=client_id)
                raise NotFoundError("client_retired" if known else "client_not_found", client_id=client_id)
        return await self.get(client_id)

    async def change_many(self, caller: Caller, target: Target, changes: Mapping[str, Any]) -> int:
        """Change those of every client that a target means; how many. Raises NotFoundError or RejectedError."""
        async with self._database.transaction() as connection:
            wanted = await resolve(connection, target)
            principal_id, address = caller.principal.id, caller.address
            return len(await store.change(connection, wanted, changes, principal_id=principal_id, address=address))

"""Permissions of clients: for one, or for all that a target means."""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.core.access.rules import Caller, Permission
from hub.core.audit import store as audit
from hub.core.clients.rules import Target
from hub.core.clients.service.clients import absent, require_own
from hub.core.clients.service.groups import resolve
from hub.core.clients.store import clients
from hub.core.clients.store import permissions as store
from hub.database.engine import Connection, Database
from hub.errors import NotFoundError


class Permissions:
    """The service. What it changes counts from the next command on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, caller: Caller, client_id: str) -> store.Permissions:
        """A client's permissions with what was used in this minute and on this UTC day. Raises NotFoundError."""
        async with self._database.connection() as connection:
            found = await store.get(connection, client_id)
            if found is None or not await clients.is_there(connection, caller.scope, client_id):
                raise NotFoundError("client_not_found", client_id=client_id)
        return found

    async def change(self, caller: Caller, client_id: str, changes: Mapping[str, Any]) -> store.Permissions:
        """Change one client's. Raises NotFoundError, also for a retired client."""
        async with self._database.transaction() as connection:
            await require_own(connection, caller, client_id)
            if not await _change(connection, caller, [client_id], changes):
                raise await absent(connection, client_id)
            changed = await store.get(connection, client_id)
        assert changed is not None  # noqa: S101 - a client's row stays, also when it is retired
        return changed

    async def change_many(self, caller: Caller, target: Target, changes: Mapping[str, Any]) -> int:
        """Change those of every client that a target means; how many. Raises NotFoundError or RejectedError."""
        caller.require_all_actions()
        async with self._database.transaction() as connection:
            meant = await resolve(connection, caller.scope, target, want=Permission.ADMINISTER)
            return await _change(connection, caller, meant, changes)


async def _change(connection: Connection, caller: Caller, client_ids: Sequence[str], changes: Mapping[str, Any]) -> int:
    """How many of these clients were changed: all that are not retired."""
    before = await store.change(connection, client_ids, changes)
    details = {
        one.client_id: {**changes, **audit.changed({name: getattr(one, name) for name in changes}, changes)}
        for one in before
    }
    await audit.record_details(connection, caller, "client.permissions", "client", details)
    return len(before)

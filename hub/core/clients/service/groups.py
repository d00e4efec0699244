"""Groups of clients, and finding the clients that a target means."""

from collections.abc import Sequence
from typing import Any

from hub.api.text import find_unstorable
from hub.core.access.rules import Caller
from hub.core.audit import store as audit
from hub.core.clients.rules import MOST_TARGETS, Target
from hub.core.clients.store import groups as store
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError

Row = dict[str, Any]
MOST_NAMED = 20
"""Fields named in one answer; whoever sent a wrong list of thousands learns enough from the first ones."""


class Groups:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, group_id: str, name: str | None, clients: Sequence[str]) -> Row:
        """A new group with these clients. Raises ConflictError when the id is taken, RejectedError."""
        _check_name(name)
        async with self._database.transaction() as connection:
            if not await store.insert(connection, group_id, name or group_id):
                raise ConflictError("group_exists", group_id=group_id)
            await require_clients(connection, clients, "clients[{}]")
            await store.join(connection, group_id, clients)
            await audit.record(connection, caller, "group.create", "group", group_id, {"clients": len(clients)})
        return await self.get(group_id)

    async def get(self, group_id: str) -> Row:
        """One group. Raises NotFoundError."""
        async with self._database.connection() as connection:
            rows = await store.find(connection, id=group_id)
        if not rows:
            raise NotFoundError("group_not_found", group_id=group_id)
        return rows[0]

    async def page(self, *, after: str | None, limit: int) -> tuple[list[Row], str | None]:
        """Up to `limit` groups in order of their ids, and the cursor of the next page (None at the end)."""
        async with self._database.connection() as connection:
            rows = await store.find(connection, after=after, limit=limit + 1)
        return rows[:limit], rows[limit - 1]["id"] if len(rows) > limit else None

    async def members(self, group_id: str, *, after: str | None, limit: int) -> tuple[list[Row], str | None]:
        """Up to `limit` clients of a group, and the cursor of the next page. Raises NotFoundError."""
        await self.get(group_id)
        async with self._database.connection() as connection:
            rows = await store.members(connection, group_id, after=after, limit=limit + 1)
        return rows[:limit], rows[limit - 1]["client_id"] if len(rows) > limit else None

    async def rename(self, caller: Caller, group_id: str, name: str) -> Row:
        """Another name. Raises NotFoundError."""
        _check_name(name)
        async with self._database.transaction() as connection:
            if not await store.rename(connection, group_id, name):
                raise NotFoundError("group_not_found", group_id=group_id)
            await audit.record(connection, caller, "group.update", "group", group_id, {"name": name})
        return await self.get(group_id)

    async def change_members(self, caller: Caller, group_id: str, add: Sequence[str], remove: Sequence[str]) -> Row:
        """Add and remove clients together; asking again is harmless. Raises NotFoundError, RejectedError."""
        async with self._database.transaction() as connection:
            if not await store.touch(connection, group_id):
                raise NotFoundError("group_not_found", group_id=group_id)
            await require_clients(connection, add, "add[{}]")
            await store.leave(connection, group_id, remove)
            await store.join(connection, group_id, add)
            await audit.record(
                connection, caller, "group.members", "group", group_id, {"added": list(add), "removed": list(remove)}
            )
        return await self.get(group_id)

    async def delete(self, caller: Caller, group_id: str) -> Row:
        """Remove a group; its clients stay. The group as it was. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            rows = await store.find(connection, id=group_id)
            if not await store.delete(connection, group_id):
                raise NotFoundError("group_not_found", group_id=group_id)
            await audit.record(connection, caller, "group.delete", "group", group_id)
        return rows[0]


async def resolve(connection: Connection, target: Target) -> list[str]:
    """The clients that a target means: given ids in their order, each once, also retired ones; others by id.

    Raises NotFoundError for a group that there is not, RejectedError for ids that there are not, for nobody, and for
    too many.
    """
    found = find_unstorable(target.as_json(), "target")
    if found:
        raise RejectedError("validation_error", fields=(FieldProblem(*found),))
    if target.clients is not None:
        wanted = list(dict.fromkeys(target.clients))
        await require_clients(connection, wanted, "target.clients[{}]", with_retired=True)
    else:
        wanted = await store.matching(connection, target, MOST_TARGETS + 1)
    if not wanted:
        if target.group is not None and not await store.find(connection, id=target.group):
            raise NotFoundError("group_not_found", group_id=target.group)
        raise RejectedError("no_targets")
    if len(wanted) > MOST_TARGETS:
        raise RejectedError("too_many_targets", most=MOST_TARGETS)
    return wanted


async def require_clients(
    connection: Connection, wanted: Sequence[str], path: str, *, with_retired: bool = False
) -> None:
    """Raise RejectedError that names each of these clients that there is not, by its place in `path`."""
    found = await store.present(connection, wanted, with_retired=with_retired)
    missing = [
        FieldProblem(path.format(place), "there is no such client")
        for place, client_id in enumerate(wanted)
        if client_id not in found
    ]
    if missing:
        raise RejectedError("validation_error", fields=tuple(missing[:MOST_NAMED]))


def _check_name(name: str | None) -> None:
    found = find_unstorable(name, "name")
    if found:
        raise RejectedError("validation_error", fields=(FieldProblem(*found),))

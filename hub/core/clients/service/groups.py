"""Groups of clients, and finding the clients that a target means."""

from collections.abc import Sequence

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import EVERYTHING, Caller, Permission, Scope
from hub.core.access.service import grants
from hub.core.audit import store as audit
from hub.core.clients.rules import MOST_TARGETS, Target
from hub.core.clients.store import groups as store
from hub.core.clients.store.groups import Group, Member
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError

MOST_NAMED = 20
"""Fields named in one answer; whoever sent a wrong list of thousands learns enough from the first ones."""


class Groups:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, caller: Caller, group_id: str, name: str | None, clients: Sequence[str]) -> Group:
        """A new group with these clients. Raises ConflictError when the id is taken, RejectedError."""
        caller.require_all_clients()
        require_storable(name=name)
        async with self._database.transaction() as connection:
            if not await store.insert_group(connection, group_id, name or group_id):
                raise ConflictError("group_exists", group_id=group_id)
            await require_clients(connection, EVERYTHING, clients, "clients[{}]")
            await store.join(connection, group_id, clients)
            after = {"name": name or group_id, "members": list(clients)}
            detail = {"clients": len(clients), "after": after}
            await audit.record(connection, caller, "group.create", "group", group_id, detail)
        return await self._get(EVERYTHING, group_id)

    async def get(self, caller: Caller, group_id: str) -> Group:
        """One group. Raises NotFoundError, also for one that the caller is not allowed to see."""
        return await self._get(caller.scope, group_id)

    async def _get(self, scope: Scope, group_id: str) -> Group:
        async with self._database.connection() as connection:
            found = await store.get_for(connection, scope, group_id)
        if found is None:
            raise NotFoundError("group_not_found", group_id=group_id)
        return found

    async def page(self, caller: Caller, *, after: str | None, limit: int) -> Page[Group, str]:
        """Up to `limit` groups that the caller may see, in order of their ids."""
        async with self._database.connection() as connection:
            rows = await store.page(connection, caller.scope, after=after, limit=limit + 1)
        return Page.of(rows, limit, lambda group: group.id)

    async def members(self, caller: Caller, group_id: str, *, after: str | None, limit: int) -> Page[Member, str]:
        """Up to `limit` clients of a group in order of their ids. Raises NotFoundError."""
        await self.get(caller, group_id)
        async with self._database.connection() as connection:
            rows = await store.members(connection, group_id, after=after, limit=limit + 1)
        return Page.of(rows, limit, lambda member: member.client_id)

    async def rename(self, caller: Caller, group_id: str, name: str) -> Group:
        """Another name. Raises NotFoundError."""
        caller.require_all_clients()
        require_storable(name=name)
        async with self._database.transaction() as connection:
            before = await store.get(connection, group_id)
            if before is None or not await store.rename(connection, group_id, name):
                raise NotFoundError("group_not_found", group_id=group_id)
            detail = {"name": name, **audit.changed({"name": before.name}, {"name": name})}
            await audit.record(connection, caller, "group.update", "group", group_id, detail)
        return await self._get(EVERYTHING, group_id)

    async def change_members(self, caller: Caller, group_id: str, add: Sequence[str], remove: Sequence[str]) -> Group:
        """Add and remove clients together; idempotent. Raises NotFoundError, RejectedError."""
        caller.require_all_clients()
        async with self._database.transaction() as connection:
            if not await store.touch(connection, group_id):
                raise NotFoundError("group_not_found", group_id=group_id)
            await require_clients(connection, EVERYTHING, add, "add[{}]")
            await store.leave(connection, group_id, remove)
            await store.join(connection, group_id, add)
            await audit.record(
                connection, caller, "group.members", "group", group_id, {"added": list(add), "removed": list(remove)}
            )
        return await self._get(EVERYTHING, group_id)

    async def delete(self, caller: Caller, group_id: str) -> Group:
        """Remove a group, and what was granted of it; its clients stay. The group as it was. Raises NotFoundError."""
        caller.require_all_clients()
        async with self._database.transaction() as connection:
            group = await store.get(connection, group_id)
            if group is None or not await store.delete_group(connection, group_id):
                raise NotFoundError("group_not_found", group_id=group_id)
            await grants.end_of_group(connection, caller, group_id)
            before = {"name": group.name, "members": group.members}
            await audit.record(connection, caller, "group.delete", "group", group_id, {"before": before})
        return group


async def resolve(
    connection: Connection,
    scope: Scope,
    target: Target,
    *,
    want: str,
    action: str | None = None,
    lenient: bool = False,
) -> list[str]:
    """The clients that a target means: given ids in their order, each once, also retired ones; others by id.

    To a limited caller, a condition means those with which he may do what he wants, such as `command` this action; the
    others are to him as if they were not there. Given ids are those that he may read (for `command`) or that he wants
    to change: what he may do with each is judged when it is done. `lenient` leaves out those that there are not for
    him.

    Raises NotFoundError for a group that there is not, or that he may not see, RejectedError for ids that there are
    not, for nobody, and for too many.
    """
    require_storable(target=target.as_json())
    if target.clients is not None:
        wanted = list(dict.fromkeys(target.clients))
        known = scope.sees if want == Permission.COMMAND else want
        if lenient:
            found = await store.present(connection, scope, wanted, want=known, with_retired=True)
            wanted = [client_id for client_id in wanted if client_id in found]
        else:
            await require_clients(connection, scope, wanted, "target.clients[{}]", want=known, with_retired=True)
    else:
        if target.group is not None and await store.get_for(connection, scope, target.group) is None:
            raise NotFoundError("group_not_found", group_id=target.group)
        wanted = await store.matching(connection, scope, target, MOST_TARGETS + 1, want=want, action=action)
    if not wanted:
        raise RejectedError("no_targets")
    if len(wanted) > MOST_TARGETS:
        raise RejectedError("too_many_targets", most=MOST_TARGETS)
    return wanted


async def require_clients(
    connection: Connection,
    scope: Scope,
    wanted: Sequence[str],
    path: str,
    *,
    want: str = Permission.READ,
    with_retired: bool = False,
) -> None:
    """Raise RejectedError that names each of these clients that there is not for the caller, by its place in `path`."""
    found = await store.present(connection, scope, wanted, want=want, with_retired=with_retired)
    missing = [
        FieldProblem(path.format(place), "no_such_client")
        for place, client_id in enumerate(wanted)
        if client_id not in found
    ]
    if missing:
        raise RejectedError("validation_error", fields=tuple(missing[:MOST_NAMED]))

"""Grants: given and taken back by administrators."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller, Permission, may
from hub.core.access.rules.permissions import MOST_GRANTS
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.service.granting import (
    change_of,
    lock,
    require_may_grant,
    require_present,
    require_principal,
)
from hub.core.access.store import grants as store
from hub.core.access.store.grants import Grant
from hub.core.access.store.integrations import Locked
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError


@dataclass(frozen=True, slots=True)
class GrantRequest:
    """A grant to be given."""

    target: ClientsNamed
    actions: tuple[str, ...] | None = None
    """None: all."""
    access: str | None = None
    """None: `command`, or `read` for a role that cannot command."""


class Grants:
    """The service. `changed` is called after each change: what was let in may have lost its reason."""

    def __init__(self, database: Database, changed: Callable[[], None], *, new_id: Callable[[], UUID] = uuid7) -> None:
        self._database = database
        self._changed = changed
        self._new_id = new_id

    async def create(self, caller: Caller, principal_id: UUID, kind: str | None, request: GrantRequest) -> Grant:
        """Grant something to a principal, of one kind if that is said. Raises NotFoundError, RejectedError,
        ConflictError."""
        async with self._database.transaction() as connection:
            owner = await lock(connection, principal_id, kind)
            made = await self.give(connection, caller, owner, request)
        self._changed()
        return made

    async def give(
        self, connection: Connection, caller: Caller, owner: Locked, request: GrantRequest, place: str = ""
    ) -> Grant:
        """The same in a transaction that has locked the principal; `place`: where the request stands in a larger one.
        Raises RejectedError, ConflictError."""
        commands = may(owner.role, Permission.COMMAND)
        access = request.access or ("command" if commands else "read")
        if access == "command" and not commands:
            raise RejectedError(
                "validation_error", fields=(FieldProblem(f"{place}access", "role_only_reads", {"role": owner.role}),)
            )
        require_storable(**{f"{place}target": request.target.as_json()})
        # First: whether there is what he may not name, he is not told.
        await require_may_grant(connection, caller, request.target, request.actions, access)
        await require_present(connection, {f"{place}target": request.target})
        same = await store.find_same(connection, owner.id, request.target, request.actions, access)
        if same is not None:
            raise ConflictError("grant_exists", made=same.id)
        if await store.count(connection, owner.id) >= MOST_GRANTS:
            raise ConflictError("too_many_grants", name=owner.name, most=MOST_GRANTS)
        grant_id = self._new_id()
        await store.insert_grant(
            connection,
            grant_id=grant_id,
            principal_id=owner.id,
            target=request.target,
            actions=request.actions,
            access=access,
            created_by=caller.principal_id,
        )
        made = await _get(connection, grant_id)
        await audit.record(connection, caller, "grant.create", "grant", str(grant_id), change_of(None, made))
        return made

    async def page(
        self, caller: Caller, *, principal_id: UUID | None, client: str | None, after: UUID | None, limit: int
    ) -> Page[Grant, UUID]:
        """Up to `limit` grants in the order in which they were made: of a principal, or those that mean a client. With
        a key for some clients those that it may give."""
        async with self._database.connection() as connection:
            rows = await store.page(
                connection,
                principal_id=principal_id,
                client=client,
                within_key=caller.narrowed_key,
                after=after,
                limit=limit + 1,
            )
        return Page.of(rows, limit, lambda grant: grant.id)

    async def page_of(
        self, caller: Caller, principal_id: UUID, kind: str | None, *, after: UUID | None, limit: int
    ) -> Page[Grant, UUID]:
        """The same of one principal. Raises NotFoundError."""
        async with self._database.connection() as connection:
            await require_principal(connection, principal_id, kind)
        return await self.page(caller, principal_id=principal_id, client=None, after=after, limit=limit)

    async def delete(self, caller: Caller, grant_id: UUID) -> Grant:
        """Take a grant back; the grant as it was. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            await lock(connection, (await _get(connection, grant_id)).principal_id, None)
            before = await _get(connection, grant_id)
            await store.delete_grant(connection, grant_id)
            await audit.record(connection, caller, "grant.delete", "grant", str(grant_id), change_of(before, None))
        self._changed()
        return before


async def end_of_group(connection: Connection, caller: Caller, group_id: str) -> None:
    """Take back what was granted of a group that is no more: whoever makes another of its name means other clients.
    Keys for it reach what else they name, or nothing. Needs a transaction that has removed the group."""
    for grant in await store.end_of_group(connection, group_id):
        await audit.record(connection, caller, "grant.delete", "grant", str(grant.id), change_of(grant, None))


async def _get(connection: Connection, grant_id: UUID) -> Grant:
    found = await store.get(connection, grant_id)
    if found is None:
        raise NotFoundError("grant_not_found", id=grant_id)
    return found

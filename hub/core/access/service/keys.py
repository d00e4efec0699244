"""Keys of users and integrations: made, rotated and revoked by administrators, and shown once."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller
from hub.core.access.rules.permissions import MOST_KEYS, NO_LIMITS, KeyLimits, permissions_of
from hub.core.access.service.granting import (
    change_of,
    lock,
    own_limits,
    require_no_wider,
    require_present,
    require_principal,
)
from hub.core.access.store import api_keys as store
from hub.core.access.store.api_keys import Key
from hub.core.access.store.integrations import Locked
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, FieldProblem, NotFoundError, RejectedError
from hub.keys import new_api_key


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key to be made."""

    name: str = ""
    limits: KeyLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its text, which nobody is told again."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Which keys; None: whichever."""

    principal_id: UUID | None = None
    prefix: str | None = None
    status: str | None = None
    unused_since: datetime | None = None


class Keys:
    """The service. `changed` is called after whatever may have ended a key."""

    def __init__(self, database: Database, changed: Callable[[], None], *, new_id: Callable[[], UUID] = uuid7) -> None:
        self._database = database
        self._changed = changed
        self._new_id = new_id

    async def create(self, caller: Caller, principal_id: UUID, kind: str | None, request: KeyRequest) -> NewKey:
        """A new key of a principal, of one kind if that is said. Raises NotFoundError, RejectedError, ConflictError."""
        async with self._database.transaction() as connection:
            owner = await lock(connection, principal_id, kind)
            return await self.give(connection, caller, owner, request)

    async def give(
        self, connection: Connection, caller: Caller, owner: Locked, request: KeyRequest, place: str = ""
    ) -> NewKey:
        """The same in a transaction that has locked the principal; `place`: where the request stands in a larger one.
        Raises RejectedError, ConflictError."""
        await self._require(connection, caller, owner, request, place)
        return await self._insert(connection, caller, owner, request, "key.create", None)

    async def page(self, caller: Caller, wanted: KeyFilter, *, after: UUID | None, limit: int) -> Page[Key, UUID]:
        """Up to `limit` keys in the order in which they were made. With a key for some clients those that name no
        others."""
        async with self._database.connection() as connection:
            rows = await store.page(
                connection,
                principal_id=wanted.principal_id,
                prefix=wanted.prefix,
                status=wanted.status,
                unused_since=wanted.unused_since,
                within_key=caller.narrowed_key,
                after=after,
                limit=limit + 1,
            )
        return Page.of(rows, limit, lambda key: key.id)

    async def page_of(
        self, caller: Caller, principal_id: UUID, kind: str | None, *, after: UUID | None, limit: int
    ) -> Page[Key, UUID]:
        """The same of one principal. Raises NotFoundError."""
        async with self._database.connection() as connection:
            await require_principal(connection, principal_id, kind)
        return await self.page(caller, KeyFilter(principal_id), after=after, limit=limit)

    async def get(self, caller: Caller, key_id: UUID) -> Key:
        """One key. Raises NotFoundError, also when the caller's own is for some clients, and this one names others."""
        async with self._database.connection() as connection:
            found = await _get(connection, key_id)
            own = (await own_limits(connection, caller)).targets
        if own is not None and not all(target.is_within(own) for target in found.limits.targets or ()):
            raise NotFoundError("key_not_found", id=key_id)
        return found

    async def rotate(self, caller: Caller, key_id: UUID, overlap: timedelta) -> NewKey:
        """Another key with the same limits; the old one ends after the overlap, or when it would have ended anyway. One
        that was made to expire lives as long again. Raises NotFoundError, RejectedError, ConflictError."""
        async with self._database.transaction() as connection:
            owner = await lock(connection, (await _get(connection, key_id)).principal_id, None)
            old = await _get(connection, key_id)
            if old.status in ("revoked", "expired"):
                raise ConflictError("key_ended", prefix=old.prefix, status=old.status)
            now = await self._database.now(connection)
            expires_at = None if old.expires_at is None else now + (old.expires_at - old.created_at)
            request = KeyRequest(old.name, replace(old.limits, expires_at=expires_at))
            await _require_room(connection, owner)
            await require_no_wider(connection, caller, request.limits, owner.role)
            if not await store.expire(connection, key_id, now + overlap):  # it was revoked since it was read
                raise ConflictError("key_ended", prefix=old.prefix, status="revoked")
            new = await self._insert(connection, caller, owner, request, "key.rotate", await _get(connection, key_id))
        self._changed()
        return new

    async def revoke(self, caller: Caller, key_id: UUID) -> Key:
        """End a key at once; one that has ended stays as it is. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            before = await _get(connection, key_id)
            if await store.revoke(connection, key_id):
                after = await _get(connection, key_id)
                await audit.record(connection, caller, "key.revoke", "key", str(key_id), change_of(before, after))
        self._changed()
        async with self._database.connection() as connection:
            return await _get(connection, key_id)

    async def _require(
        self, connection: Connection, caller: Caller, owner: Locked, request: KeyRequest, place: str
    ) -> None:
        limits = request.limits
        has = permissions_of(owner.role)
        problems = [
            FieldProblem(f"{place}permissions[{number}]", "not_of_role", {"role": owner.role, "names": has})
            for number, permission in enumerate(limits.permissions or ())
            if permission not in has
        ]
        if limits.expires_at is not None and limits.expires_at <= await self._database.now(connection):
            problems.append(FieldProblem(f"{place}expires_at", "already_past"))
        if problems:
            raise RejectedError("validation_error", fields=tuple(problems))
        targets = dict(enumerate(limits.targets or ()))
        for number, target in targets.items():
            require_storable(**{f"{place}targets[{number}]": target.as_json()})
        # First: whether there is what he may not name, he is not told.
        await require_no_wider(connection, caller, limits, owner.role)
        await require_present(connection, {f"{place}targets[{number}]": one for number, one in targets.items()})
        await _require_room(connection, owner)

    async def _insert(
        self,
        connection: Connection,
        caller: Caller,
        owner: Locked,
        request: KeyRequest,
        action: str,
        before: Key | None,
    ) -> NewKey:
        require_storable(name=request.name)
        made, key_id = new_api_key(), self._new_id()
        await store.insert_key(
            connection,
            key_id=key_id,
            principal_id=owner.id,
            name=request.name,
            prefix=made.prefix,
            sha256=made.sha256,
            limits=request.limits,
            created_by=caller.principal_id,
        )
        key = await _get(connection, key_id)
        await audit.record(connection, caller, action, "key", str(key_id), change_of(before, key))
        return NewKey(key, made.text)


async def _get(connection: Connection, key_id: UUID) -> Key:
    found = await store.get(connection, key_id)
    if found is None:
        raise NotFoundError("key_not_found", id=key_id)
    return found


async def _require_room(connection: Connection, owner: Locked) -> None:
    if await store.count_valid(connection, owner.id) >= MOST_KEYS:
        raise ConflictError("too_many_keys", name=owner.name, most=MOST_KEYS)

"""API keys: as people see them, and as they are made and ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from hub.core.access.rules.permissions import KeyLimits
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.tables import ApiKey
from hub.database import model
from hub.database.engine import Connection
from hub.database.model import NOW
from hub.database.statements import Statement


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key; `targets` as the API says them, None: it is not narrowed to clients."""

    id: UUID
    principal_id: UUID
    principal: str
    principal_kind: str
    name: str
    prefix: str
    permissions: list[str] | None
    actions: list[str] | None
    targets: list[dict[str, Any]] | None
    addresses: list[str] | None
    status: str
    created_at: datetime
    created_by: UUID | None
    expires_at: datetime | None
    last_used_at: datetime | None
    last_address: str | None
    revoked_at: datetime | None

    @property
    def limits(self) -> KeyLimits:
        """What limits it."""
        return KeyLimits(
            None if self.permissions is None else tuple(self.permissions),
            None if self.actions is None else tuple(self.actions),
            None if self.targets is None else tuple(map(_named, self.targets)),
            None if self.addresses is None else tuple(self.addresses),
            self.expires_at,
        )


def _named(target: Mapping[str, Any]) -> ClientsNamed:
    ((kind, value),) = target.items()
    return ClientsNamed(kind, tags=tuple(value)) if kind == "tags" else ClientsNamed(kind, value)


_GET = Statement("core/access/keys", "get", Key)
_PAGE = Statement("core/access/keys", "page", Key, fresh_plan=True)
_ADD_TARGET = Statement("core/access/keys", "add_target")
_TOUCH = Statement("core/access/keys", "touch")
_VALID = (col(ApiKey.revoked_at).is_(None), or_(col(ApiKey.expires_at).is_(None), col(ApiKey.expires_at) > NOW))


async def get(connection: Connection, key_id: UUID) -> Key | None:
    """One key, whether it is valid or not."""
    return await _GET.fetch_one(connection, id=key_id)


async def page(
    connection: Connection,
    *,
    principal_id: UUID | None,
    prefix: str | None,
    status: str | None,
    unused_since: datetime | None,
    within_key: UUID | None = None,
    after: UUID | None,
    limit: int,
) -> list[Key]:
    """Keys in the order in which they were made. `unused_since`: not used since then, nor made. `within_key`: those
    that name only clients of this key, which is for some."""
    return await _PAGE.fetch_all(
        connection,
        principal_id=principal_id,
        prefix=prefix,
        status=status,
        unused_since=unused_since,
        within_key=within_key,
        after=after,
        limit=limit,
    )


async def count_valid(connection: Connection, principal_id: UUID) -> int:
    """How many valid keys a principal has."""
    counted = select(func.count()).select_from(ApiKey).where(col(ApiKey.principal_id) == principal_id, *_VALID)
    return await model.fetch_one(connection, counted, int) or 0


async def all_limits(connection: Connection, principal_id: UUID) -> list[Key]:
    """The valid keys of a principal."""
    found = await page(
        connection,
        principal_id=principal_id,
        prefix=None,
        status=None,
        unused_since=None,
        after=None,
        limit=10_000,
    )
    return [key for key in found if key.status not in ("revoked", "expired")]


async def insert_key(
    connection: Connection,
    *,
    key_id: UUID,
    principal_id: UUID,
    name: str,
    prefix: str,
    sha256: bytes,
    limits: KeyLimits,
    created_by: UUID,
) -> None:
    """Store a key's hash, with what limits it. Needs a transaction."""
    new = insert(ApiKey).values(
        id=key_id,
        principal_id=principal_id,
        name=name,
        prefix=prefix,
        sha256=sha256,
        permissions=_listed(limits.permissions),
        actions=_listed(limits.actions),
        narrowed=limits.targets is not None,
        addresses=_listed(limits.addresses),
        expires_at=limits.expires_at,
        created_at=NOW,
        created_by=created_by,
    )
    await model.execute(connection, new)
    for target in limits.targets or ():
        await _ADD_TARGET.execute(
            connection, key_id=key_id, target_kind=target.kind, target=target.name, tags=_listed(target.tags)
        )


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


async def revoke(connection: Connection, key_id: UUID) -> bool:
    """End a key now; False when it was revoked before."""
    live = (col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
    return await model.execute(connection, update(ApiKey).where(*live).values(revoked_at=NOW)) > 0


async def expire(connection: Connection, key_id: UUID, at: datetime) -> bool:
    """Let a key end at a time, or when it would have ended by itself, if that is before; False when it was revoked.
    Whoever revokes it meanwhile waits until the transaction ends."""
    sooner = func.least(func.coalesce(col(ApiKey.expires_at), at), at)
    live = (col(ApiKey.id) == key_id, col(ApiKey.revoked_at).is_(None))
    return await model.execute(connection, update(ApiKey).where(*live).values(expires_at=sooner)) > 0


async def touch(connection: Connection, used: Mapping[UUID, str | None]) -> None:
    """Record that keys were used just now, and from where; at most once a minute for each."""
    await _TOUCH.execute(connection, ids=list(used), addresses=list(used.values()))

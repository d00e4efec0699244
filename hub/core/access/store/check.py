"""What may be done, by the rule that is enforced."""

from typing import Any
from uuid import UUID

import msgspec

from hub.database.engine import Connection
from hub.database.statements import Statement


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """A principal."""

    id: UUID
    kind: str
    name: str
    role: str
    reach: str
    status: str


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule says, and what it goes by."""

    allowed: bool
    key_has_client: bool
    grants: list[UUID]
    """Of the principal, those that allow it; at most 100."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a client itself allows, whoever asks; `allowed_actions` None: all."""

    status: str
    allowed_actions: list[str] | None


class WhoMay(msgspec.Struct, frozen=True, kw_only=True):
    """A principal that may do something, and those of its valid keys that may, at most 100."""

    id: UUID
    kind: str
    name: str
    role: str
    reach: str
    keys: list[dict[str, Any]]


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A client, and which of its actions may be commanded; None: all."""

    client_id: str
    read: bool
    actions: list[str] | None


_PRINCIPAL = Statement("core/access/check", "principal", Holder)
_CLIENT_POLICY = Statement("core/access/check", "client_policy", Policy)
_DECIDE = Statement("core/access/check", "decide", Decision)
_HOLDERS = Statement("core/access/check", "holders", WhoMay)
_REACHED = Statement("core/access/check", "reached", Reached)


async def principal(connection: Connection, *, principal_id: UUID | None, name: str | None) -> Holder | None:
    """A principal by its id or its name."""
    return await _PRINCIPAL.fetch_one(connection, id=principal_id, name=name)


async def client_policy(connection: Connection, client: str) -> Policy | None:
    """What a client allows; None when there is none."""
    return await _CLIENT_POLICY.fetch_one(connection, client=client)


async def decide(
    connection: Connection, *, principal_id: UUID, key_id: UUID | None, want: str, client: str, action: str | None
) -> Decision:
    """Whether the rule allows it."""
    found = await _DECIDE.fetch_one(
        connection, principal_id=principal_id, key_id=key_id, want=want, client=client, action=action
    )
    assert found is not None  # noqa: S101 - a SELECT without FROM has one row
    return found


async def holders(
    connection: Connection, *, want: str, client: str, action: str | None, after: UUID | None, limit: int
) -> list[WhoMay]:
    """Who may do it, in the order in which the principals were made."""
    return await _HOLDERS.fetch_all(connection, want=want, client=client, action=action, after=after, limit=limit)


async def reached(
    connection: Connection, *, principal_id: UUID, key_id: UUID | None, after: str | None, limit: int
) -> list[Reached]:
    """The clients that may be read or commanded, in order of their ids."""
    return await _REACHED.fetch_all(connection, principal_id=principal_id, key_id=key_id, after=after, limit=limit)

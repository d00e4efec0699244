"""What integrations, keys and grants need of each other: who may give what, and what is told of each change."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from hub.core.access.rules import Caller, Permission
from hub.core.access.rules.permissions import NO_LIMITS, KeyLimits, effective, permissions_of, wider_than
from hub.core.access.rules.targets import ClientsNamed
from hub.core.access.store import api_keys, grants, integrations
from hub.core.access.store.integrations import Locked
from hub.database.engine import Connection
from hub.errors import FieldProblem, NotFoundError, RejectedError

_NOT_TOLD = frozenset({"last_used_at", "last_address"})


def told(row: msgspec.Struct) -> dict[str, Any]:
    """A row as the audit has it, without what changes by itself."""
    found: dict[str, Any] = msgspec.to_builtins(row)
    return {name: value for name, value in found.items() if name not in _NOT_TOLD}


def change_of(before: msgspec.Struct | None, after: msgspec.Struct | None) -> dict[str, Any]:
    """The detail of an audit row: what there was, and what there is now."""
    return {
        "before": None if before is None else told(before),
        "after": None if after is None else told(after),
    }


async def require_principal(connection: Connection, principal_id: UUID, kind: str | None) -> None:
    """Raise NotFoundError when there is no such principal, or it is of another kind than is said."""
    found = await integrations.kind_of(connection, principal_id)
    if found is None or kind not in (None, found):
        raise _not_found(principal_id, kind)


async def lock(connection: Connection, principal_id: UUID, kind: str | None) -> Locked:
    """A principal, of one kind if that is said, locked until the transaction ends. Raises NotFoundError."""
    found = await integrations.lock(connection, principal_id)
    if found is None or kind not in (None, found.kind):
        raise _not_found(principal_id, kind)
    return found


def _not_found(principal_id: UUID, kind: str | None) -> NotFoundError:
    return NotFoundError("integration_not_found" if kind == "integration" else "principal_not_found", id=principal_id)


async def own_limits(connection: Connection, caller: Caller) -> KeyLimits:
    """What limits the key that a caller uses; nothing for a session."""
    key = None if caller.key_id is None else await api_keys.get(connection, caller.key_id)
    return NO_LIMITS if key is None else key.limits


async def require_no_wider(connection: Connection, caller: Caller, limits: KeyLimits, role: str) -> None:
    """Raise RejectedError when a key with these limits, for a principal of a role, would exceed the caller's own."""
    own = await own_limits(connection, caller)
    _refuse(wider_than(own, caller.principal.role, limits, role))


async def require_may_grant(
    connection: Connection, caller: Caller, target: ClientsNamed, actions: Collection[str] | None, access: str
) -> None:
    """Raise RejectedError when a grant would go beyond the key that makes it."""
    own = await own_limits(connection, caller)
    found = []
    if own.targets is not None and not target.is_within(own.targets):
        found.append("target")
    if own.actions is not None and (actions is None or not set(actions) <= set(own.actions)):
        found.append("actions")
    if access == "command" and not caller.may(Permission.COMMAND):
        found.append("access")
    _refuse(found)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides what a principal may do, beside its grants."""

    role: str
    reach: str
    disabled: bool


async def require_may_widen(
    connection: Connection, caller: Caller, before: Standing, after: Standing, *, enabled_by: str
) -> None:
    """Raise RejectedError when a principal, and so its keys and sessions that are not limited, would gain what the key
    that asks for it has not. `enabled_by`: the field by which a disabled one is enabled again."""
    own = await own_limits(connection, caller)
    enabled = before.disabled and not after.disabled
    gained = set(permissions_of(after.role)) - set(() if enabled else permissions_of(before.role))
    # Whoever gains something may use it for all clients and actions that it reaches, from wherever, and for good.
    limited = any(limit is not None for limit in (own.targets, own.actions, own.addresses, own.expires_at))
    found = []
    if gained and (limited or not gained <= set(effective(caller.principal.role, own.permissions))):
        found.append(enabled_by if enabled else "role")
    if after.reach == "all" != before.reach and limited:
        found.append("reach")
    _refuse(found)


async def require_may_sign_in(connection: Connection, caller: Caller, role: str, *, granted_nothing: bool) -> None:
    """Raise RejectedError when somebody of a role, for whom a caller opens the way to sign in, would exceed the
    caller's key: a session has no limits. `granted_nothing`: he reaches no client yet, and who grants him some is held
    against his own key then."""
    own = await own_limits(connection, caller)
    limits = KeyLimits(actions=own.actions, targets=own.targets) if granted_nothing else NO_LIMITS
    _refuse(wider_than(own, caller.principal.role, limits, role))


def _refuse(fields: Sequence[str]) -> None:
    if fields:
        raise RejectedError("wider_than_your_key", limits=", ".join(fields))


async def require_present(connection: Connection, targets: Mapping[str, ClientsNamed]) -> None:
    """Raise RejectedError that names each target, by its place in the request, whose client or group there is not."""
    problems = []
    for kind, code in (("client", "no_such_client"), ("group", "no_such_group")):
        named = {place: target.name or "" for place, target in targets.items() if target.kind == kind}
        there = await grants.present(connection, kind, list(named.values())) if named else set()
        problems += [FieldProblem(f"{place}.{kind}", code) for place, name in named.items() if name not in there]
    if problems:
        raise RejectedError("validation_error", fields=tuple(problems))

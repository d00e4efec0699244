"""What keys may list, what templates give, and what a key may give on. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from hub.core.access.rules import Caller, Permission, may
from hub.core.access.rules.addresses import are_within
from hub.core.access.rules.targets import EVERY_CLIENT, ClientsNamed
from hub.errors import RejectedError

ROLES = ("admin", "operator", "viewer")
OF_KEYS = tuple(
    permission for permission in Permission if permission not in (Permission.PUBLIC, Permission.CLIENT, Permission.SELF)
)
"""Permissions that a role has, and that the scope of a key may list."""
MOST_KEYS = 100
"""Valid keys of one principal."""
MOST_GRANTS = 1_000
"""Grants of one principal."""


def permissions_of(role: str) -> tuple[Permission, ...]:
    """What a role may do, in the order of the documentation."""
    return tuple(permission for permission in OF_KEYS if may(role, permission))


def roles_with(permission: str) -> tuple[str, ...]:
    """The roles that have a permission."""
    return tuple(role for role in ROLES if may(role, Permission(permission)))


def effective(role: str, listed: Collection[str] | None) -> tuple[Permission, ...]:
    """What a key with this scope may do for a principal of this role."""
    return tuple(permission for permission in permissions_of(role) if listed is None or permission in listed)


def require_permission(caller: Caller, permission: Permission) -> None:
    """Raise RejectedError `forbidden`, which says what to ask for, and where it is missing, when a caller has not this
    permission."""
    if caller.may(permission):
        return
    role, key = caller.principal.role, caller.key_id
    variant = "by_key" if may(role, permission) else "by_role" if key is None else "by_role_of_key"
    raise RejectedError(
        "forbidden",
        variant=variant,
        permission=permission.value,
        role=role,
        key=key,
        may=", ".join(effective(role, caller.key_scope.permissions)) or "-",
        roles=", ".join(roles_with(permission)),
    )


@dataclass(frozen=True, slots=True)
class Template:
    """What an integration of a usual kind gets where the request does not say otherwise."""

    id: str
    role: str
    permissions: tuple[str, ...]
    """Of its first key."""
    actions: tuple[str, ...] | None
    """Of its grants; None: all."""
    access: str
    """Of its grants."""
    grants: tuple[ClientsNamed, ...] = ()
    """What it is granted when the request names no clients."""


TEMPLATES: Mapping[str, Template] = {
    template.id: template
    for template in (
        Template("order-system", "operator", ("read", "command", "document"), ("print", "display"), "command"),
        Template("wms", "operator", ("read", "command", "document"), ("print", "display", "pick"), "command"),
        Template("monitoring", "viewer", ("read",), None, "read", (EVERY_CLIENT,)),
    )
}


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """Everything that limits a key, beside its principal's role and grants. None: not limited by that."""

    permissions: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None
    targets: tuple[ClientsNamed, ...] | None = None
    addresses: tuple[str, ...] | None = None
    expires_at: datetime | None = None


NO_LIMITS = KeyLimits()


def wider_than(own: KeyLimits, role: str, new: KeyLimits, new_role: str) -> tuple[str, ...]:
    """The fields by which a new key, for a principal of `new_role`, would exceed the key that makes it, whose principal
    has `role`."""
    found = []
    if not set(effective(new_role, new.permissions)) <= set(effective(role, own.permissions)):
        found.append("permissions")
    if own.actions is not None and (new.actions is None or not set(new.actions) <= set(own.actions)):
        found.append("actions")
    if own.targets is not None and not all(one.is_within(own.targets) for one in new.targets or (EVERY_CLIENT,)):
        found.append("targets")
    if own.addresses is not None and (new.addresses is None or not are_within(new.addresses, own.addresses)):
        found.append("addresses")
    if own.expires_at is not None and (new.expires_at is None or new.expires_at > own.expires_at):
        found.append("expires_at")
    return tuple(found)

"""Which roles may do what. Pure."""

import enum
from collections.abc import Mapping


class Permission(enum.StrEnum):
    """What a route allows; every route declares one, and a test holds it to that."""

    PUBLIC = "public"
    """Anyone: liveness and the description of the API."""
    CLIENT = "client"
    """A client with its own secret, for its own things; or whoever may read documents."""
    READ = "read"
    COMMAND = "command"
    DOCUMENT = "document"
    ADMINISTER = "administer"


_BY_ROLE: Mapping[str, frozenset[Permission]] = {
    "admin": frozenset(Permission),
    "operator": frozenset({Permission.READ, Permission.COMMAND, Permission.DOCUMENT}),
    "viewer": frozenset({Permission.READ}),
}


def may(role: str, permission: Permission) -> bool:
    """Whether a role has a permission; one that is not known has none."""
    return permission in _BY_ROLE.get(role, frozenset())

"""Who asks, and which roles may do what. Pure."""

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


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


@dataclass(frozen=True, slots=True)
class Principal:
    """A user (person) or an integration (order system, WMS)."""

    id: UUID
    kind: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks and from where; what audit rows name."""

    principal: Principal
    address: str | None

    @property
    def principal_id(self) -> UUID:
        """The principal's id."""
        return self.principal.id


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The caller's key and the hash of the body it came with."""

    route: str
    key: str
    request_sha256: bytes

    @classmethod
    def of(cls, route: str, key: str, body: bytes) -> "IdempotencyKey":
        """A key for a raw request body."""
        return cls(route, key, hashlib.sha256(body).digest())

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
    DECIDE = "decide"
    """To close a dead letter whose effect nobody knows."""
    PAIR = "pair"
    AUDIT = "audit"


_BY_ROLE: Mapping[str, frozenset[Permission]] = {
    "admin": frozenset(Permission),
    "operator": frozenset({Permission.READ, Permission.COMMAND, Permission.DOCUMENT, Permission.DECIDE}),
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
    reach: str = "all"
    """`all` clients, or those that it was `granted`."""


@dataclass(frozen=True, slots=True)
class KeyScope:
    """What a key narrows of what its principal may do. None: nothing of that kind."""

    permissions: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    narrowed: bool = False
    """Whether it is for some clients only; the database knows which."""


WHOLE = KeyScope()


@dataclass(frozen=True, slots=True)
class Credential:
    """What a key or a session that was looked up stands for."""

    principal: Principal
    key_id: UUID | None = None
    session_id: UUID | None = None
    scope: KeyScope = WHOLE
    addresses: tuple[str, ...] | None = None
    """Networks that the key may be used from; None: all."""

    def caller(self, address: str | None) -> "Caller":
        """Who asks, from an address."""
        return Caller(self.principal, address, self.key_id, self.session_id, self.scope)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a statement needs to ask `floorhub_allows` for a caller: its parameters `limited`, `scope_principal` and
    `scope_key`."""

    principal_id: UUID
    key_id: UUID | None = None
    limited: bool = True
    """False: the caller reaches every client and action, so that the rule need not be asked."""

    @property
    def parameters(self) -> dict[str, object]:
        """As the statements name them."""
        return {"limited": self.limited, "scope_principal": self.principal_id, "scope_key": self.key_id}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks and from where; what audit rows name."""

    principal: Principal
    address: str | None
    key_id: UUID | None = None
    """The key that the request shows; None: it belongs to a session."""
    session_id: UUID | None = None
    key_scope: KeyScope = WHOLE

    @property
    def principal_id(self) -> UUID:
        """The principal's id."""
        return self.principal.id

    @property
    def scope(self) -> Scope:
        """What statements are asked with."""
        narrow = self.key_scope
        limited = self.principal.reach != "all" or narrow.narrowed or narrow.actions is not None
        return Scope(self.principal.id, self.key_id, limited)

    def may(self, permission: Permission) -> bool:
        """Whether role and key allow what a route declares; clients and actions are judged by the statements."""
        listed = self.key_scope.permissions
        return may(self.principal.role, permission) and (listed is None or permission in listed)


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

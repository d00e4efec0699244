"""Who asks, which roles may do what, and which passwords are taken. Pure."""

import enum
import hashlib
import re
import string
from collections.abc import Mapping
from itertools import pairwise
from uuid import UUID

import msgspec

from hub.errors import RejectedError


class Permission(enum.StrEnum):
    """What a route allows; every route declares one, and a test holds it to that."""

    PUBLIC = "public"
    """Anyone: liveness and the description of the API."""
    CLIENT = "client"
    """A client with its own secret, for its own things; or whoever may read documents."""
    SELF = "self"
    """Whoever is known, for what is his own: who am I, my sessions, my password. No key narrows it."""
    READ = "read"
    COMMAND = "command"
    DOCUMENT = "document"
    ADMINISTER = "administer"
    DECIDE = "decide"
    """To close a dead letter whose effect nobody knows."""
    PAIR = "pair"
    """To connect machines, as clients that he reaches."""
    AUDIT = "audit"


_BY_ROLE: Mapping[str, frozenset[Permission]] = {
    "admin": frozenset(Permission),
    "operator": frozenset(
        {
            *(Permission.SELF, Permission.READ, Permission.COMMAND, Permission.DOCUMENT, Permission.DECIDE),
            Permission.PAIR,
        }
    ),
    "viewer": frozenset({Permission.SELF, Permission.READ}),
}


def may(role: str, permission: Permission) -> bool:
    """Whether a role has a permission; one that is not known has none."""
    return permission in _BY_ROLE.get(role, frozenset())


class Principal(msgspec.Struct, frozen=True):
    """A user (person) or an integration (order system, WMS)."""

    id: UUID
    kind: str
    name: str
    role: str
    reach: str = "all"
    """`all` clients, or those that it was `granted`."""


class KeyScope(msgspec.Struct, frozen=True):
    """What a key narrows of what its principal may do. None: nothing of that kind."""

    permissions: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    narrowed: bool = False
    """Whether it is for some clients only; the database knows which."""


WHOLE = KeyScope()


class Credential(msgspec.Struct, frozen=True):
    """What a key or a session that was looked up stands for."""

    principal: Principal
    key_id: UUID | None = None
    session_id: UUID | None = None
    scope: KeyScope = WHOLE
    addresses: tuple[str, ...] | None = None
    """Networks that the key may be used from; None: all."""
    confirmed: bool = True
    """False: a session whose password was given too long ago for a dangerous act."""

    def caller(self, address: str | None) -> "Caller":
        """Who asks, from an address."""
        return Caller(self.principal, address, self.key_id, self.session_id, self.scope, self.confirmed)


class Scope(msgspec.Struct, frozen=True):
    """What a statement needs to ask `floorhub_allows` for a caller: its parameters `limited`, `scope_principal` and
    `scope_key`, and for what people make, `scope_owner` and `scope_sees`."""

    principal_id: UUID
    key_id: UUID | None = None
    limited: bool = True
    """False: the caller reaches every client and action, so that the rule need not be asked."""
    owner: bool = True
    """Whether what the principal made is this caller's, too: not with a key for some clients or actions only. Else
    `scope_owner` is NULL."""
    sees: str = "read"
    """What he must be allowed to do with clients to see what concerns them: `command`, where his key lacks `read`."""

    @property
    def parameters(self) -> dict[str, object]:
        """As the statements name them."""
        return {
            "limited": self.limited,
            "scope_principal": self.principal_id,
            "scope_key": self.key_id,
            "scope_sees": self.sees,
            "scope_owner": self.principal_id if self.owner else None,
        }


EVERYTHING = Scope(UUID(int=0), limited=False)
"""For the hub itself, which acts for nobody."""


class Caller(msgspec.Struct, frozen=True):
    """Who asks and from where; what audit rows name."""

    principal: Principal
    address: str | None
    key_id: UUID | None = None
    """The key that the request shows; None: it belongs to a session."""
    session_id: UUID | None = None
    key_scope: KeyScope = WHOLE
    confirmed: bool = True
    """False: the password has to be given again before a dangerous act."""

    @property
    def principal_id(self) -> UUID:
        """The principal's id."""
        return self.principal.id

    @property
    def scope(self) -> Scope:
        """What statements are asked with."""
        narrow = self.key_scope
        # Without key and session somebody acts by what he left behind, such as a schedule: what was looked up of him
        # may be old, so that the database is asked in any case.
        absent = self.key_id is None and self.session_id is None
        narrowed = narrow.narrowed or narrow.actions is not None
        limited = absent or self.principal.reach != "all" or narrowed
        sees = Permission.READ if self.may(Permission.READ) else Permission.COMMAND
        return Scope(self.principal.id, self.key_id, limited, owner=not narrowed, sees=sees.value)

    @property
    def narrowed_key(self) -> UUID | None:
        """The key that he uses, if it is for some clients only."""
        return self.key_id if self.key_scope.narrowed else None

    def require_sight_of_all_clients(self) -> None:
        """Raise RejectedError unless principal and key are for all clients."""
        if self.principal.reach != "all" or self.key_scope.narrowed:
            raise RejectedError("all_clients_needed")

    def require_all_clients(self, *, for_action: str | None = None) -> None:
        """Raise RejectedError unless principal and key are for all clients and actions: for what concerns them all, and
        for what changes which clients somebody reaches. With `for_action` it is about this action alone."""
        self.require_sight_of_all_clients()
        self.require_all_actions(for_action=for_action)

    def require_all_actions(self, *, for_action: str | None = None) -> None:
        """Raise RejectedError when the key is for some actions, which say nothing of what clients are and may do. With
        `for_action` a key for this action will do."""
        listed = self.key_scope.actions
        if listed is not None and for_action not in listed:
            raise RejectedError("all_actions_needed", actions=", ".join(sorted(listed)))

    def may(self, permission: Permission) -> bool:
        """Whether role and key allow what a route declares; clients and actions are judged by the statements."""
        listed = self.key_scope.permissions
        if not may(self.principal.role, permission):
            return False
        return listed is None or permission in listed or permission is Permission.SELF

    @property
    def permissions(self) -> list[str]:
        """What he may do somewhere, for whoever shows it to him."""
        always = (Permission.PUBLIC, Permission.CLIENT, Permission.SELF)
        return [str(each) for each in Permission if each not in always and self.may(each)]


class IdempotencyKey(msgspec.Struct, frozen=True):
    """The caller's key and the hash of the body it came with."""

    route: str
    key: str
    request_sha256: bytes

    @classmethod
    def of(cls, route: str, key: str, body: bytes) -> "IdempotencyKey":
        """A key for a raw request body."""
        return cls(route, key, hashlib.sha256(body).digest())


LOGIN = r"^[a-z0-9][a-z0-9._@+-]{0,63}$"
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256
"""Characters, as NIST SP 800-63B has it: length counts, and no kinds of characters are asked for."""
_AROUND = string.digits + string.punctuation + string.whitespace
_COMMON = frozenset(
    """
    password passw0rd p@ssw0rd p@ssword qwerty qwertyui qwertyuiop qwerty12 asdfghjk asdfghjkl zxcvbnm zxcvbnmm 1q2w3e4r
    1q2w3e4r5t 1qaz2wsx q1w2e3r4 q1w2e3r4t5 qazwsxedc zaq12wsx abcd1234 abc12345 1234abcd a1b2c3d4 aa123456 a1234567
    iloveyou sunshine princess football baseball superman batman123 starwars trustno1 whatever welcome letmein michael
    jennifer computer internet samsung corvette mercedes midnight dragon master monkey shadow freedom charlie chocolate
    butterfly liverpool chelsea arsenal jordan23 hunter12 killer12 pokemon nintendo playstation minecraft google
    facebook linkedin adobe123 photoshop windows microsoft changeme changeit default secret topsecret testtest test1234
    testing guest123 admin administrator adminadmin admin123 root1234 rootroot toor1234 login123 access14 operator
    viewer printer warehouse floorhub floorhubfloorhub hubfloor dkssud dkssudgktpdy qlalfqjsgh tkfkdgo tkfkdgody
    rhkswp dlqslek gksrnr wjdqhqhghd
    """.split()  # noqa: SIM905 - a list of words, one a line, would be a page
)
"""The commonest of eight characters and more, and those at hand here; with Korean words typed on a Latin keyboard."""


def login_of(text: str) -> str:
    """A login in the one form in which it is kept."""
    return text.strip().lower()


def is_login(text: str) -> bool:
    """Whether somebody may be called so."""
    return re.fullmatch(LOGIN, text) is not None


def password_fault(password: str, login: str) -> tuple[str, Mapping[str, object]] | None:
    """Why a password is not taken, as a code of the catalogue of fields; None: it is. In the form NFC."""
    if len(password) < SHORTEST_PASSWORD:
        return "password_too_short", {"limit": SHORTEST_PASSWORD}
    if len(password) > LONGEST_PASSWORD:
        return "password_too_long", {"limit": LONGEST_PASSWORD}
    folded = password.casefold()
    core = folded.strip(_AROUND)
    names = {login, login.partition("@")[0]}
    if folded in names or (core and core in {name.strip(_AROUND) for name in names}):
        return "password_like_login", {}
    if folded in _COMMON or core in _COMMON or len(set(folded)) < 3 or _is_sequence(folded):
        return "password_too_common", {}
    return None


def _is_sequence(text: str) -> bool:
    """Whether each character follows the one before, as in 12345678 or hgfedcba; the digits also from 9 on to 0."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps) == 1 or (text.isdecimal() and steps <= {1, -9})

"""Who asks, and with which key."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Uuid, text
from sqlmodel import Field

from hub.database.tables import Table, number, one_of, text_, texts

_ONE_TARGET = "WHEN 'tags' THEN target IS NULL AND cardinality(tags) > 0 ELSE target IS NOT NULL AND tags IS NULL END"


class Principal(Table, table=True):
    """Who may ask: a user or an integration."""

    __tablename__ = "principals"
    __table_args__ = (
        one_of("kind", "user", "integration"),
        one_of("role", "admin", "operator", "viewer"),
        one_of("reach", "all", "granted"),
        CheckConstraint("role <> 'admin' OR reach = 'all'", name="principals_admin_reach"),
    )

    id: UUID = Field(primary_key=True)
    kind: str = text_()
    name: str = text_(unique=True)
    role: str = text_()
    created_at: datetime
    disabled_at: datetime | None
    reach: str = text_(sa_column_kwargs={"server_default": text("'all'")})
    """All clients, or those of its grants; an administrator's is always `all`."""
    removed_at: datetime | None
    """It is disabled then, too, for good, and has given its name back."""


class User(Table, table=True):
    """What a person signs in with."""

    __tablename__ = "users"

    principal_id: UUID = Field(primary_key=True, foreign_key="principals.id")
    login: str = text_(unique=True)
    password_hash: str | None = text_()
    """Argon2id in its own format; None: this person cannot sign in yet."""
    password_changed_at: datetime | None
    updated_at: datetime


class Session(Table, table=True):
    """A sign-in: of a page (an opaque cookie), or of a program (access and refresh tokens)."""

    __tablename__ = "sessions"
    __table_args__ = (
        one_of("kind", "page", "token"),
        Index("sessions_principal", "principal_id"),
        Index("sessions_expires", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(foreign_key="principals.id")
    kind: str = text_()
    cookie_sha256: bytes | None = Field(sa_type=LargeBinary, unique=True)
    screen_id: str | None = text_()
    address: str | None = text_()
    user_agent: str | None = text_()
    created_at: datetime
    seen_at: datetime
    confirmed_at: datetime
    """When the password was last given."""
    expires_at: datetime
    """The absolute limit."""
    ended_at: datetime | None
    ended_by: str | None = text_()
    """Why it ended: a code, such as `sign_out`."""


class RefreshToken(Table, table=True):
    """One token of a session's family; all but the newest are used."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("refresh_tokens_session", "session_id"),
        Index("refresh_tokens_expires", "expires_at"),
    )

    sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    session_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False))
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


class TokenKey(Table, table=True):
    """What access tokens are signed with: an Ed25519 key (JWK), sealed by a key outside the database."""

    __tablename__ = "token_keys"

    kid: str = text_(primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)
    created_at: datetime


class OneTimeLink(Table, table=True):
    """A secret that is good once."""

    __tablename__ = "one_time_links"
    __table_args__ = (
        one_of("purpose", "first_administrator", "password"),
        Index("one_time_links_expires", "expires_at"),
    )

    sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    purpose: str = text_()
    principal_id: UUID | None = Field(foreign_key="principals.id")
    """Whose password it sets."""
    created_at: datetime
    expires_at: datetime


class SignInFailures(Table, table=True):
    """Sign-ins that failed lately, counted by the hash of a login, of an address, and of both."""

    __tablename__ = "sign_in_failures"
    __table_args__ = (Index("sign_in_failures_resets", "resets_at"),)

    bucket: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    failures: int
    resets_at: datetime


class Grant(Table, table=True):
    """What a principal whose reach is `granted` may see, or command."""

    __tablename__ = "grants"
    __table_args__ = (
        one_of("target_kind", "client", "group", "zone", "tags", "all"),
        one_of("access", "read", "command"),
        CheckConstraint(
            f"CASE target_kind WHEN 'all' THEN target IS NULL AND tags IS NULL {_ONE_TARGET}", name="grants_target"
        ),
        Index("grants_principal", "principal_id"),
    )

    id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(foreign_key="principals.id")
    target_kind: str = text_()
    target: str | None = text_()
    """The id of the client or group, or the name of the zone."""
    tags: list[str] | None = texts()
    """Of target kind `tags`: a client needs all of them."""
    actions: list[str] | None = texts()
    """None: all."""
    access: str = text_()
    """`command` includes `read`."""
    created_at: datetime
    created_by: UUID | None


class ApiKey(Table, table=True):
    """A key of a principal; only its hash is kept, and a prefix for people to tell keys apart."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_principal", "principal_id"),)

    id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(foreign_key="principals.id")
    prefix: str = text_()
    sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    name: str = text_(sa_column_kwargs={"server_default": text("''")})
    permissions: list[str] | None = texts()
    """Of its principal's role; None: all."""
    actions: list[str] | None = texts()
    narrowed: bool = Field(sa_column_kwargs={"server_default": text("false")})
    """Whether it is for the clients of its targets only."""
    addresses: list[str] | None = texts()
    """Addresses and networks that it may be used from; None: all."""
    last_address: str | None = text_()
    """Where it was last used from."""
    created_by: UUID | None


class ApiKeyTarget(Table, table=True):
    """Clients that a narrowed key is for. The table has no key, so the class borrows one."""

    __tablename__ = "api_key_targets"
    __table_args__ = (
        one_of("target_kind", "client", "group", "zone", "tags"),
        CheckConstraint(f"CASE target_kind {_ONE_TARGET}", name="api_key_targets_target"),
        Index("api_key_targets_key", "key_id"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"primary_key": ["key_id", "target_kind", "target", "tags"]}

    key_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("api_keys.id", ondelete="CASCADE"), nullable=False))
    target_kind: str = text_()
    target: str | None = text_()
    tags: list[str] | None = texts()


class AccessChange(Table, table=True):
    """That something changed by which a principal may reach fewer clients, or more; written by triggers."""

    __tablename__ = "access_changes"

    id: int | None = number()
    at: datetime = Field(sa_column_kwargs={"server_default": text("now()")})


class IdempotencyKey(Table, table=True):
    """A caller's key and the command that its first request made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_created", "created_at"),)

    principal_id: UUID = Field(primary_key=True)
    route: str = text_(primary_key=True)
    key: str = text_(primary_key=True)
    request_sha256: bytes = Field(sa_type=LargeBinary)
    command_id: UUID
    created_at: datetime

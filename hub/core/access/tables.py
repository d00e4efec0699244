"""Who asks, and with which key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field

from hub.database.tables import Table, one_of, text_


class Principal(Table, table=True):
    """Who may ask: a user or an integration."""

    __tablename__ = "principals"
    __table_args__ = (one_of("kind", "user", "integration"), one_of("role", "admin", "operator", "viewer"))

    id: UUID = Field(primary_key=True)
    kind: str = text_()
    name: str = text_(unique=True)
    role: str = text_()
    created_at: datetime
    disabled_at: datetime | None


class ApiKey(Table, table=True):
    """A key of a principal; only its hash is kept, and a prefix for people to tell keys apart."""

    __tablename__ = "api_keys"

    id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(foreign_key="principals.id")
    prefix: str = text_()
    sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


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

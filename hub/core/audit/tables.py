"""Records that only grow, and the outbox of changes for the broker."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE
from sqlmodel import Field

from hub.database.tables import Table, json_, number, one_of, text_


class AuditLog(Table, table=True):
    """Who did what. Appended without order, and never changed but to erase texts; the seals over it are beside it."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        Index("audit_logs_at", "at"),
        Index("audit_logs_principal", "principal_id", "id"),
        Index("audit_logs_resource", "resource", "resource_id", "id"),
    )

    id: int | None = number()
    at: datetime
    principal_id: UUID | None
    action: str = text_()
    resource: str = text_()
    resource_id: str | None = text_()
    address: str | None = text_()
    detail: dict[str, Any] | None = json_()
    seq: int | None = Field(sa_type=BigInteger, unique=True)
    """Never filled, like `hash`: a row that has one was not written by a hub."""
    hash: bytes | None = Field(sa_type=LargeBinary)
    salt: UUID | None = Field(sa_column_kwargs={"server_default": text("gen_random_uuid()")})
    """None: it was erased, or is from before there were salts and has no seal yet."""
    digest: bytes | None = Field(sa_type=LargeBinary)
    """What is left of address and detail once they are erased."""


class AuditSeal(Table, table=True):
    """A block of the chain of seals."""

    __tablename__ = "audit_seals"
    __table_args__ = (
        one_of("kind", "rows", "cut", "key", "restore", "break"),
        Index("audit_seals_kind", "kind", "number", postgresql_where=text("kind <> 'rows'")),
    )

    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str = text_()
    at: datetime
    ids: str = Field(sa_column=Column(INT8MULTIRANGE, nullable=False))
    high: int = Field(sa_type=BigInteger)
    rows: int
    rows_hash: bytes = Field(sa_type=LargeBinary)
    marks: bytes = Field(sa_type=LargeBinary)
    content: str | None = text_()
    previous: bytes = Field(sa_type=LargeBinary)
    kid: str = text_()
    hash: bytes = Field(sa_type=LargeBinary)
    signature: bytes = Field(sa_type=LargeBinary)


class AuditKey(Table, table=True):
    """The public half of a key that sealed or seals (`until` is None)."""

    __tablename__ = "audit_keys"
    __table_args__ = (
        Index("audit_keys_one", text("(until IS NULL)"), unique=True, postgresql_where=text("until IS NULL")),
    )

    kid: str = text_(primary_key=True)
    public_key: str = text_()
    since: datetime
    until: datetime | None


class SecurityEvent(Table, table=True):
    """What looks like an attack."""

    __tablename__ = "security_events"
    __table_args__ = (
        one_of("severity", "info", "warning", "critical"),
        Index("security_events_kind", "kind", "at"),
        Index("security_events_at", "at"),
        Index(
            "security_events_counted",
            "kind",
            text("coalesce(address, '')"),
            "counted_from",
            unique=True,
            postgresql_where=text("counted_from IS NOT NULL"),
        ),
    )

    id: int | None = number()
    at: datetime
    """When it was seen; of several, the last time."""
    kind: str = text_()
    client_id: str | None = text_()
    address: str | None = text_()
    detail: dict[str, Any] | None = json_()
    severity: str = text_(sa_column_kwargs={"server_default": text("'warning'")})
    principal_id: UUID | None
    number: int = Field(sa_column_kwargs={"server_default": text("1")})
    """How many this row stands for."""
    counted_from: datetime | None
    """The minute whose further events of this kind (and address) this row counts; None: a row of one event."""

"""Records that only grow, and the outbox of changes for the broker."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlmodel import Field

from hub.database.tables import Table, json_, number, one_of, text_


class AuditLog(Table, table=True):
    """Who did what. Appended without order; `seq` and `hash` are for the sealer to fill."""

    __tablename__ = "audit_logs"
    __table_args__ = (Index("audit_logs_at", "at"),)

    id: int | None = number()
    at: datetime
    principal_id: UUID | None
    action: str = text_()
    resource: str = text_()
    resource_id: str | None = text_()
    address: str | None = text_()
    detail: dict[str, Any] | None = json_()
    seq: int | None = Field(sa_type=BigInteger, unique=True)
    hash: bytes | None = Field(sa_type=LargeBinary)


class SecurityEvent(Table, table=True):
    """What looks like an attack."""

    __tablename__ = "security_events"
    __table_args__ = (
        one_of("severity", "info", "warning", "critical"),
        Index("security_events_kind", "kind", "at"),
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

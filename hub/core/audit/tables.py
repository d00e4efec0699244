"""Records that only grow, and the outbox of changes for the broker."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlmodel import Field

from hub.database.tables import Table, json_, number, text_


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

    id: int | None = number()
    at: datetime
    kind: str = text_()
    client_id: str | None = text_()
    address: str | None = text_()
    detail: dict[str, Any] | None = json_()

"""What the processes of the hub share about limits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field

from hub.database.tables import Table, text_, texts


class HubProcess(Table, table=True):
    """A process of the hub that lives, or did so a moment ago."""

    __tablename__ = "hub_processes"

    id: UUID = Field(primary_key=True)
    roles: list[str] = texts(nullable=False)
    started_at: datetime
    seen_at: datetime


class RequestNonce(Table, table=True):
    """A nonce that a principal has used; kept for as long as its request could be sent again."""

    __tablename__ = "request_nonces"
    __table_args__ = (Index("request_nonces_used", "used_at"),)

    principal_id: UUID = Field(primary_key=True)
    sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    used_at: datetime


class HubSetting(Table, table=True):
    """A setting that statements read, so that all processes go by the same."""

    __tablename__ = "hub_settings"

    name: str = text_(primary_key=True)
    value: str = text_()
    since: datetime

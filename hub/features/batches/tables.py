"""Batches."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, Index, text
from sqlmodel import Field

from hub.database.tables import Table, json_, one_of, text_


class Batch(Table, table=True):
    """The commands that one request fanned out. How far they are is counted from them."""

    __tablename__ = "batches"
    __table_args__ = (
        one_of("status", "running", "paused", "cancelled", "finished"),
        one_of("stop_reason", "requested", "max_failures"),
        CheckConstraint("max_failures >= 0"),
        CheckConstraint("per_minute > 0"),
        Index("batches_open", "id", postgresql_where=text("finished_at IS NULL")),
    )

    id: UUID = Field(primary_key=True)
    created_by: UUID
    created_at: datetime
    target: dict[str, Any] = json_(nullable=False)
    status: str = text_()
    total: int
    action: str | None = text_()
    """None: a list of different commands."""
    accepted: int = Field(sa_column_kwargs={"server_default": text("0")})
    rejected: int = Field(sa_column_kwargs={"server_default": text("0")})
    max_failures: int | None
    per_minute: float | None = Field(sa_type=Double)
    """Clients a minute of a staged rollout."""
    stop_reason: str | None = text_()
    paused_at: datetime | None
    finished_at: datetime | None

"""Requests that recur."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, JSON, CheckConstraint, Column, Index, UniqueConstraint, Uuid, text
from sqlmodel import Field

from hub.database.tables import Table, one_of, text_


class Schedule(Table, table=True):
    """A batch that is made again and again. Which batch came of which time stands in the audit log."""

    __tablename__ = "schedules"
    __table_args__ = (
        one_of("misfire", "skip", "once"),
        CheckConstraint("grace_s >= 0"),
        CheckConstraint("enabled OR next_at IS NULL"),
        UniqueConstraint("created_by", "name", name="schedules_created_by_name_key"),
        Index("schedules_next", "next_at", postgresql_where=text("next_at IS NOT NULL")),
    )

    id: UUID = Field(primary_key=True)
    name: str = text_()
    cron: str = text_()
    time_zone: str = text_()
    request: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    """As POST /api/batches takes it, to the letter: jsonb would write 1e300 out, and then nothing could send it."""
    document_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    """What the request names; clean-up leaves these alone."""
    misfire: str = text_()
    grace_s: int
    enabled: bool
    next_at: datetime | None
    """None: disabled, or it never comes again."""
    last_at: datetime | None
    """The latest time that was judged, whatever came of it."""
    last_batch_id: UUID | None
    last_error: str | None = text_()
    """Why nothing came of `last_at`; None: a batch did."""
    runs_as: UUID
    """Whose permissions count when it fires: who last said what it sends, or when."""
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    runs_by_key: UUID | None
    """The key that was shown then, if it was for some clients or actions only: it fires within that key's scope."""

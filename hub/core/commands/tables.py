"""Commands, their log, and what stands beside them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Double, Index, Integer, SmallInteger, Uuid, text
from sqlmodel import Field

from hub.database.tables import Table, client_id_, json_, number, one_of, text_, texts

_UNFINISHED = "status IN ('pending', 'queued', 'running')"
_OPEN_DEAD_LETTER = "dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL"


class Command(Table, table=True):
    """One action for one client, from submit to its end. Only the statements in `sql/` change it."""

    __tablename__ = "commands"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 10"),
        one_of(
            "status",
            "pending",
            "queued",
            "running",
            "completed",
            "failed",
            "cancelled",
            "expired",
            "rejected",
            "unknown",
        ),
        CheckConstraint("attempt >= 1"),
        CheckConstraint("max_retries BETWEEN 0 AND 100"),
        CheckConstraint("timeout_s > 0"),
        one_of("on_interrupt", "rerun", "unknown"),
        one_of("when_offline", "queue", "fail"),
        CheckConstraint(f"(finished_at IS NULL) = ({_UNFINISHED})"),
        CheckConstraint("(deadline_at IS NULL) = (status NOT IN ('pending', 'queued', 'running'))"),
        # Dispatch: what is due in a lane, best first; how full the windows are; what is to be sent again.
        Index(
            "commands_due",
            "client_id",
            "lane",
            text("priority DESC"),
            "id",
            postgresql_where=text("status = 'pending' AND NOT scheduled"),
        ),
        Index("commands_handed_out", "client_id", "lane", postgresql_where=text("status IN ('queued', 'running')")),
        Index(
            "commands_no_word",
            "client_id",
            postgresql_where=text(
                "status = 'unknown' AND unknown_reason = 'no_word' AND dead_letter_closed_at IS NULL"
            ),
        ),
        Index("commands_lease", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
        Index("commands_cancel_lease", "cancel_lease_until", postgresql_where=text("cancel_lease_until IS NOT NULL")),
        # Reaper.
        Index("commands_deadline", "deadline_at", postgresql_where=text("deadline_at IS NOT NULL")),
        Index("commands_scheduled", "not_before", postgresql_where=text("scheduled AND NOT on_hold")),
        Index(
            "commands_order_key",
            "client_id",
            "order_key",
            text("coalesce(order_place, id)"),
            postgresql_where=text(f"order_key IS NOT NULL AND ({_UNFINISHED} OR ({_OPEN_DEAD_LETTER}))"),
        ),
        # People.
        # For lists only, which say `attempt >= 1`: see migration 0007.
        Index("commands_client", "client_id", text("id DESC"), postgresql_where=text("attempt >= 1")),
        Index("commands_reference", "reference", text("id DESC"), postgresql_where=text("reference IS NOT NULL")),
        Index("commands_batch", "batch_id", "id", postgresql_where=text("batch_id IS NOT NULL")),
        # Batches: what one waits for, and what of it went wrong.
        Index(
            "commands_batch_open",
            "batch_id",
            "id",
            postgresql_where=text(f"batch_id IS NOT NULL AND {_UNFINISHED}"),
        ),
        Index(
            "commands_batch_failed",
            "batch_id",
            postgresql_where=text("batch_id IS NOT NULL AND status IN ('failed', 'unknown')"),
        ),
        Index("commands_replay_of", "replay_of", unique=True, postgresql_where=text("replay_of IS NOT NULL")),
        # Which clients and actions a document was for: who may read those may read it.
        Index(
            "commands_document",
            text("(document_ids[1])"),
            "client_id",
            "action",
            postgresql_where=text("document_ids <> '{}' AND status <> 'rejected'"),
        ),
        CheckConstraint("cardinality(document_ids) <= 1", name="commands_one_document"),
        # What waits for a person.
        Index("commands_dead_letters", "id", postgresql_where=text(_OPEN_DEAD_LETTER)),
        Index("commands_dead_letters_client", "client_id", "id", postgresql_where=text(_OPEN_DEAD_LETTER)),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: UUID = Field(primary_key=True)
    client_id: str = client_id_()
    batch_id: UUID | None
    action: str = text_()
    lane: str = text_()
    payload: dict[str, Any] = json_(nullable=False)
    document_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    priority: int = Field(sa_type=SmallInteger)
    status: str = text_()
    version: int
    attempt: int
    max_retries: int
    not_before: datetime | None
    scheduled: bool
    """True while `not_before` lies ahead, or while it is held back: out of the index that dispatch reads."""
    expires_at: datetime
    timeout_s: float = Field(sa_type=Double)
    on_interrupt: str = text_()
    order_key: str | None = text_()
    when_offline: str = text_()
    reference: str | None = text_()
    tags: list[str] = texts(nullable=False)
    estimated_duration_s: float | None = Field(sa_type=Double)
    traceparent: str | None = text_()
    created_by: UUID
    created_at: datetime
    queued_at: datetime | None
    journal: str | None = text_()
    sent_at: datetime | None
    sends: int
    lease_until: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    held_reasons: list[str] | None = texts()
    finished_at: datetime | None
    deadline_at: datetime | None
    cancel_requested_at: datetime | None
    cancel_id: UUID | None
    cancel_lease_until: datetime | None
    cancel_sends: int
    progress: dict[str, Any] | None = json_()
    result: dict[str, Any] | None = json_()
    error: dict[str, Any] | None = json_()
    unknown_reason: str | None = text_()
    dead_letter_reason: str | None = text_()
    dead_letter_closed_at: datetime | None
    dead_letter_closed_by: str | None = text_()
    replay_of: UUID | None
    on_hold: bool = Field(sa_column_kwargs={"server_default": text("false")})
    """Its batch is paused or stopped, or it is withheld: a time that comes does not let it in."""
    order_place: UUID | None
    """A replay's place among those of its order key: the id of what was replayed first. NULL: its own id."""
    back_off: dict[str, Any] | None = json_()
    """first_delay_s, factor, cap_s of its further attempts. NULL: the hub's own."""
    goodbye_at: datetime | None
    """A `shutdown` that is with its client: since when that is gone by its own good-bye."""
    withheld_at: datetime | None
    """Since when it is held back because its principal may not send it any more."""


class CommandLog(Table, table=True):
    """One change of a command, unique by its version. Without a foreign key, which the hottest insert would pay for."""

    __tablename__ = "command_logs"

    command_id: UUID = Field(primary_key=True)
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime
    event: str = text_()
    status: str = text_()
    attempt: int
    report_id: UUID | None
    detail: dict[str, Any] | None = json_()


class QuarantinedReport(Table, table=True):
    """A report that could not be used, with the reason."""

    __tablename__ = "report_quarantine"
    __table_args__ = (Index("report_quarantine_at", "at"),)

    id: int | None = number()
    client_id: str = text_()
    report_id: UUID | None
    command_id: UUID | None
    at: datetime
    reason: str = text_()
    report: str = text_()


class Restore(Table, table=True):
    """A restore of the database; `compared`: with the database of before, so that it knows what happened since."""

    __tablename__ = "restores"

    at: datetime = Field(primary_key=True)
    compared: bool


class ActionPolicy(Table, table=True):
    """The defaults of an action; NULL: the hub's own."""

    __tablename__ = "action_policies"
    __table_args__ = (
        CheckConstraint("max_retries BETWEEN 0 AND 100"),
        CheckConstraint("first_delay_s > 0"),
        CheckConstraint("factor >= 1"),
        CheckConstraint("cap_s > 0"),
        CheckConstraint("timeout_s > 0"),
        CheckConstraint("expires_in_s > 0"),
    )

    action: str = text_(primary_key=True)
    max_retries: int | None
    first_delay_s: float | None = Field(sa_type=Double)
    factor: float | None = Field(sa_type=Double)
    cap_s: float | None = Field(sa_type=Double)
    timeout_s: float | None = Field(sa_type=Double)
    expires_in_s: float | None = Field(sa_type=Double)
    updated_at: datetime
    updated_by: UUID

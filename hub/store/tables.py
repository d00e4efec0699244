"""Every table as a class, for migrations to be compared with and for reads that are not hot.

The migrations make the tables; a test holds these classes against what they made, down to checks and indexes. Two
things exist in migrations alone: the function `floorhub_now` and the storage of `document_chunks.bytes`. The classes
never leave the store: they do not validate (SQLModel checks nothing on `table=True`), and rows that change hot tables
are written by the statements in `sql/` only.

States are text with a CHECK, not native enums, whose values could never be removed again.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

#: The names that Postgres gives by itself, so that a step written by hand and a generated one agree.
_NAMES = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_name)s_key",
    "fk": "%(table_name)s_%(column_0_name)s_fkey",
}
_UPDATED_OFTEN = {"postgresql_with": {"fillfactor": 50}}

metadata = MetaData(naming_convention=_NAMES)


class _Table(SQLModel, registry=registry(metadata=metadata)):
    """What the tables share: their metadata."""


def _text(**options: Any) -> Any:
    """Text without a length: Postgres stores it the same, and a limit belongs where input is judged."""
    return Field(sa_type=Text, **options)


def _texts(**options: Any) -> Any:
    return Field(sa_column=Column(ARRAY(Text), **options))


def _json(**options: Any) -> Any:
    """None is NULL, not JSON's null."""
    return Field(sa_column=Column(JSONB(none_as_null=True), **options))


def _client_id(*, primary_key: bool = False) -> Any:
    return Field(sa_column=Column(Text, ForeignKey("clients.id"), primary_key=primary_key, nullable=False))


def _number() -> Any:
    """A primary key that Postgres counts up; never given by us."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True))


def _one_of(column: str, *values: str) -> CheckConstraint:
    """The CHECK of a closed set."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})")


# --- who asks ------------------------------------------------------------------------------------------------


class Principal(_Table, table=True):
    """Who may ask: a user or an integration."""

    __tablename__ = "principals"
    __table_args__ = (_one_of("kind", "user", "integration"), _one_of("role", "admin", "operator", "viewer"))

    id: UUID = Field(primary_key=True)
    kind: str = _text()
    name: str = _text(unique=True)
    role: str = _text()
    created_at: datetime
    disabled_at: datetime | None


class ApiKey(_Table, table=True):
    """A key of a principal; only its hash is kept, and a prefix for people to tell keys apart."""

    __tablename__ = "api_keys"

    id: UUID = Field(primary_key=True)
    principal_id: UUID = Field(foreign_key="principals.id")
    prefix: str = _text()
    sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


# --- clients -------------------------------------------------------------------------------------------------


class Client(_Table, table=True):
    """A machine under control."""

    __tablename__ = "clients"
    __table_args__ = (
        CheckConstraint(r"id ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND id !~ '\n'"),
        _one_of("kind", "printer_pc", "pda", "kiosk", "other"),
        _one_of("status", "active", "disabled", "retired"),
        Index("clients_zone", "zone", postgresql_where=text("zone IS NOT NULL")),
        Index("clients_tags", "tags", postgresql_using="gin"),
    )

    id: str = _text(primary_key=True)
    name: str = _text()
    kind: str = _text()
    status: str = _text()
    zone: str | None = _text()
    tags: list[str] = _texts(nullable=False)
    # `metadata` is SQLAlchemy's own attribute.
    metadata_: dict[str, Any] = _json(name="metadata", nullable=False)
    secret_sha256: bytes = Field(sa_type=LargeBinary)
    mqtt_password: str = _text()
    mqtt_salt: str = _text()
    mqtt_iterations: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


class ClientPermissions(_Table, table=True):
    """What a client may be asked to do, and how often; no list of actions means every one its agent offers."""

    __tablename__ = "client_permissions"
    __table_args__ = (CheckConstraint("rate_limit >= 0"), CheckConstraint("max_commands_per_day >= 0"))

    client_id: str = _client_id(primary_key=True)
    allowed_actions: list[str] | None = _texts()
    rate_limit: int
    max_commands_per_day: int
    updated_at: datetime


class ClientUsage(_Table, table=True):
    """Counters that submit takes from; they count for `day` (UTC) and `minute` only."""

    __tablename__ = "client_usage"
    __table_args__ = (_UPDATED_OFTEN,)

    client_id: str = _client_id(primary_key=True)
    day: date
    day_used: int
    minute: datetime
    minute_used: int


class ClientSession(_Table, table=True):
    """Evidence of presence, the journal's identity, and what the agent last said of itself."""

    __tablename__ = "client_sessions"
    __table_args__ = (
        _one_of("presence", "online", "offline", "unknown"),
        _one_of("level", "basic", "full"),
        _UPDATED_OFTEN,
    )

    client_id: str = _client_id(primary_key=True)
    presence: str = _text()
    presence_reason: str = _text()
    presence_since: datetime | None
    heard_at: datetime | None
    level: str = _text()
    session: str | None = _text()
    connection: int
    journal: str | None = _text()
    epoch_issued: int = Field(sa_type=BigInteger)
    epoch_confirmed: int = Field(sa_type=BigInteger)
    keep_away: str | None = _text()
    agent_name: str | None = _text()
    agent_version: str | None = _text()
    clock_skew_s: float | None = Field(sa_type=Double)
    state: dict[str, Any] | None = _json()
    state_at: datetime | None


class ClientDispatch(_Table, table=True):
    """A row to lock for the dispatcher, so that no heartbeat and no submit makes it skip a client."""

    __tablename__ = "client_dispatch"

    client_id: str = _client_id(primary_key=True)


class ClientLane(_Table, table=True):
    """What can do one thing at a time on a client, and how many commands were claimed for it."""

    __tablename__ = "client_lanes"
    __table_args__ = (_UPDATED_OFTEN,)

    client_id: str = _text(primary_key=True)
    lane: str = _text(primary_key=True)
    claims: int = Field(sa_type=BigInteger)


class ClientStatusChange(_Table, table=True):
    """A change of presence. The table has no key, so the class borrows one that identifies well enough to read."""

    __tablename__ = "client_status_history"
    __table_args__ = (Index("client_status_history_client", "client_id", text("at DESC")),)
    __mapper_args__ = {"primary_key": ["client_id", "at", "presence"]}

    client_id: str = _text()
    at: datetime
    presence: str = _text()
    reason: str = _text()
    session: str | None = _text()
    connection: int | None


# --- commands ------------------------------------------------------------------------------------------------


class Batch(_Table, table=True):
    """The commands that one request fanned out."""

    __tablename__ = "batches"
    __table_args__ = (_one_of("status", "running", "paused", "cancelled", "finished"),)

    id: UUID = Field(primary_key=True)
    created_by: UUID
    created_at: datetime
    target: dict[str, Any] = _json(nullable=False)
    status: str = _text()
    total: int


class Document(_Table, table=True):
    """What a command prints or shows; never changed, so that its hash says everything."""

    __tablename__ = "documents"
    __table_args__ = (Index("documents_sha256", "sha256"),)

    id: UUID = Field(primary_key=True)
    sha256: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    content_type: str = _text()
    filename: str | None = _text()
    created_by: UUID
    created_at: datetime


class DocumentChunk(_Table, table=True):
    """A part of a document. Written before the document's row, hence the deferred reference."""

    __tablename__ = "document_chunks"

    document_id: UUID = Field(
        sa_column=Column(
            Uuid,
            ForeignKey("documents.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED"),
            primary_key=True,
        )
    )
    position: int = Field(primary_key=True)
    # `bytes` would hide the type.
    content: bytes = Field(sa_column=Column("bytes", LargeBinary, nullable=False))


_UNFINISHED = "status IN ('pending', 'queued', 'running')"
_OPEN_DEAD_LETTER = "dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL"


class Command(_Table, table=True):
    """One action for one client, from submit to its end. Only the statements in `sql/` change it."""

    __tablename__ = "commands"
    __table_args__ = (
        CheckConstraint("priority BETWEEN 1 AND 10"),
        _one_of(
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
        _one_of("on_interrupt", "rerun", "unknown"),
        _one_of("when_offline", "queue", "fail"),
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
        Index("commands_scheduled", "not_before", postgresql_where=text("scheduled")),
        Index(
            "commands_order_key",
            "client_id",
            "order_key",
            "id",
            postgresql_where=text(f"order_key IS NOT NULL AND ({_UNFINISHED} OR ({_OPEN_DEAD_LETTER}))"),
        ),
        # People.
        Index("commands_client", "client_id", text("id DESC")),
        Index("commands_reference", "reference", text("id DESC"), postgresql_where=text("reference IS NOT NULL")),
        Index("commands_batch", "batch_id", "id", postgresql_where=text("batch_id IS NOT NULL")),
        Index("commands_dead_letters", "id", postgresql_where=text(_OPEN_DEAD_LETTER)),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: UUID = Field(primary_key=True)
    client_id: str = _client_id()
    batch_id: UUID | None
    action: str = _text()
    lane: str = _text()
    payload: dict[str, Any] = _json(nullable=False)
    document_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False))
    priority: int = Field(sa_type=SmallInteger)
    status: str = _text()
    version: int
    attempt: int
    max_retries: int
    not_before: datetime | None
    scheduled: bool
    """True while `not_before` lies ahead."""
    expires_at: datetime
    timeout_s: float = Field(sa_type=Double)
    on_interrupt: str = _text()
    order_key: str | None = _text()
    when_offline: str = _text()
    reference: str | None = _text()
    tags: list[str] = _texts(nullable=False)
    estimated_duration_s: float | None = Field(sa_type=Double)
    traceparent: str | None = _text()
    created_by: UUID
    created_at: datetime
    queued_at: datetime | None
    journal: str | None = _text()
    sent_at: datetime | None
    sends: int
    lease_until: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    held_reasons: list[str] | None = _texts()
    finished_at: datetime | None
    deadline_at: datetime | None
    cancel_requested_at: datetime | None
    cancel_id: UUID | None
    cancel_lease_until: datetime | None
    cancel_sends: int
    progress: dict[str, Any] | None = _json()
    result: dict[str, Any] | None = _json()
    error: dict[str, Any] | None = _json()
    unknown_reason: str | None = _text()
    dead_letter_reason: str | None = _text()
    dead_letter_closed_at: datetime | None
    dead_letter_closed_by: str | None = _text()
    replay_of: UUID | None = Field(unique=True)


class Upload(_Table, table=True):
    """A one-time path by which a client uploads what a command brought, and the document that came of it."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index("uploads_command", "command_id"),
        Index("uploads_document", "document_id", postgresql_where=text("document_id IS NOT NULL")),
    )

    token_sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    client_id: str = _client_id()
    command_id: UUID = Field(sa_column=Column(Uuid, ForeignKey("commands.id", ondelete="CASCADE"), nullable=False))
    created_at: datetime
    used_at: datetime | None
    document_id: UUID | None = Field(sa_column=Column(Uuid, ForeignKey("documents.id", ondelete="SET NULL")))


class CommandLog(_Table, table=True):
    """One change of a command, unique by its version. Without a foreign key, which the hottest insert would pay for."""

    __tablename__ = "command_logs"

    command_id: UUID = Field(primary_key=True)
    version: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime
    event: str = _text()
    status: str = _text()
    attempt: int
    report_id: UUID | None
    detail: dict[str, Any] | None = _json()


class QuarantinedReport(_Table, table=True):
    """A report that could not be used, with the reason."""

    __tablename__ = "report_quarantine"
    __table_args__ = (Index("report_quarantine_at", "at"),)

    id: int | None = _number()
    client_id: str = _text()
    report_id: UUID | None
    command_id: UUID | None
    at: datetime
    reason: str = _text()
    report: str = _text()


class IdempotencyKey(_Table, table=True):
    """A caller's key and the command that its first request made."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_created", "created_at"),)

    principal_id: UUID = Field(primary_key=True)
    route: str = _text(primary_key=True)
    key: str = _text(primary_key=True)
    request_sha256: bytes = Field(sa_type=LargeBinary)
    command_id: UUID
    created_at: datetime


# --- records and outboxes ------------------------------------------------------------------------------------


class AuditLog(_Table, table=True):
    """Who did what. Appended without order; `seq` and `hash` are for the sealer to fill."""

    __tablename__ = "audit_logs"
    __table_args__ = (Index("audit_logs_at", "at"),)

    id: int | None = _number()
    at: datetime
    principal_id: UUID | None
    action: str = _text()
    resource: str = _text()
    resource_id: str | None = _text()
    address: str | None = _text()
    detail: dict[str, Any] | None = _json()
    seq: int | None = Field(sa_type=BigInteger, unique=True)
    hash: bytes | None = Field(sa_type=LargeBinary)


class SecurityEvent(_Table, table=True):
    """What looks like an attack."""

    __tablename__ = "security_events"

    id: int | None = _number()
    at: datetime
    kind: str = _text()
    client_id: str | None = _text()
    address: str | None = _text()
    detail: dict[str, Any] | None = _json()


class BrokerChange(_Table, table=True):
    """A change that the broker has yet to learn, in order. The sealed secret is emptied when the broker has it."""

    __tablename__ = "broker_outbox"
    __table_args__ = (
        _one_of("change", "put", "disable", "remove"),
        Index("broker_outbox_open", "id", postgresql_where=text("done_at IS NULL")),
    )

    id: int | None = _number()
    at: datetime
    client_id: str = _text()
    change: str = _text()
    sealed_secret: bytes | None = Field(sa_type=LargeBinary)
    done_at: datetime | None
    error: str | None = _text()

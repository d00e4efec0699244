"""Clients, what they may do, and what they last said of themselves."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    text,
)
from sqlmodel import Field

from hub.database.tables import UPDATED_OFTEN, Table, client_id_, json_, one_of, text_, texts


class Client(Table, table=True):
    """A machine under control."""

    __tablename__ = "clients"
    __table_args__ = (
        CheckConstraint(r"id ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND id !~ '\n'"),
        one_of("kind", "printer_pc", "pda", "kiosk", "screen", "other"),
        one_of("status", "active", "disabled", "retired"),
        Index("clients_zone", "zone", postgresql_where=text("zone IS NOT NULL")),
        Index("clients_tags", "tags", postgresql_using="gin"),
        Index("clients_secret", "secret_sha256"),
    )

    id: str = text_(primary_key=True)
    name: str = text_()
    kind: str = text_()
    status: str = text_()
    zone: str | None = text_()
    tags: list[str] = texts(nullable=False)
    # `metadata` is SQLAlchemy's own attribute.
    metadata_: dict[str, Any] = json_(name="metadata", nullable=False)
    secret_sha256: bytes = Field(sa_type=LargeBinary)
    mqtt_password: str = text_()
    mqtt_salt: str = text_()
    mqtt_iterations: int
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


class ClientGroup(Table, table=True):
    """A set of clients that someone put together by hand; a client may be in many."""

    __tablename__ = "client_groups"
    __table_args__ = (CheckConstraint(r"id ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND id !~ '\n'"),)

    id: str = text_(primary_key=True)
    name: str = text_()
    created_at: datetime
    updated_at: datetime


class ClientGroupMember(Table, table=True):
    """That a client is in a group."""

    __tablename__ = "client_group_members"
    __table_args__ = (Index("client_group_members_client", "client_id"),)

    group_id: str = Field(
        sa_column=Column(Text, ForeignKey("client_groups.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )
    client_id: str = Field(
        sa_column=Column(Text, ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True, nullable=False)
    )


class ClientPermissions(Table, table=True):
    """What a client may be asked to do, and how often; no list of actions means every one its agent offers."""

    __tablename__ = "client_permissions"
    __table_args__ = (CheckConstraint("rate_limit >= 0"), CheckConstraint("max_commands_per_day >= 0"))

    client_id: str = client_id_(primary_key=True)
    allowed_actions: list[str] | None = texts()
    rate_limit: int
    max_commands_per_day: int
    updated_at: datetime


class ClientUsage(Table, table=True):
    """Counters that submit takes from; they count for `day` (of the limits' time zone) and `minute` only."""

    __tablename__ = "client_usage"
    __table_args__ = (UPDATED_OFTEN,)

    client_id: str = client_id_(primary_key=True)
    day: date
    day_used: int
    minute: datetime
    minute_used: int
    day_refused: int = Field(sa_column_kwargs={"server_default": text("0")})
    """Refused on `refused_day` because the day's limit was used up; takes nothing of it."""
    refused_day: date | None
    suspicious_day: date | None
    """The last day on which a security event said that far too much was asked."""


class ClientSession(Table, table=True):
    """Evidence of presence, the journal's identity, and what the agent last said of itself."""

    __tablename__ = "client_sessions"
    __table_args__ = (
        one_of("presence", "online", "offline", "unknown"),
        one_of("level", "basic", "full"),
        UPDATED_OFTEN,
    )

    client_id: str = client_id_(primary_key=True)
    presence: str = text_()
    presence_reason: str = text_()
    presence_since: datetime | None
    heard_at: datetime | None
    level: str = text_()
    session: str | None = text_()
    connection: int
    journal: str | None = text_()
    epoch_issued: int = Field(sa_type=BigInteger)
    epoch_confirmed: int = Field(sa_type=BigInteger)
    keep_away: str | None = text_()
    agent_name: str | None = text_()
    agent_version: str | None = text_()
    clock_skew_s: float | None = Field(sa_type=Double)
    state: dict[str, Any] | None = json_()
    state_at: datetime | None
    # The highest mark heard of the present journal; a lower one tells an older copy of it.
    journal_mark: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    # New identities for sessions that have yet to prove that they live.
    offers: list[dict[str, Any]] = json_(nullable=False, server_default=text("'[]'"))
    # Only what was issued after this epoch counts when two machines are told apart.
    watched_from: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    # Of the machine, as the present session's birth told it.
    boot: str | None = text_()
    # The first epoch that the present journal was offered with: until one is confirmed, nobody knows whether it exists.
    journal_epoch: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


class ClientDispatch(Table, table=True):
    """A row to lock for the dispatcher, so that no heartbeat and no submit makes it skip a client."""

    __tablename__ = "client_dispatch"

    client_id: str = client_id_(primary_key=True)


class ClientLane(Table, table=True):
    """What can do one thing at a time on a client, and how many commands were claimed for it."""

    __tablename__ = "client_lanes"
    __table_args__ = (UPDATED_OFTEN,)

    client_id: str = text_(primary_key=True)
    lane: str = text_(primary_key=True)
    claims: int = Field(sa_type=BigInteger)


class ClientStatusChange(Table, table=True):
    """A change of presence. The table has no key, so the class borrows one that identifies well enough to read."""

    __tablename__ = "client_status_history"
    __table_args__ = (
        Index("client_status_history_client", "client_id", text("at DESC")),
        Index("client_status_history_at", "at"),
    )
    __mapper_args__: ClassVar[dict[str, Any]] = {"primary_key": ["client_id", "at", "presence"]}

    client_id: str = text_()
    at: datetime
    presence: str = text_()
    reason: str = text_()
    session: str | None = text_()
    connection: int | None
    epoch_shown: int | None = Field(sa_type=BigInteger)
    epoch_issued: int | None = Field(sa_type=BigInteger)


class Pairing(Table, table=True):
    """A one-time code: what connects one machine as one client. The client may not be there yet."""

    __tablename__ = "pairings"
    __table_args__ = (
        one_of("ended_by", "revoked", "refused", "tries", "superseded"),
        Index("pairings_client", "client_id"),
        Index("pairings_expires", "expires_at"),
    )

    id: UUID = Field(primary_key=True)
    code_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    """By a key outside the database: a code has 40 bits, which anybody could try."""
    stretched_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    """The same of the form in which who does not know the hub sends it."""
    token_sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    client_id: str = text_()
    replaces: bool
    """The client is there: another machine becomes it."""
    name: str | None = text_()
    kind: str | None = text_()
    zone: str | None = text_()
    tags: list[str] = texts(nullable=False)
    groups: list[str] = texts(nullable=False)
    policy: dict[str, Any] = json_(nullable=False)
    """`allowed_actions`, `rate_limit`, `max_commands_per_day`."""
    created_by: UUID = Field(foreign_key="principals.id")
    created_by_key: UUID | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    ended_by: str | None = text_()
    """Why it is good no more, with `revoked_at`."""
    tries: int
    """Requests that had the code and were refused."""
    public_key: str | None = text_()
    """Of the machine that came first."""
    proved_at: datetime | None
    """The moment in its last proof, by its own clock: each proof is good once."""
    agent: dict[str, Any] | None = json_()
    address: str | None = text_()
    commitment: str | None = text_()
    nonce: str | None = text_()
    opening: str | None = text_()
    number: str | None = text_()
    """What both sides show."""
    confirmed_at: datetime | None
    confirmed_by: UUID | None
    used_at: datetime | None


class Enrolment(Table, table=True):
    """A token that connects many machines, each as a client of its own."""

    __tablename__ = "enrolments"
    __table_args__ = (Index("enrolments_expires", "expires_at"),)

    id: UUID = Field(primary_key=True)
    token_sha256: bytes = Field(sa_type=LargeBinary, unique=True)
    name: str = text_()
    naming: str = text_()
    """The ids of its clients, with `{n}` or `{host}`."""
    kind: str | None = text_()
    zone: str | None = text_()
    tags: list[str] = texts(nullable=False)
    groups: list[str] = texts(nullable=False)
    policy: dict[str, Any] = json_(nullable=False)
    created_by: UUID = Field(foreign_key="principals.id")
    created_by_key: UUID | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    most: int
    used: int


class ClientKey(Table, table=True):
    """A key that a machine made for itself. One that is revoked was replaced by that of another machine."""

    __tablename__ = "client_keys"
    __table_args__ = (
        Index("client_keys_enrolment", "enrolment_id", postgresql_where=text("enrolment_id IS NOT NULL")),
    )

    client_id: str = client_id_(primary_key=True)
    kid: str = text_(primary_key=True)
    public_key: str = text_()
    created_at: datetime
    revoked_at: datetime | None
    pairing_id: UUID | None
    enrolment_id: UUID | None
    proved_at: datetime | None
    """As that of a pairing."""

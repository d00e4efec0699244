"""The shapes of HTTP bodies. snake_case; camelCase is accepted, too. Unknown fields are refused by name."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

from hub.core.commands.rules.policies import BackOff

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["press-1"])]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
ActionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", examples=["print"])]


def _within_reason(moment: datetime) -> datetime:
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"give a time between the years {FIRST_YEAR} and {LAST_YEAR}")
    # Offsets up to a day are valid ISO 8601, and beyond what Postgres reads.
    return moment.astimezone(UTC)


FIRST_YEAR, LAST_YEAR = 2000, 2200
"""Postgres stores times that no JSON library reads any more; one of them would break every list it stands in."""
Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]


class Input(BaseModel):
    """What callers send."""

    model_config = ConfigDict(
        extra="forbid",
        alias_generator=AliasGenerator(validation_alias=lambda name: AliasChoices(name, to_camel(name))),
        populate_by_name=True,
        allow_inf_nan=False,
    )


class BackOffInput(Input):
    """How long to wait before further attempts. What is left out is as the action's policy, or else the hub, has it."""

    first_delay_s: float | None = Field(None, ge=0.1, le=3_600, description="Before the second attempt; default 1.")
    factor: float | None = Field(None, ge=1, le=10, description="Each wait is so many times the one before; default 2.")
    cap_s: float | None = Field(None, ge=0.1, le=86_400, description="No wait is longer; default 32.")

    @model_validator(mode="after")
    def _cap_after_first(self) -> Self:
        if self.first_delay_s is not None and self.cap_s is not None and self.cap_s < self.first_delay_s:
            raise ValueError("cap_s must not be less than first_delay_s")
        return self

    def back_off(self) -> BackOff:
        """As the services take it."""
        return BackOff(first_delay_s=self.first_delay_s, factor=self.factor, cap_s=self.cap_s)


class BackOffOutput(BaseModel):
    """How long a command waits before further attempts: half to all of each step, at random."""

    first_delay_s: float
    factor: float
    cap_s: float


class CommandFields(Input):
    """A command, whoever it is for."""

    action: ActionName
    payload: dict[str, Any] = Field(
        default_factory=dict,
        description="What the action needs. print: printer, document (an uploaded one's id, or {url}), copies, sides.",
        examples=[{"printer": "office", "document": "0193b3c0-0000-7000-8000-000000000000", "copies": 2}],
    )
    priority: int = Field(5, ge=1, le=10, description="10 goes first; 9 and 10 overtake a full window.")
    max_retries: int | None = Field(
        None,
        ge=0,
        le=100,
        description="Further attempts after failures that certainly had no effect; default: the action's policy, or 3.",
    )
    back_off: BackOffInput | None = Field(None, description="Waits before them; default: the action's policy.")
    not_before: Moment | None = Field(None, description="Do not hand it out earlier.")
    expires_at: Moment | None = Field(
        None, description="Until when the effect may begin; default: the action's policy, or in 1 h."
    )
    expires_in_s: float | None = Field(
        None, gt=0, le=2_592_000, description="The same, counted from not_before or else from now."
    )
    timeout_s: float | None = Field(
        None, gt=0, le=86_400, description="How long the run may take; default: the action's policy, or 300."
    )
    on_interrupt: Literal["rerun", "unknown"] = Field(
        "unknown",
        description="After a crash in the middle: run again (twice does no harm), or evidence and else unknown.",
    )
    order_key: str | None = Field(None, min_length=1, max_length=200, description="Commands of a key run in order.")
    when_offline: Literal["queue", "fail"] = Field("queue", description="Wait for an absent client, or refuse.")
    reference: str | None = Field(None, min_length=1, max_length=200, description="Your order number; searchable.")
    tags: list[Tag] = Field(default_factory=list, max_length=20)
    estimated_duration_s: float | None = Field(None, ge=0, le=604_800)

    def wanted(self) -> dict[str, Any]:
        """The fields as the services take them."""
        back_off = None if self.back_off is None else self.back_off.back_off()
        return {**self.__dict__, "tags": tuple(self.tags), "back_off": back_off}

    @model_validator(mode="after")
    def _one_expiry(self) -> Self:
        if self.expires_at is not None and self.expires_in_s is not None:
            raise ValueError("give either expires_at or expires_in_s, not both")
        return self


class CommandInput(CommandFields):
    """A command for one client."""

    client_id: Slug


class ErrorOutput(BaseModel):
    """Why a command did not complete."""

    code: str
    message: str = ""
    retryable: bool = False


class CommandOutput(BaseModel):
    """A command as it stands now."""

    id: UUID
    client_id: str
    action: str
    lane: str = Field(description="What can do one thing at a time on the client, such as printer:office.")
    payload: dict[str, Any]
    priority: int
    status: Literal[
        "pending", "queued", "running", "completed", "failed", "cancelled", "expired", "rejected", "unknown"
    ] = Field(description="unknown: the effect may or may not have happened; see result.data.evidence.")
    version: int = Field(description="Counts the changes; one row in the log each.")
    attempt: int
    max_retries: int
    back_off: BackOffOutput | None = Field(None, description="null: 1, 2, 4 ... 32 s.")
    created_at: datetime
    not_before: datetime | None = None
    expires_at: datetime
    timeout_s: float
    on_interrupt: str
    order_key: str | None = None
    when_offline: str
    reference: str | None = None
    tags: list[str]
    estimated_duration_s: float | None = None
    queued_at: datetime | None = Field(None, description="Handed out in its current attempt.")
    sent_at: datetime | None = Field(None, description="The broker acknowledged it; proves nothing.")
    accepted_at: datetime | None = Field(None, description="The agent has it in its journal.")
    started_at: datetime | None = Field(
        None, description="The hub heard that its run began. Null with an end that overtook this on another process."
    )
    held_reasons: list[str] | None = Field(None, description="What the running command waits for, such as media-empty.")
    finished_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    progress: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    error: ErrorOutput | None = None
    unknown_reason: str | None = None
    dead_letter_reason: str | None = Field(None, description="Why it waits for a person, or waited.")
    dead_letter_closed_at: datetime | None = None
    dead_letter_closed_by: str | None = Field(None, description="late_answer, replayed, dismissed or decided.")
    replay_of: UUID | None = None
    replayed_by: UUID | None = Field(None, description="The command that replays this one.")
    batch_id: UUID | None = None


class CommandPage(BaseModel):
    """Commands, newest first."""

    items: list[CommandOutput]
    next_cursor: str | None = Field(None, description="Pass as `cursor` for the next page; null at the end.")


class LogEntry(BaseModel):
    """One change of a command."""

    version: int
    at: datetime
    event: str
    status: str
    attempt: int
    detail: dict[str, Any] | None = None


class CommandLogs(BaseModel):
    """Every change of a command, oldest first."""

    command_id: UUID
    items: list[LogEntry]


ClientKind = Literal["printer_pc", "pda", "kiosk", "other"]


class ClientInput(Input):
    """A client to be registered."""

    id: Slug = Field(description="Chosen once, never reused: MQTT user name, client id and topic segment.")
    name: str | None = Field(None, min_length=1, max_length=200)
    kind: ClientKind = "other"
    zone: str | None = Field(None, min_length=1, max_length=100)
    tags: list[Tag] = Field(default_factory=list, max_length=50)
    metadata: dict[str, Any] = Field(default_factory=dict)
    allowed_actions: list[ActionName] | None = Field(
        None, max_length=100, description="null: every action that its agent offers."
    )
    rate_limit: int = Field(60, ge=0, le=1_000_000, description="Commands a minute.")
    max_commands_per_day: int = Field(1_000, ge=0, le=100_000_000, description="A day is a UTC day.")


class ClientChange(Input):
    """What to change; a field that is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    kind: ClientKind | None = None
    zone: str | None = Field(None, min_length=1, max_length=100)
    tags: list[Tag] | None = Field(None, max_length=50)
    metadata: dict[str, Any] | None = None
    allowed_actions: list[ActionName] | None = Field(None, max_length=100)
    rate_limit: int | None = Field(None, ge=0, le=1_000_000)
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000)

    @model_validator(mode="after")
    def _not_null(self) -> "ClientChange":
        for name in ("name", "kind", "tags", "metadata", "rate_limit", "max_commands_per_day"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null: leave it out to keep it")
        return self


class ClientOutput(BaseModel):
    """A client as it stands now."""

    id: str
    name: str
    kind: str
    status: Literal["active", "disabled", "retired"]
    zone: str | None
    tags: list[str]
    groups: list[str] = Field(description="Ids of the groups that it is in.")
    metadata: dict[str, Any]
    allowed_actions: list[str] | None
    rate_limit: int
    max_commands_per_day: int
    presence: Literal["online", "offline", "unknown"]
    presence_reason: str
    presence_since: datetime | None
    heard_at: datetime | None = Field(description="When it last proved to be alive.")
    level: str
    agent_name: str | None
    agent_version: str | None
    clock_skew_s: float | None
    keep_away: str | None = Field(
        description="Why nothing is dispatched to it: two machines use its identity, until a person releases it."
    )
    state: dict[str, Any] | None = Field(description="What it last said of itself: capabilities, printers, displays.")
    state_at: datetime | None
    handed_out: int = Field(description="Commands that it holds.")
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None


class NewClientOutput(ClientOutput):
    """A client that was just registered."""

    secret: str = Field(description="Shown this once; it opens the broker and the client's own things over HTTP.")
    root_key: str = Field(description="The hub's root key, to be pinned in the agent's configuration.")
    broker_ready: bool = Field(description="False: the broker does not answer yet and will learn of it by itself.")


class ClientPage(BaseModel):
    """Clients in order of their ids."""

    items: list[ClientOutput]
    next_cursor: str | None = None


class PresenceEntry(BaseModel):
    """A change of presence."""

    at: datetime
    presence: str
    reason: str
    session: str | None
    connection: int | None


class PresenceHistory(BaseModel):
    """Changes of presence, newest first."""

    items: list[PresenceEntry]
    next_cursor: str | None = None


class DocumentOutput(BaseModel):
    """A stored document."""

    id: UUID
    path: str = Field(description="Where the client that prints it reads it, on the hub's URL.")
    sha256: str
    size: int
    content_type: str
    filename: str | None
    created_at: datetime


class UploadPath(BaseModel):
    """Where a client may upload one thing, once."""

    path: str = Field(description="PUT the bytes there, on the hub's URL, with the client's own secret.")
    max_size: int = Field(description="In bytes.")


class ProblemField(BaseModel):
    """A field that does not fit."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable; see docs/reference/errors.md.")
    detail: str = Field(description="What is wrong and what to do, in the language of Accept-Language (ko, en).")
    errors: list[ProblemField] | None = None
    remaining: int | None = None
    reset: str | None = None


class Health(BaseModel):
    """Whether the hub is alive."""

    status: Literal["ok"]
    version: str


class Readiness(BaseModel):
    """Whether the hub can do its work; `checks` names what is missing."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]

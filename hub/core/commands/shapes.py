"""The shapes of commands."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.api.shapes import ActionName, Input, Moment, Slug, Tag
from hub.core.commands.rules.policies import BackOff
from hub.core.commands.service.submission import CommandRequest
from schemas import actions, names

CommandStatus = Literal[
    "pending", "queued", "running", "completed", "failed", "cancelled", "expired", "rejected", "unknown"
]


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

    def to_request(self) -> BackOff:
        """As the services take it."""
        return BackOff(first_delay_s=self.first_delay_s, factor=self.factor, cap_s=self.cap_s)


class BackOffOutput(BaseModel):
    """How long a command waits before further attempts: half to all of each step, at random."""

    first_delay_s: float
    factor: float
    cap_s: float


class CommandFields(Input):
    """A command, whoever it is for."""

    other_names: ClassVar[Mapping[str, str]] = names.of(names.COMMAND)
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
    estimated_duration_s: float | None = Field(
        None, ge=0, le=604_800, description="How long it will take, for people. estimatedDuration is the same."
    )

    def to_request(self, traceparent: str | None = None) -> CommandRequest:
        """As the service takes it; for nobody, unless the fields say for whom."""
        back_off = None if self.back_off is None else self.back_off.to_request()
        payload = self.payload
        with suppress(
            actions.PayloadError
        ):  # Told with the other problems of the payload, by its place in the request.
            payload = actions.named(self.action, payload)
        given = {**self.__dict__, "payload": payload, "tags": tuple(self.tags), "back_off": back_off}
        fields = {"client_id": "", **given}
        return CommandRequest(**fields, traceparent=traceparent)

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
    status: CommandStatus = Field(
        description="unknown: the effect may or may not have happened; see result.data.evidence."
    )
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

"""The shapes of batches."""

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.api.shapes import Input
from hub.core.clients.shapes import TargetInput
from hub.core.commands.shapes import CommandFields, CommandInput
from hub.features.batches.rules import Rollout
from hub.features.batches.service.creation import MOST_COMMANDS, BatchRequest


class RolloutInput(Input):
    """A staged rollout: give one of the two. The commands begin evenly spread, the first one at once."""

    per_minute: float | None = Field(None, gt=0, le=1_000_000, description="So many commands a minute.")
    percent_per_minute: float | None = Field(None, gt=0, le=100, description="Such a share of all commands a minute.")

    @model_validator(mode="after")
    def _one(self) -> "RolloutInput":
        if (self.per_minute is None) == (self.percent_per_minute is None):
            raise ValueError("give either per_minute or percent_per_minute")
        return self

    def to_request(self) -> Rollout:
        """As the service takes it."""
        return Rollout(self.per_minute, self.percent_per_minute)


class BatchFields(Input):
    """One command for many clients (`target` and `command`), or a list of different ones (`commands`)."""

    target: TargetInput | None = None
    command: CommandFields | None = None
    commands: list[CommandInput] | None = Field(None, min_length=1, max_length=MOST_COMMANDS)
    max_failures: int | None = Field(
        None, ge=0, le=1_000_000, description="So many may fail (or become unknown); one more stops the batch."
    )
    max_failures_percent: float | None = Field(
        None, ge=0, le=100, description="The same as a share of the accepted commands, rounded down."
    )
    rollout: RolloutInput | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.command is None) == (self.commands is None) or (self.command is None) != (self.target is None):
            raise ValueError("give target and command, or else commands")
        return self

    def to_request(self, traceparent: str | None = None) -> BatchRequest:
        """As the service takes it."""
        return BatchRequest(
            target=None if self.target is None else self.target.to_request(),
            command=None if self.command is None else self.command.to_request(traceparent),
            commands=tuple(command.to_request(traceparent) for command in self.commands or ()),
            max_failures=self.max_failures,
            max_failures_percent=self.max_failures_percent,
            rollout=None if self.rollout is None else self.rollout.to_request(),
        )


class BatchInput(BatchFields):
    """A batch to be sent now."""

    dry_run: bool = Field(False, description="Say who would get it and who not, and store nothing.")


class BatchSummary(BaseModel):
    """A batch without its progress."""

    id: UUID
    status: Literal["running", "paused", "cancelled", "finished"] = Field(
        description="cancelled: a cancel was asked for each of its commands; finished_at says when the last one ended."
    )
    target: dict[str, Any]
    action: str | None = Field(description="null: a list of different commands.")
    total: int
    accepted: int
    rejected: int = Field(description="Refused by quota, permission or the state of the client; nothing was taken.")
    max_failures: int | None
    per_minute: float | None = Field(description="Of a staged rollout.")
    stop_reason: Literal["requested", "max_failures"] | None
    created_at: datetime
    created_by: UUID
    paused_at: datetime | None
    finished_at: datetime | None


class BatchOutput(BatchSummary):
    """A batch and how far it is now."""

    counts: dict[str, int] = Field(description="Commands by status.")
    rejections: dict[str, int] = Field(description="Rejected ones by code.")
    offline: int = Field(description="Unfinished ones whose client is offline.")
    unresponsive: int = Field(description="Unfinished ones whose client gives no sign.")


class BatchRow(BaseModel):
    """One command of a batch."""

    command_id: UUID
    client_id: str
    action: str
    status: str
    code: str | None = Field(description="Why it was rejected, failed or is unknown.")
    presence: Literal["online", "offline", "unknown"]
    blocked_by: Literal["offline", "unresponsive"] | None = Field(
        description="Why an unfinished command does not continue: its client is offline or does not answer."
    )
    attempt: int
    cancel_requested: bool
    not_before: datetime | None
    queued_at: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None


class BatchDetail(BatchOutput):
    """A batch, how far it is, and a page of its commands."""

    items: list[BatchRow]
    next_cursor: str | None = None


class BatchPage(BaseModel):
    """Batches, newest first."""

    items: list[BatchSummary]
    next_cursor: str | None = None


class PreviewRow(BaseModel):
    """What would become of one command."""

    client_id: str
    action: str
    status: Literal["pending", "rejected"]
    code: str | None
    presence: Literal["online", "offline", "unknown"]


class Preview(BaseModel):
    """What a batch would do now. Nothing was stored or taken."""

    dry_run: Literal[True]
    total: int
    accepted: int = Field(description="So many commands would be taken from the quotas, one from each client's.")
    rejected: int
    rejections: dict[str, int]
    offline: int
    unresponsive: int
    items: list[PreviewRow] = Field(description="All of them, in the order of the request.")

"""The shapes of dead letters, and of what people do about them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.api.pages import from_cursor
from hub.api.parameters import require_order
from hub.api.shapes import ActionName, Input, Moment, Slug, Word
from hub.core.commands.shapes import CommandOutput, ErrorOutput
from hub.features.dead_letters.service import MOST, Chosen
from hub.features.dead_letters.store import Filter

Reason = Annotated[Word, Field(max_length=200)]
Reference = Annotated[Word, Field(max_length=200)]
Note = Annotated[str, Field(min_length=1, max_length=500, description="What you saw, for the log and the audit.")]
EXPIRES_IN_S = "Until when its effect may begin, from now; default: as long as its original had."


class DeadLetter(BaseModel):
    """A command that ended without success and waits for a person."""

    id: UUID
    client_id: str
    action: str
    lane: str
    status: Literal["failed", "expired", "unknown"] = Field(description="unknown: its effect may have happened.")
    reason: str = Field(description="The cause: an error's code, expired, or unknown.")
    error: ErrorOutput | None
    unknown_reason: str | None
    attempt: int
    priority: int
    reference: str | None
    order_key: str | None
    blocks: bool = Field(description="Younger commands of its order_key wait for it.")
    tags: list[str]
    batch_id: UUID | None
    replay_of: UUID | None
    created_at: datetime
    expires_at: datetime
    finished_at: datetime


class DeadLetterPage(BaseModel):
    """Open dead letters, newest first."""

    items: list[DeadLetter]
    next_cursor: str | None = None


class Number(BaseModel):
    """How many of one kind."""

    name: str
    number: int


class Numbers(BaseModel):
    """How many, by a kind."""

    different: int = Field(description="So many different ones there are.")
    largest: list[Number] = Field(description="The largest, at most 100.")


class DeadLetterSummary(BaseModel):
    """How many open dead letters there are."""

    total: int
    oldest: datetime | None = Field(description="When the first of them ended.")
    client: Numbers
    action: Numbers
    reason: Numbers


class FilterInput(Input):
    """Which open dead letters; what is left out lets everything through."""

    client_id: Slug | None = None
    action: ActionName | None = None
    reason: Reason | None = None
    reference: Reference | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None

    def to_request(self) -> Filter:
        """As the service takes it. Raises RejectedError for times between which nothing lies."""
        require_order(self.created_after, self.created_before, "filter.created_after")
        return Filter(**self.__dict__)


class _Several(Input):
    ids: list[UUID] | None = Field(None, min_length=1, max_length=MOST)
    filter: FilterInput | None = Field(None, description="Open ones that fit, the oldest 1,000; {} means all.")
    cursor: str | None = Field(None, max_length=200, description="With filter: next_cursor of the answer before.")

    @model_validator(mode="after")
    def _one_way(self) -> "_Several":
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either ids or filter")
        if self.cursor is not None and self.filter is None:
            raise ValueError("cursor goes with filter")
        return self

    def to_request(self) -> Chosen:
        """As the service takes it. Raises RejectedError for a cursor that is none."""
        if self.filter is None:
            return Chosen(ids=self.ids)
        return Chosen(wanted=self.filter.to_request(), after=from_cursor(self.cursor))


class RetryInput(Input):
    """How to replay one."""

    force: bool = Field(False, description="Also when its effect may have happened: then it may happen twice.")
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000, description=EXPIRES_IN_S)


class ReplayInput(_Several):
    """Which to replay, and how."""

    force: bool = Field(False, description="Also those whose effect may have happened: then it may happen twice.")
    expires_in_s: float | None = Field(None, gt=0, le=2_592_000, description=EXPIRES_IN_S)


class DismissInput(_Several):
    """Which to dismiss."""

    note: Note | None = None


class DecideInput(Input):
    """What became of an unknown command."""

    outcome: Literal["completed", "failed", "cancelled"]
    note: Note | None = None


class RetryOutput(CommandOutput):
    """The new command."""

    repeated: bool = Field(description="The same was asked before, and made this command.")


class ReplayRow(BaseModel):
    """What became of one."""

    id: UUID
    outcome: Literal["replayed", "repeated", "refused"] = Field(description="repeated: it was replayed before.")
    command_id: UUID | None = Field(description="The new command.")
    code: str | None = Field(description="Why it was refused; it stays open.")
    detail: str | None = Field(description="The same in a sentence, in the language of Accept-Language.")


class ReplayOutput(BaseModel):
    """What became of each."""

    replayed: int
    repeated: int
    refused: int
    left: int = Field(description="So many open ones fit the filter beyond these: send it again with next_cursor.")
    next_cursor: str | None
    items: list[ReplayRow]


class DismissRow(BaseModel):
    """What became of one."""

    id: UUID
    outcome: Literal["dismissed", "repeated", "refused"] = Field(description="repeated: it was dismissed before.")
    code: str | None
    detail: str | None


class DismissOutput(BaseModel):
    """What became of each."""

    dismissed: int
    repeated: int
    refused: int
    left: int
    next_cursor: str | None
    items: list[DismissRow]

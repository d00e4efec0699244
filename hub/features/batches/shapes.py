"""The shapes of batches."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import CLIENT_ID, Input, Output, number_of
from hub.core.clients.shapes import TargetInput
from hub.core.commands.shapes import CommandFields, CommandId, CommandInput
from hub.errors import FieldProblem
from hub.features.batches.rules import Rollout
from hub.features.batches.service.creation import MOST_COMMANDS, BatchRequest

_ACTION = "What the client does."
_PRESENCE = "Whether its client is connected; `unknown`: it does not answer."
_REJECTIONS = "How many were rejected, by code."
_OFFLINE = "How many unfinished ones have a client that is offline."
_UNRESPONSIVE = "How many unfinished ones have a client that does not answer."
_PRINT = {"printer": "office", "document": "0193b3c0-0000-7000-8000-000000000000"}


class RolloutInput(Input):
    """A staged rollout: give one of the two. The commands begin evenly spread, the first one at once."""

    per_minute: float | None = Field(None, gt=0, le=1_000_000, description="Commands per minute.")
    percent_per_minute: float | None = Field(None, gt=0, le=100, description="Percentage of all commands per minute.")

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        names = ("per_minute", "percent_per_minute")
        if number_of(given, *names) != 1:
            yield FieldProblem("", "one_of", {"names": names})

    def to_request(self) -> Rollout:
        """As the service takes it."""
        return Rollout(self.per_minute, self.percent_per_minute)


class BatchFields(Input):
    """One command for many clients (`target` and `command`), or a list of different ones (`commands`)."""

    target: TargetInput | None = Field(None, description="Which clients get `command`.")
    command: CommandFields | None = Field(None, description="The command for each client of `target`.")
    commands: list[CommandInput] | None = Field(
        None, min_length=1, max_length=MOST_COMMANDS, description="Different commands, each for its own client."
    )
    max_failures: int | None = Field(
        None, ge=0, le=1_000_000, description="How many may fail or become unknown; one more stops the batch."
    )
    max_failures_percent: float | None = Field(
        None, ge=0, le=100, description="The same limit in percent of the accepted commands, rounded down."
    )
    rollout: RolloutInput | None = Field(None, description="Spreads the commands over time. Default: all at once.")

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        has = {name: given.get(name) is not None for name in ("target", "command", "commands")}
        if has["command"] == has["commands"] or has["command"] != has["target"]:
            yield FieldProblem("", "kind_of_batch")

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

    dry_run: bool = Field(False, description="Only preview which clients would get it; store nothing.")

    EXAMPLES: ClassVar = {
        "minimal": example("One command for every client", target={"all": True}, command={"action": "status"}),
        "full": example(
            "A document for some clients, a few per minute; stop after three failures",
            target={"zone": "hall-1", "tags": {"any": ["offset", "digital"]}},
            command={"action": "print", "payload": {**_PRINT, "copies": 2}, "expires_in_s": 28_800},
            max_failures=2,
            rollout={"per_minute": 30},
            dry_run=False,
        ),
        "list": example(
            "Different commands",
            commands=[
                {"client_id": "press-1", "action": "print", "payload": _PRINT, "reference": "order-1001"},
                {"client_id": "press-2", "action": "print", "payload": _PRINT, "reference": "order-1002"},
            ],
            max_failures_percent=10,
        ),
    }


class BatchSummary(Output):
    """A batch without its progress."""

    id: UUID = Field(description="Id of the batch.")
    status: Literal["running", "paused", "cancelled", "finished"] = Field(
        description="cancelled: a cancel was requested for each of its commands; finished_at: when the last one ended."
    )
    target: dict[str, Any] = Field(description="The target as the request named it.")
    action: str | None = Field(description="What the clients do; null: a list of different commands.")
    total: int = Field(description="How many commands it has.")
    accepted: int = Field(description="How many of them were accepted.")
    rejected: int = Field(description="How many were refused (quota, permission or client state); they use no quota.")
    max_failures: int | None = Field(description="How many may fail or become unknown; one more stops the batch.")
    per_minute: float | None = Field(description="Commands per minute of a staged rollout.")
    stop_reason: Literal["requested", "max_failures"] | None = Field(description="Why it was cancelled.")
    created_at: datetime = Field(description="When it was stored.")
    created_by: UUID = Field(description="Id of the principal that sent it.")
    paused_at: datetime | None = Field(description="Since when it is paused.")
    finished_at: datetime | None = Field(description="When the last of its commands ended.")


class BatchOutput(BatchSummary):
    """A batch with its progress."""

    counts: dict[str, int] = Field(description="How many commands there are, by status.")
    rejections: dict[str, int] = Field(description=_REJECTIONS)
    offline: int = Field(description=_OFFLINE)
    unresponsive: int = Field(description=_UNRESPONSIVE)


class BatchRow(Output):
    """One command of a batch."""

    command_id: CommandId
    client_id: str = Field(description=CLIENT_ID)
    action: str = Field(description=_ACTION)
    status: str = Field(description="The command's status.")
    code: str | None = Field(description="Why it was rejected, failed or is unknown.")
    presence: Literal["online", "offline", "unknown"] = Field(description=_PRESENCE)
    blocked_by: Literal["offline", "unresponsive"] | None = Field(
        description="Why an unfinished command does not continue: its client is offline or does not answer."
    )
    attempt: int = Field(description="The current attempt, from 1.")
    cancel_requested: bool = Field(description="Whether somebody requested a cancel.")
    not_before: datetime | None = Field(description="It is handed out at this time or later.")
    queued_at: datetime | None = Field(description="When it was handed out in its current attempt.")
    accepted_at: datetime | None = Field(description="When the agent had stored it in its journal.")
    started_at: datetime | None = Field(description="When its run began.")
    finished_at: datetime | None = Field(description="When it ended.")


class BatchDetail(BatchOutput):
    """A batch with its progress, and a page of its commands."""

    items: list[BatchRow] = Field(description="The commands of this page.")
    next_cursor: NextCursor = None


class BatchPage(Output):
    """Batches, newest first."""

    items: list[BatchSummary] = Field(description="The batches of this page.")
    next_cursor: NextCursor = None


class PreviewRow(Output):
    """What would become of one command."""

    client_id: str = Field(description=CLIENT_ID)
    action: str = Field(description=_ACTION)
    status: Literal["pending", "rejected"] = Field(description="`pending`: it would be accepted.")
    code: str | None = Field(description="Why it would be rejected.")
    presence: Literal["online", "offline", "unknown"] = Field(description=_PRESENCE)


class Preview(Output):
    """What a batch would do now. Nothing was stored or taken."""

    dry_run: Literal[True] = Field(description="Says that this is a preview.")
    total: int = Field(description="How many commands it would have.")
    accepted: int = Field(description="How many commands would count in the quotas, one for each client.")
    rejected: int = Field(description="How many would be refused.")
    rejections: dict[str, int] = Field(description=_REJECTIONS)
    offline: int = Field(description=_OFFLINE)
    unresponsive: int = Field(description=_UNRESPONSIVE)
    items: list[PreviewRow] = Field(description="All of them, in the order of the request.")

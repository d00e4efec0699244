"""The shapes of targets, groups, permissions and batches."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from hub.api.models import ActionName, CommandFields, CommandInput, Input, Slug, Tag
from hub.core.clients.rules import MOST_TARGETS, Target
from hub.features.batches.rules import Rollout
from hub.features.batches.service.creation import MOST_COMMANDS

ClientIds = Annotated[list[Slug], Field(max_length=MOST_TARGETS)]
Zone = Annotated[str, Field(min_length=1, max_length=100)]


class TagsInput(Input):
    """Clients by their tags."""

    all: list[Tag] = Field(default_factory=list, max_length=20, description="Clients that have all of these.")
    any: list[Tag] = Field(default_factory=list, max_length=20, description="Clients that have one of these.")


class TargetInput(Input):
    """Which clients: by their ids, all, or those that fit every one of group, zone and tags."""

    clients: ClientIds | None = Field(None, min_length=1, examples=[["press-1", "press-2"]])
    group: Slug | None = None
    zone: Zone | None = None
    tags: TagsInput | None = None
    all: Literal[True] | None = Field(None, description="Every client that is not retired.")

    @model_validator(mode="after")
    def _one_way(self) -> "TargetInput":
        conditions = any(value is not None for value in (self.group, self.zone, self.tags))
        if (self.clients is not None) + (self.all is not None) + conditions != 1:
            raise ValueError("give clients, or all, or at least one of group, zone and tags")
        if self.tags is not None and not (self.tags.all or self.tags.any):
            raise ValueError("tags needs all or any, with at least one tag")
        return self

    def target(self) -> Target:
        """As the services take it."""
        tags = self.tags or TagsInput()
        return Target(
            clients=None if self.clients is None else tuple(self.clients),
            group=self.group,
            zone=self.zone,
            tags_all=tuple(tags.all),
            tags_any=tuple(tags.any),
        )


class GroupInput(Input):
    """A group to be made."""

    id: Slug
    name: str | None = Field(None, min_length=1, max_length=200)
    clients: ClientIds = Field(default_factory=list)


class GroupChange(Input):
    """What to change of a group."""

    name: str = Field(min_length=1, max_length=200)


class MembersChange(Input):
    """Clients to add to a group and to remove from it; all of it happens, or nothing."""

    add: ClientIds = Field(default_factory=list)
    remove: ClientIds = Field(default_factory=list)


class GroupOutput(BaseModel):
    """A group of clients."""

    id: str
    name: str
    members: int = Field(description="Its clients, without retired ones.")
    created_at: datetime
    updated_at: datetime


class GroupPage(BaseModel):
    """Groups in order of their ids."""

    items: list[GroupOutput]
    next_cursor: str | None = None


class MemberOutput(BaseModel):
    """A client of a group."""

    client_id: str
    name: str
    status: Literal["active", "disabled", "retired"]
    presence: Literal["online", "offline", "unknown"]


class MemberPage(BaseModel):
    """Clients of a group in order of their ids."""

    items: list[MemberOutput]
    next_cursor: str | None = None


class PermissionsChange(Input):
    """What to change; a field that is left out stays as it is."""

    allowed_actions: list[ActionName] | None = Field(
        None, max_length=100, description="null: every action that its agent offers."
    )
    rate_limit: int | None = Field(None, ge=0, le=1_000_000, description="Commands a minute.")
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000, description="A day is a UTC day.")

    @model_validator(mode="after")
    def _something(self) -> "PermissionsChange":
        for name in ("rate_limit", "max_commands_per_day"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} cannot be null: leave it out to keep it")
        if not self.model_fields_set & set(PermissionsChange.model_fields):
            raise ValueError("give allowed_actions, rate_limit or max_commands_per_day")
        return self

    def changes(self) -> dict[str, Any]:
        """What was given, as the service takes it."""
        return self.model_dump(include=self.model_fields_set & set(PermissionsChange.model_fields))


class PermissionsOfMany(PermissionsChange):
    """The same for every client that a target means."""

    target: TargetInput


class Left(BaseModel):
    """What is left of a limit."""

    limit: int
    used: int
    remaining: int
    reset: datetime


class PermissionsOutput(BaseModel):
    """What a client may be asked, and how much of it is left."""

    client_id: str
    allowed_actions: list[str] | None = Field(description="null: every action that its agent offers.")
    rate_limit: int
    max_commands_per_day: int
    minute: Left
    day: Left
    updated_at: datetime


class Changed(BaseModel):
    """Of how many clients something was changed."""

    changed: int


class RolloutInput(Input):
    """A staged rollout: give one of the two. The commands begin evenly spread, the first one at once."""

    per_minute: float | None = Field(None, gt=0, le=1_000_000, description="So many commands a minute.")
    percent_per_minute: float | None = Field(None, gt=0, le=100, description="Such a share of all commands a minute.")

    @model_validator(mode="after")
    def _one(self) -> "RolloutInput":
        if (self.per_minute is None) == (self.percent_per_minute is None):
            raise ValueError("give either per_minute or percent_per_minute")
        return self

    def rollout(self) -> Rollout:
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
    silent: int = Field(description="Unfinished ones whose client gives no sign.")


class BatchRow(BaseModel):
    """One command of a batch."""

    command_id: UUID
    client_id: str
    action: str
    status: str
    code: str | None = Field(description="Why it was rejected, failed or is unknown.")
    presence: Literal["online", "offline", "unknown"]
    trouble: Literal["offline", "silent"] | None = Field(description="What stands in the way of an unfinished one.")
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
    silent: int
    items: list[PreviewRow] = Field(description="All of them, in the order of the request.")

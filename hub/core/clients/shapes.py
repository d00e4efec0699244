"""The shapes of clients, targets, groups and permissions."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from hub.api.shapes import ActionName, Change, Input, Slug, Tag
from hub.core.clients.rules import MOST_TARGETS, Target
from hub.core.clients.service.clients import ClientRequest

ClientKind = Literal["printer_pc", "pda", "kiosk", "other"]


RESERVED = frozenset({"subscribe"})
"""Ids that would stand for something else in the path of a route."""


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

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value in RESERVED:
            raise ValueError(f"{value} has another meaning in /api/events/{value}: choose another id")
        return value

    def to_request(self) -> ClientRequest:
        """As the service takes it."""
        return ClientRequest(**self.__dict__)


class ClientChange(Change):
    """What to change; a field that is left out stays as it is."""

    may_be_null: ClassVar[frozenset[str]] = frozenset({"zone", "allowed_actions"})
    name: str | None = Field(None, min_length=1, max_length=200)
    kind: ClientKind | None = None
    zone: str | None = Field(None, min_length=1, max_length=100)
    tags: list[Tag] | None = Field(None, max_length=50)
    metadata: dict[str, Any] | None = None
    allowed_actions: list[ActionName] | None = Field(None, max_length=100)
    rate_limit: int | None = Field(None, ge=0, le=1_000_000)
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000)


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
    fenced: str | None = Field(
        description="Why nothing is dispatched to it: two machines use its identity, until a person unfences it."
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

    def to_request(self) -> Target:
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


class PermissionsChange(Change):
    """What to change; a field that is left out stays as it is."""

    may_be_null: ClassVar[frozenset[str]] = frozenset({"allowed_actions"})
    allowed_actions: list[ActionName] | None = Field(
        None, max_length=100, description="null: every action that its agent offers."
    )
    rate_limit: int | None = Field(None, ge=0, le=1_000_000, description="Commands a minute.")
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000, description="A day is a UTC day.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.changes():
            raise ValueError("give allowed_actions, rate_limit or max_commands_per_day")
        return self


class PermissionsOfMany(PermissionsChange):
    """The same for every client that a target means."""

    target: TargetInput

    def changes(self) -> dict[str, Any]:
        """The same without the target."""
        return {name: value for name, value in super().changes().items() if name != "target"}


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

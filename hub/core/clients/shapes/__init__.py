"""The shapes of clients, targets, groups and permissions."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from hub.api.description import example
from hub.api.field_catalogue import invalid
from hub.api.pages import NextCursor
from hub.api.shapes import CLIENT_ID, ActionName, Change, Input, Output, Slug, Tag, number_of
from hub.core.clients.rules import MOST_TARGETS, Target
from hub.core.clients.service.clients import ClientRequest
from hub.errors import FieldProblem

ClientKind = Literal["printer_pc", "pda", "kiosk", "screen", "other"]
ClientStatus = Literal["active", "disabled", "retired"]
Presence = Literal["online", "offline", "unknown"]

_NAME = "A name for people."
_KIND = "What machine it is."
_ZONE = "Where it is, such as a hall; targets and lists can name it."
_TAGS = "Words that targets and lists can name."
_METADATA = "Anything of your own; the hub only keeps it."
_ALLOWED = "Actions that it may be asked for. null: every action that its agent offers."
_RATE = "Commands per minute that it may be sent."
_DAILY = "Commands per day (UTC) that it may be sent."
_STATUS = "`active`; `disabled`: it can neither connect nor be commanded; `retired`: the same, for good."
_PRESENCE = "Whether it is connected; `unknown`: it does not answer."
_GROUP_NAME = "A name of the group for people."


RESERVED = frozenset({"subscribe"})
"""Ids that would stand for something else in the path of a route."""


class ClientInput(Input):
    """A client to be registered."""

    id: Slug = Field(description="Chosen once, never reused: MQTT user name, client id and topic segment.")
    name: str | None = Field(None, min_length=1, max_length=200, description=f"{_NAME} Default: its id.")
    kind: ClientKind = Field("other", description=_KIND)
    zone: str | None = Field(None, min_length=1, max_length=100, description=_ZONE)
    tags: list[Tag] = Field(default_factory=list, max_length=50, description=_TAGS)
    metadata: dict[str, Any] = Field(default_factory=dict, description=_METADATA)
    allowed_actions: list[ActionName] | None = Field(None, max_length=100, description=_ALLOWED)
    rate_limit: int = Field(60, ge=0, le=1_000_000, description=_RATE)
    max_commands_per_day: int = Field(1_000, ge=0, le=100_000_000, description=_DAILY)

    EXAMPLES: ClassVar = {
        "minimal": example("A client with the limits that every client has", id="press-7"),
        "full": example(
            "A client with everything said",
            id="press-8",
            name="Press 8",
            kind="printer_pc",
            zone="hall-1",
            tags=["offset", "a3"],
            metadata={"inventory": "PC-0815"},
            allowed_actions=["print", "status", "collect_logs"],
            rate_limit=600,
            max_commands_per_day=20_000,
        ),
    }

    @field_validator("id")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value in RESERVED:
            raise invalid("reserved_id")
        return value

    def to_request(self) -> ClientRequest:
        """As the service takes it."""
        return ClientRequest(**self.__dict__)


class ClientChange(Change):
    """What to change; a field that is left out stays as it is."""

    may_be_null: ClassVar[frozenset[str]] = frozenset({"zone", "allowed_actions"})
    name: str | None = Field(None, min_length=1, max_length=200, description=_NAME)
    kind: ClientKind | None = Field(None, description=_KIND)
    zone: str | None = Field(None, min_length=1, max_length=100, description=f"{_ZONE} null: none.")
    tags: list[Tag] | None = Field(None, max_length=50, description=_TAGS)
    metadata: dict[str, Any] | None = Field(None, description=_METADATA)
    allowed_actions: list[ActionName] | None = Field(None, max_length=100, description=_ALLOWED)
    rate_limit: int | None = Field(None, ge=0, le=1_000_000, description=_RATE)
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000, description=_DAILY)

    EXAMPLES: ClassVar = {
        "minimal": example("Move it", zone="hall-2"),
        "full": example(
            "Change everything that can be changed",
            name="Press 7 (new)",
            kind="printer_pc",
            zone="hall-2",
            tags=["digital"],
            metadata={"inventory": "PC-0816"},
            allowed_actions=None,
            rate_limit=120,
            max_commands_per_day=5_000,
        ),
    }


_ONLINE: dict[str, Any] = {
    "id": "front-desk",
    "name": "Front desk",
    "kind": "printer_pc",
    "status": "active",
    "zone": "hall-1",
    "tags": ["offset"],
    "groups": ["presses"],
    "metadata": {},
    "allowed_actions": None,
    "rate_limit": 60,
    "max_commands_per_day": 1_000,
    "presence": "online",
    "presence_reason": "birth",
    "presence_since": "2026-11-21T07:55:12.480Z",
    "heard_at": "2026-11-21T08:00:01.911Z",
    "level": "full",
    "agent_name": "floorhub-agent",
    "agent_version": "0.1.0",
    "clock_skew_s": 0.02,
    "fenced": None,
    "state": {"capabilities": ["print", "status"], "printers": [{"name": "office", "state": "idle"}]},
    "state_at": "2026-11-21T07:55:12.610Z",
    "handed_out": 0,
    "created_at": "2026-11-20T10:00:00Z",
    "updated_at": "2026-11-20T10:00:00Z",
    "retired_at": None,
}
_NEW = _ONLINE | dict.fromkeys(
    ("presence_since", "heard_at", "agent_name", "agent_version", "clock_skew_s", "state", "state_at")
)
"""Examples of answers."""


class ClientOutput(Output):
    """A client with its current state."""

    EXAMPLE: ClassVar = _ONLINE

    id: str = Field(description=CLIENT_ID)
    name: str = Field(description=_NAME)
    kind: str = Field(description=_KIND)
    status: ClientStatus = Field(description=_STATUS)
    zone: str | None = Field(description=_ZONE)
    tags: list[str] = Field(description=_TAGS)
    groups: list[str] = Field(description="Ids of the groups that it is in.")
    metadata: dict[str, Any] = Field(description=_METADATA)
    allowed_actions: list[str] | None = Field(description=_ALLOWED)
    rate_limit: int = Field(description=_RATE)
    max_commands_per_day: int = Field(description=_DAILY)
    presence: Presence = Field(description=_PRESENCE)
    presence_reason: str = Field(description="Why its presence is what it is, such as `heartbeat` or `will`.")
    presence_since: datetime | None = Field(description="Since when.")
    heard_at: datetime | None = Field(description="When it last proved to be alive.")
    level: str = Field(description="What its program promises: `full` (keeps a journal) or `basic`.")
    agent_name: str | None = Field(description="What its program calls itself.")
    agent_version: str | None = Field(description="The version of its program.")
    clock_skew_s: float | None = Field(description="Seconds that its clock is ahead of the hub's.")
    fenced: str | None = Field(
        description="Why nothing is dispatched to it: two machines use its identity, until a person unfences it."
    )
    state: dict[str, Any] | None = Field(
        description="What it last reported about itself: capabilities, printers, displays."
    )
    state_at: datetime | None = Field(description="When it reported that.")
    handed_out: int = Field(description="Commands that were handed out to it and have not ended.")
    created_at: datetime = Field(description="When it was registered.")
    updated_at: datetime = Field(description="When somebody last changed it.")
    retired_at: datetime | None = Field(description="When it was retired.")


class NewClientOutput(ClientOutput):
    """A client with a new secret."""

    EXAMPLE: ClassVar = {**_NEW, "secret": "x7Kq...", "root_key": "MCowBQYDK2VwAyEA...", "broker_ready": True}

    secret: str = Field(
        description="Shown only once; valid at the broker, and over HTTP for the client's own resources."
    )
    root_key: str = Field(description="The hub's root key, to be pinned in the agent's configuration.")
    broker_ready: bool = Field(
        description="False: the broker does not answer; the hub will register the client there later."
    )


class ClientPage(Output):
    """Clients in order of their ids."""

    items: list[ClientOutput] = Field(description="The clients of this page.")
    next_cursor: NextCursor = None


class PresenceEntry(Output):
    """A change of presence."""

    at: datetime = Field(description="When it changed.")
    presence: str = Field(description=_PRESENCE)
    reason: str = Field(description="Why, such as `birth` or `will`.")
    session: str | None = Field(description="The run of the client's program that it is about.")
    connection: int | None = Field(description="Counts the connections of a session.")


class PresenceHistory(Output):
    """Changes of presence, newest first."""

    items: list[PresenceEntry] = Field(description="The changes of this page.")
    next_cursor: NextCursor = None


ClientIds = Annotated[list[Slug], Field(max_length=MOST_TARGETS)]
Zone = Annotated[str, Field(min_length=1, max_length=100)]


class TagsInput(Input):
    """Clients by their tags."""

    all: list[Tag] = Field(default_factory=list, max_length=20, description="Clients that have all of these.")
    any: list[Tag] = Field(default_factory=list, max_length=20, description="Clients that have one of these.")

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        if not (given.get("all") or given.get("any")):
            yield FieldProblem("", "any_of", {"names": ("all", "any")})


class TargetInput(Input):
    """Which clients: by their ids, all, or those that fit every one of group, zone and tags."""

    clients: ClientIds | None = Field(
        None, min_length=1, description="Ids of clients.", examples=[["press-1", "press-2"]]
    )
    group: Slug | None = Field(None, description="Id of a group: its clients.")
    zone: Zone | None = Field(None, description="Clients of this zone.")
    tags: TagsInput | None = Field(None, description="Clients with these tags.")
    all: Literal[True] | None = Field(None, description="Every client that is not retired.")

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        conditions = number_of(given, "group", "zone", "tags") > 0
        if number_of(given, "clients", "all") + conditions != 1:
            yield FieldProblem("", "target")

    def to_request(self) -> Target:
        """As the services take it."""
        return Target(
            clients=None if self.clients is None else tuple(self.clients),
            group=self.group,
            zone=self.zone,
            tags_all=() if self.tags is None else tuple(self.tags.all),
            tags_any=() if self.tags is None else tuple(self.tags.any),
        )


class GroupInput(Input):
    """A group to be made."""

    id: Slug = Field(description="Id of the group; it stays.", examples=["presses"])
    name: str | None = Field(None, min_length=1, max_length=200, description=f"{_GROUP_NAME} Default: its id.")
    clients: ClientIds = Field(default_factory=list, description="Ids of its first clients.")

    EXAMPLES: ClassVar = {
        "minimal": example("An empty group", id="pickers"),
        "full": example("A group with its clients", id="hall-1", name="Hall 1", clients=["press-1", "press-2"]),
    }


class GroupChange(Input):
    """What to change of a group."""

    name: str = Field(min_length=1, max_length=200, description=_GROUP_NAME)

    EXAMPLES: ClassVar = {
        "minimal": example("Rename it", name="Presses"),
        "full": example("Rename it, in any script", name="인쇄기 1동"),
    }


class MembersChange(Input):
    """Clients to add to a group and to remove from it; all of it happens, or nothing."""

    add: ClientIds = Field(default_factory=list, description="Ids of clients to add.")
    remove: ClientIds = Field(default_factory=list, description="Ids of clients to remove.")

    EXAMPLES: ClassVar = {
        "minimal": example("Add a client", add=["press-1"]),
        "full": example("Replace a client", add=["press-2"], remove=["press-1"]),
    }


class GroupOutput(Output):
    """A group of clients."""

    id: str = Field(description="Id of the group.")
    name: str = Field(description=_GROUP_NAME)
    members: int = Field(description="How many clients it has, without retired ones.")
    created_at: datetime = Field(description="When it was created.")
    updated_at: datetime = Field(description="When it was last renamed.")


class GroupPage(Output):
    """Groups in order of their ids."""

    items: list[GroupOutput] = Field(description="The groups of this page.")
    next_cursor: NextCursor = None


class MemberOutput(Output):
    """A client of a group."""

    client_id: str = Field(description=CLIENT_ID)
    name: str = Field(description=_NAME)
    status: ClientStatus = Field(description=_STATUS)
    presence: Presence = Field(description=_PRESENCE)


class MemberPage(Output):
    """Clients of a group in order of their ids."""

    items: list[MemberOutput] = Field(description="The clients of this page.")
    next_cursor: NextCursor = None


class PermissionsChange(Change):
    """What to change; a field that is left out stays as it is."""

    may_be_null: ClassVar[frozenset[str]] = frozenset({"allowed_actions"})
    allowed_actions: list[ActionName] | None = Field(None, max_length=100, description=_ALLOWED)
    rate_limit: int | None = Field(None, ge=0, le=1_000_000, description=_RATE)
    max_commands_per_day: int | None = Field(None, ge=0, le=100_000_000, description=_DAILY)

    EXAMPLES: ClassVar = {
        "minimal": example("Change one limit", rate_limit=600),
        "full": example(
            "Change everything", allowed_actions=["print", "status"], rate_limit=600, max_commands_per_day=20_000
        ),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        yield from super().conflicts(given)
        names = tuple(PermissionsChange.model_fields)
        if given.keys().isdisjoint(names):
            yield FieldProblem("", "nothing_to_change", {"names": names})


class PermissionsOfMany(PermissionsChange):
    """The same for every client that a target means."""

    target: TargetInput = Field(description="Which clients.")

    EXAMPLES: ClassVar = {
        "minimal": example("Change one limit of all clients", target={"all": True}, rate_limit=120),
        "full": example(
            "Change everything of some clients",
            target={"clients": ["press-1", "press-2"]},
            allowed_actions=None,
            rate_limit=120,
            max_commands_per_day=5_000,
        ),
    }

    def changes(self) -> dict[str, Any]:
        """The same without the target."""
        return {name: value for name, value in super().changes().items() if name != "target"}


class Left(Output):
    """What is left of a limit."""

    limit: int = Field(description="Commands in this period.")
    used: int = Field(description="How many of them are used.")
    remaining: int = Field(description="How many are left.")
    reset: datetime = Field(description="When the limit resets.")


class PermissionsOutput(Output):
    """What a client may be asked, and how much of it is left."""

    client_id: str = Field(description=CLIENT_ID)
    allowed_actions: list[str] | None = Field(description=_ALLOWED)
    rate_limit: int = Field(description=_RATE)
    max_commands_per_day: int = Field(description=_DAILY)
    minute: Left = Field(description="What is left of this minute.")
    day: Left = Field(description="What is left of this day (UTC).")
    updated_at: datetime = Field(description="When somebody last changed the client.")


class ChangedClients(Output):
    """Of how many clients something was changed."""

    changed: int = Field(description="How many clients.")

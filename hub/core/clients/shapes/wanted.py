"""What the shapes of codes and of enrolment tokens share: the client that a machine becomes, and who made them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from hub.api.shapes import ActionName, Input, Output, Slug, Tag
from hub.core.clients.service.pairings import Wanted
from hub.core.clients.shapes import ClientKind

KIND_MEANS = "What machine it is. null: as the machine says, or `other`."
ZONE_MEANS = "Where it is, such as a hall."
TAGS_MEANS = "Words that targets and lists can name."
GROUPS_MEANS = "Ids of the groups that it joins."
_ALLOWED = "Actions that it may be asked for. null: every action that its agent offers."
_RATE = "Commands per minute that it may be sent."
_DAILY = "Commands per day (UTC) that it may be sent."
Text = Annotated[str, Field(min_length=1, max_length=200)]


class WantedInput(Input):
    """What the new client is to be."""

    kind: ClientKind | None = Field(None, description=KIND_MEANS)
    zone: str | None = Field(None, min_length=1, max_length=100, description=ZONE_MEANS)
    tags: list[Tag] = Field(default_factory=list, max_length=50, description=TAGS_MEANS)
    groups: list[Slug] = Field(default_factory=list, max_length=50, description=GROUPS_MEANS)
    allowed_actions: list[ActionName] | None = Field(None, max_length=100, description=_ALLOWED)
    rate_limit: int = Field(60, ge=0, le=1_000_000, description=_RATE)
    max_commands_per_day: int = Field(1_000, ge=0, le=100_000_000, description=_DAILY)

    def wanted(self) -> Wanted:
        """As the services use it."""
        return Wanted(
            kind=self.kind,
            zone=self.zone,
            tags=self.tags,
            groups=self.groups,
            allowed_actions=self.allowed_actions,
            rate_limit=self.rate_limit,
            max_commands_per_day=self.max_commands_per_day,
        )


class MadeOutput(Output):
    """Who made it, when, and what the new client is to be."""

    id: str = Field(description="Its id.")
    kind: str | None = Field(description=KIND_MEANS)
    zone: str | None = Field(description=ZONE_MEANS)
    tags: list[str] = Field(description=TAGS_MEANS)
    groups: list[str] = Field(description=GROUPS_MEANS)
    policy: dict[str, Any] = Field(
        description="`allowed_actions`, `rate_limit` and `max_commands_per_day` of the new client."
    )
    created_by: str = Field(description="Id of the user or integration that made it.")
    created_by_name: str = Field(description="The name of that user or integration.")
    created_at: datetime = Field(description="When it was made.")
    expires_at: datetime = Field(description="Until when it can be used.")
    revoked_at: datetime | None = Field(description="When it was revoked.")

"""The bodies of grants."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import Input, Output
from hub.core.access.service.grants import GrantRequest
from hub.core.access.shapes.targets import Actions, ClientsOfGrant, ordered

AccessOfGrant = Literal["read", "command"]
_TARGET = "Which clients: exactly one of client, group, zone, tags and all."
_ACTIONS = "Which actions. null: all."
_ACCESS = "`read`: to see; `command`: also to command."


class GrantInput(Input):
    """A grant to be given."""

    target: ClientsOfGrant = Field(description=_TARGET)
    actions: Actions | None = Field(None, description=_ACTIONS)
    access: AccessOfGrant | None = Field(None, description=f"{_ACCESS} Default: `command`, for a viewer `read`.")

    EXAMPLES: ClassVar = {
        "minimal": example("Everything with one client", target={"client": "press-1"}),
        "full": example("Only to print, in a zone", target={"zone": "hall-1"}, actions=["print"], access="command"),
    }

    def to_request(self) -> GrantRequest:
        """As the service takes it."""
        return GrantRequest(self.target.to_request(), ordered(self.actions), self.access)


class GrantOutput(Output):
    """What a principal whose reach is `granted` may see or command."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "0193b3c0-0000-7000-8000-0000000000f1",
        "principal_id": "0193b3c0-0000-7000-8000-0000000000a1",
        "principal": "wms",
        "principal_kind": "integration",
        "target": {"zone": "hall-1"},
        "actions": ["print"],
        "access": "command",
        "created_at": "2026-11-21T08:00:00Z",
        "created_by": "0193b3c0-0000-7000-8000-0000000000a0",
    }

    id: UUID = Field(description="Id of the grant.")
    principal_id: UUID = Field(description="Who has it.")
    principal: str = Field(description="The name of who has it.")
    principal_kind: str = Field(description="`user` or `integration`.")
    target: dict[str, Any] = Field(description=_TARGET)
    actions: list[str] | None = Field(description=_ACTIONS)
    access: AccessOfGrant = Field(description=_ACCESS)
    created_at: datetime = Field(description="When it was given.")
    created_by: UUID | None = Field(description="The principal that gave it.")


class GrantPage(Output):
    """Grants in the order in which they were given."""

    items: list[GrantOutput] = Field(description="The grants of this page.")
    next_cursor: NextCursor = None

"""The bodies of integrations."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.description import example
from hub.api.pages import NextCursor
from hub.api.shapes import Change, Input, Output
from hub.core.access.rules.permissions import TEMPLATES
from hub.core.access.service.integrations import GrantWish, IntegrationRequest, KeyWish
from hub.core.access.shapes.grants import AccessOfGrant, GrantInput, GrantOutput
from hub.core.access.shapes.keys import KeyInput, NewKeyOutput
from hub.core.access.shapes.targets import Name, Reach, Role, ordered
from hub.errors import FieldProblem

TemplateName = Literal["order-system", "wms", "monitoring"]
assert set(TemplateName.__args__) == set(TEMPLATES)  # type: ignore[attr-defined]  # noqa: S101 - typed once more
Status = Literal["active", "disabled"]
_NAME = "A name that no other user or integration has."
_ROLE = "`admin`, `operator` or `viewer`: what it may do at most."
_REACH = "`granted`: the clients of its grants; `all`: every client."
_STATUS = "`active`; `disabled`: its keys are refused."


class IntegrationInput(Input):
    """An integration to be made, with its first grants and its first key: all of it, or nothing."""

    name: Name = Field(description=_NAME)
    template: TemplateName | None = Field(
        None, description="A usual kind of integration, which says what is left out: GET /api/integrations/templates."
    )
    role: Role | None = Field(None, description=f"{_ROLE} Default: that of the template, else `operator`.")
    reach: Reach | None = Field(None, description=f"{_REACH} Default: `granted`, for an administrator `all`.")
    grants: list[GrantInput] | None = Field(
        None, max_length=100, description="What it is granted. Default: that of the template."
    )
    key: KeyInput | None = Field(None, description="Its first key, `{}` for one without limits of its own.")

    EXAMPLES: ClassVar = {
        "minimal": example("An integration without grants and keys", name="order system"),
        "full": example(
            "A WMS with a key that may only print in one zone",
            name="wms",
            template="wms",
            role="operator",
            reach="granted",
            grants=[{"target": {"zone": "hall-1"}, "actions": ["print"], "access": "command"}],
            key={"name": "label line", "addresses": ["192.0.2.0/24"]},
        ),
    }

    def to_request(self) -> IntegrationRequest:
        """As the service takes it."""
        grants = None
        if self.grants is not None:
            grants = tuple(
                GrantWish(
                    target=one.target.to_request(),
                    actions=ordered(one.actions),
                    actions_said="actions" in one.model_fields_set,
                    access=one.access,
                )
                for one in self.grants
            )
        key = None
        if self.key is not None:
            said = "permissions" in self.key.model_fields_set
            key = KeyWish(name=self.key.name or "", limits=self.key.limits(), permissions_said=said)
        return IntegrationRequest(
            name=self.name, template=self.template, role=self.role, reach=self.reach, grants=grants, key=key
        )


class IntegrationChange(Change):
    """What to change; a field that is left out stays as it is."""

    name: Name | None = Field(None, description=_NAME)
    role: Role | None = Field(None, description=_ROLE)
    reach: Reach | None = Field(None, description=_REACH)
    status: Status | None = Field(None, description=_STATUS)

    EXAMPLES: ClassVar = {
        "minimal": example("Refuse its keys from now on", status="disabled"),
        "full": example("Change everything", name="wms 2", role="operator", reach="granted", status="active"),
    }

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        yield from super().conflicts(given)
        names = tuple(cls.model_fields)
        if given.keys().isdisjoint(names):
            yield FieldProblem("", "nothing_to_change", {"names": names})


class IntegrationOutput(Output):
    """Another system that uses the hub."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "0193b3c0-0000-7000-8000-0000000000a1",
        "name": "wms",
        "role": "operator",
        "reach": "granted",
        "status": "active",
        "keys": 1,
        "grants": 1,
        "last_used_at": "2026-11-21T08:05:00Z",
        "created_at": "2026-11-21T08:00:00Z",
        "disabled_at": None,
    }

    id: UUID = Field(description="Id of the integration.")
    name: str = Field(description=_NAME)
    role: Role = Field(description=_ROLE)
    reach: Reach = Field(description=_REACH)
    status: Status = Field(description=_STATUS)
    keys: int = Field(description="How many of its keys are neither revoked nor expired.")
    grants: int = Field(description="How many grants it has.")
    last_used_at: datetime | None = Field(description="When one of its keys was last used, to a minute.")
    created_at: datetime = Field(description="When it was made.")
    disabled_at: datetime | None = Field(description="When it was disabled.")


class NewIntegrationOutput(Output):
    """An integration that was just made, with its grants and its key."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "integration": IntegrationOutput.EXAMPLE,
        "grants": [GrantOutput.EXAMPLE],
        "key": NewKeyOutput.EXAMPLE,
    }

    integration: IntegrationOutput = Field(description="The integration.")
    grants: list[GrantOutput] = Field(description="What it was granted.")
    key: NewKeyOutput | None = Field(description="Its key, whose text is shown only once; null: none was asked for.")


class IntegrationPage(Output):
    """Integrations in the order in which they were made."""

    items: list[IntegrationOutput] = Field(description="The integrations of this page.")
    next_cursor: NextCursor = None


class TemplateOutput(Output):
    """What an integration of a usual kind gets where the request does not say otherwise."""

    id: str = Field(description="What a request names as `template`.")
    role: Role = Field(description=_ROLE)
    reach: Reach = Field(description=_REACH)
    permissions: list[str] = Field(description="Of its first key.")
    actions: list[str] | None = Field(description="Of its grants. null: all.")
    access: AccessOfGrant = Field(description="Of its grants.")
    grants: list[dict[str, Any]] = Field(description="The clients that it is granted when the request names none.")


class TemplateList(Output):
    """All templates."""

    items: list[TemplateOutput] = Field(description="In the order of the documentation.")

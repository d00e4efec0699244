"""The answers to who may do what, and why."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from hub.api.pages import NextCursor
from hub.api.shapes import Output
from hub.core.access.shapes.keys import KeyOutput

Want = Literal["read", "command"]


class PrincipalOutput(Output):
    """A user or an integration."""

    id: UUID = Field(description="Its id.")
    kind: str = Field(description="`user` or `integration`.")
    name: str = Field(description="Its name.")
    role: str = Field(description="What it may do at most.")
    reach: str = Field(description="`all` clients, or those that it was `granted`.")
    status: str = Field(description="`active` or `disabled`.")


class ReasonOutput(Output):
    """What one rule says."""

    rule: str = Field(description="The rule, such as `role`, `grant`, `no_grant` or `key_actions`.")
    allowed: bool = Field(description="Whether it allows it.")
    id: UUID | None = Field(description="Of the grant or the key that it is about.")
    detail: str = Field(description="For people, in the language of `Accept-Language`.")


class HolderKeyOutput(Output):
    """A key that may do something."""

    id: UUID = Field(description="Id of the key.")
    name: str = Field(description="For people.")
    prefix: str = Field(description="How its text begins.")


class HolderOutput(Output):
    """A principal that may do something, and those of its keys that may."""

    id: UUID = Field(description="Its id.")
    kind: str = Field(description="`user` or `integration`.")
    name: str = Field(description="Its name.")
    role: str = Field(description="What it may do at most.")
    reach: str = Field(description="`all` clients, or those that it was `granted`.")
    keys: list[HolderKeyOutput] = Field(description="Its valid keys that may, at most 100.")


class ReachedOutput(Output):
    """A client that can be reached."""

    client_id: str = Field(description="Id of the client.")
    read: bool = Field(description="Whether it can be seen.")
    actions: list[str] | None = Field(description="The actions that can be commanded. null: all.")


class AccessOutput(Output):
    """The answer; what the question was not about is null."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "principal": {
            "id": "0193b3c0-0000-7000-8000-0000000000a1",
            "kind": "integration",
            "name": "wms",
            "role": "operator",
            "reach": "granted",
            "status": "active",
        },
        "key": None,
        "client": "pos-7",
        "action": "reboot",
        "want": "command",
        "allowed": False,
        "client_allows": True,
        "reasons": [
            {
                "rule": "role",
                "allowed": True,
                "id": None,
                "detail": "The role operator has the permissions: read, command.",
            },
            {"rule": "no_grant", "allowed": False, "id": None, "detail": "No grant allows it for this client."},
        ],
        "holders": None,
        "permissions": None,
        "clients": None,
        "next_cursor": None,
    }

    principal: PrincipalOutput | None = Field(description="Who was asked about.")
    key: KeyOutput | None = Field(description="The key that was asked about.")
    client: str | None = Field(description="The client that was asked about.")
    action: str | None = Field(description="The action that was asked about.")
    want: Want | None = Field(description="`read` or `command`.")
    allowed: bool | None = Field(description="With who and a client: whether role, grants and key allow it.")
    client_allows: bool | None = Field(description="With who and a client: whether the client's own limits allow it.")
    reasons: list[ReasonOutput] | None = Field(description="With who and a client: what each rule says.")
    holders: list[HolderOutput] | None = Field(description="With a client alone: who may do it.")
    permissions: list[str] | None = Field(description="Without a client: what may be done at all.")
    clients: list[ReachedOutput] | None = Field(description="Without a client: which clients, in order of their ids.")
    next_cursor: NextCursor = None

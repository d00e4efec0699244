"""The bodies of keys."""

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from hub.api.description import example
from hub.api.field_catalogue import invalid
from hub.api.pages import NextCursor
from hub.api.shapes import Input, Moment, Output
from hub.core.access.rules.permissions import KeyLimits
from hub.core.access.service.keys import KeyRequest
from hub.core.access.shapes.targets import Actions, Addresses, ClientsOfKey, Name, Permissions, ordered

KeyStatus = Literal["active", "disabled", "expired", "revoked"]
KEY_STATUS = "`active`; `disabled`: its principal is; `expired`; `revoked`."
LONGEST_OVERLAP_DAYS = 90
DEFAULT_OVERLAP = "24h"
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PERMISSIONS = "What it may do, of what its role may. null: all of that."
_ACTIONS = "The actions that it may read and command. null: all."
_TARGETS = "The clients that it is for. null: all that its principal reaches."
_ADDRESSES = "IP addresses and networks that it may be used from. null: all."
_EXPIRES = "When it ends. null: never."


def _overlap(text: str) -> str:
    if duration(text) > timedelta(days=LONGEST_OVERLAP_DAYS):
        raise invalid("too_many_days", days=LONGEST_OVERLAP_DAYS)
    return text


def duration(text: str) -> timedelta:
    """A duration such as `24h`."""
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])


class KeyInput(Input):
    """A key to be made. What is left out does not limit it, beyond its principal's role and grants."""

    name: Name | None = Field(None, description="For people, such as the machine that it is for.")
    permissions: Permissions | None = Field(None, description=_PERMISSIONS)
    actions: Actions | None = Field(None, description=_ACTIONS)
    targets: list[ClientsOfKey] | None = Field(None, min_length=1, max_length=50, description=_TARGETS)
    addresses: Addresses | None = Field(None, description=_ADDRESSES)
    expires_at: Moment | None = Field(None, description=_EXPIRES)

    EXAMPLES: ClassVar = {
        "minimal": example("A key that may do what its principal may", name="server 1"),
        "full": example(
            "A key that may only print in one zone, from one network, until the end of a year",
            name="label line",
            permissions=["read", "command", "document"],
            actions=["print"],
            targets=[{"zone": "hall-1"}],
            addresses=["192.0.2.0/24", "2001:db8::7"],
            expires_at="2199-12-31T00:00:00Z",
        ),
    }

    def limits(self) -> KeyLimits:
        """What limits it."""
        targets = None if self.targets is None else tuple(dict.fromkeys(one.to_request() for one in self.targets))
        return KeyLimits(
            permissions=ordered(None if self.permissions is None else list(self.permissions)),
            actions=ordered(self.actions),
            targets=targets,
            addresses=ordered(self.addresses),
            expires_at=self.expires_at,
        )

    def to_request(self) -> KeyRequest:
        """As the service takes it."""
        return KeyRequest(self.name or "", self.limits())


class RotationInput(Input):
    """How a key is replaced."""

    overlap: Annotated[str, AfterValidator(_overlap)] = Field(
        DEFAULT_OVERLAP,
        pattern=r"^[0-9]{1,9}[smhd]$",
        description="How long the old key stays valid beside the new one, such as 30m, 24h or 7d; 0s: not at all.",
    )

    EXAMPLES: ClassVar = {
        "minimal": example("The old key stays valid for a day"),
        "full": example("The old key stays valid for an hour", overlap="1h"),
    }


_KEY: dict[str, Any] = {
    "id": "0193b3c0-0000-7000-8000-0000000000e1",
    "principal_id": "0193b3c0-0000-7000-8000-0000000000a1",
    "principal": "wms",
    "principal_kind": "integration",
    "name": "label line",
    "prefix": "fhk_4tXq9LmB",
    "permissions": ["command", "document", "read"],
    "actions": ["print"],
    "targets": [{"zone": "hall-1"}],
    "addresses": ["192.0.2.0/24"],
    "status": "active",
    "created_at": "2026-11-21T08:00:00Z",
    "created_by": "0193b3c0-0000-7000-8000-0000000000a0",
    "expires_at": None,
    "last_used_at": "2026-11-21T08:05:00Z",
    "last_address": "192.0.2.17",
    "revoked_at": None,
}


class KeyOutput(Output):
    """A key, without its text: that is stored nowhere."""

    EXAMPLE: ClassVar = _KEY

    id: UUID = Field(description="Id of the key.")
    principal_id: UUID = Field(description="Whose it is.")
    principal: str = Field(description="The name of whose it is.")
    principal_kind: str = Field(description="`user` or `integration`.")
    name: str = Field(description="For people.")
    prefix: str = Field(description="How its text begins: for people to tell keys apart.")
    permissions: list[str] | None = Field(description=_PERMISSIONS)
    actions: list[str] | None = Field(description=_ACTIONS)
    targets: list[dict[str, Any]] | None = Field(description=_TARGETS)
    addresses: list[str] | None = Field(description=_ADDRESSES)
    status: KeyStatus = Field(description=KEY_STATUS)
    created_at: datetime = Field(description="When it was made.")
    created_by: UUID | None = Field(description="The principal that made it; null: the hub itself.")
    expires_at: datetime | None = Field(description=_EXPIRES)
    last_used_at: datetime | None = Field(description="When it was last used, to a minute.")
    last_address: str | None = Field(description="From where it was used then.")
    revoked_at: datetime | None = Field(description="When it was revoked.")


class NewKeyOutput(KeyOutput):
    """A key that was just made, with its text."""

    EXAMPLE: ClassVar = {**_KEY, "last_used_at": None, "last_address": None, "key": "fhk_4tXq9LmB..."}

    key: str = Field(description="The key itself, shown only once.")


class KeyPage(Output):
    """Keys in the order in which they were made."""

    items: list[KeyOutput] = Field(description="The keys of this page.")
    next_cursor: NextCursor = None

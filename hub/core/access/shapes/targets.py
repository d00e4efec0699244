"""Which clients a grant or a key names, and what is in words that all bodies share."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from hub.api.field_catalogue import invalid
from hub.api.shapes import ActionName, Input, Slug, Tag, number_of
from hub.core.access.rules.addresses import MOST_ADDRESSES, normal
from hub.core.access.rules.permissions import OF_KEYS
from hub.core.access.rules.targets import ClientsNamed
from hub.errors import FieldProblem

Role = Literal["admin", "operator", "viewer"]
Reach = Literal["all", "granted"]
PermissionName = Literal["read", "command", "document", "administer", "decide", "pair", "audit"]
assert set(PermissionName.__args__) == set(OF_KEYS)  # type: ignore[attr-defined]  # noqa: S101 - typed once more
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029]")


def _plain(text: str) -> str:
    if text != text.strip() or _CONTROL.search(text):
        raise invalid("blank")
    return text


def _network(text: str) -> str:
    try:
        return normal(text)
    except ValueError:
        raise invalid("network") from None


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]
"""Of a principal or a key."""
Address = Annotated[str, Field(max_length=50, pattern=r"^[0-9A-Fa-f:./]+$"), AfterValidator(_network)]
Actions = Annotated[list[ActionName], Field(min_length=1, max_length=100)]
Addresses = Annotated[list[Address], Field(min_length=1, max_length=MOST_ADDRESSES)]
Permissions = Annotated[list[PermissionName], Field(min_length=1, max_length=len(OF_KEYS))]
_NAMES = ("client", "group", "zone", "tags", "all")


def ordered(names: list[str] | None) -> tuple[str, ...] | None:
    """Words as they are stored: each once, so that what says the same looks the same."""
    return None if names is None else tuple(sorted(set(names)))


class ClientsOfKey(Input):
    """Clients of one kind of target: exactly one of these fields."""

    client: Slug | None = Field(None, description="Id of a client.")
    group: Slug | None = Field(None, description="Id of a group: its clients, whichever they are at the time.")
    zone: str | None = Field(None, min_length=1, max_length=100, description="The clients of a zone.")
    tags: list[Tag] | None = Field(
        None, min_length=1, max_length=20, description="The clients that have all of these tags."
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[FieldProblem]:
        """See `Input`."""
        names = tuple(cls.model_fields)
        if number_of(given, *names) != 1:
            yield FieldProblem("", "one_of", {"names": names})

    def to_request(self) -> ClientsNamed:
        """As the service takes it."""
        if self.tags is not None:
            return ClientsNamed("tags", tags=ordered(list(self.tags)))
        return next(
            ClientsNamed(kind, name)
            for kind in ("client", "group", "zone")
            if (name := getattr(self, kind)) is not None
        )


class ClientsOfGrant(ClientsOfKey):
    """The same, or all clients."""

    all: Literal[True] | None = Field(None, description="Every client, also those that come later.")

    def to_request(self) -> ClientsNamed:
        """As the service takes it."""
        return ClientsNamed("all") if self.all else super().to_request()

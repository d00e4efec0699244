"""Which clients grants and keys name: one kind of target each. Pure: the database knows which clients they are."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ClientsNamed:
    """One client, the clients of a group or a zone, those that have all of some tags, or all."""

    kind: str
    """`client`, `group`, `zone`, `tags` or `all`."""
    name: str | None = None
    """The id of the client or group, or the zone."""
    tags: tuple[str, ...] | None = None

    @classmethod
    def of_row(cls, kind: str, name: str | None, tags: Collection[str] | None) -> Self:
        """As the tables have it."""
        return cls(kind, name, None if tags is None else tuple(tags))

    def as_json(self) -> dict[str, Any]:
        """As the API says it: `{"zone": "a"}`."""
        if self.kind == "all":
            return {"all": True}
        return {self.kind: self.name if self.tags is None else list(self.tags)}

    def is_within(self, others: Iterable["ClientsNamed"]) -> bool:
        """Whether it names no client that none of the others names, whatever changes among the clients."""
        return any(self._is_within(other) for other in others)

    def _is_within(self, other: "ClientsNamed") -> bool:
        if other.kind == "all" or self == other:
            return True
        return self.kind == other.kind == "tags" and set(self.tags or ()) >= set(other.tags or ())


EVERY_CLIENT = ClientsNamed("all")

"""Which clients a request means. Pure: the store looks them up."""

from dataclasses import dataclass
from typing import Any

MOST_TARGETS = 20_000
"""Clients of one request. A guess with room: 10,000 are stored in about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Clients by their ids, or all that fit each condition given; without any condition, every client.

    Retired clients are never meant, except by their id.
    """

    clients: tuple[str, ...] | None = None
    group: str | None = None
    zone: str | None = None
    tags_all: tuple[str, ...] = ()
    tags_any: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As a request says it."""
        if self.clients is not None:
            return {"clients": list(self.clients)}
        said: dict[str, Any] = {}
        if self.group is not None:
            said["group"] = self.group
        if self.zone is not None:
            said["zone"] = self.zone
        tags = {"all": list(self.tags_all), "any": list(self.tags_any)}
        if any(tags.values()):
            said["tags"] = {name: names for name, names in tags.items() if names}
        return said or {"all": True}

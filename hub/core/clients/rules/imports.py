"""What a list of clients says of one that there is: pure."""

from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, Any] = {
    "kind": "other",
    "zone": None,
    "tags": [],
    "metadata": {},
    "allowed_actions": None,
    "rate_limit": 60,
    "max_commands_per_day": 1_000,
}
"""Of a new client, for what a list does not say."""
_UNORDERED = frozenset({"tags", "groups", "allowed_actions"})


def filled(client_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a new client, without its groups."""
    fields = {name: said.get(name, default) for name, default in DEFAULTS.items()}
    return {"name": said.get("name", client_id), **fields}


def differences(said: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a list says otherwise than it is: before and after, by field. What it does not say is no difference, and of
    `metadata` only the names that it has count."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, wanted in said.items():
        is_, after = there[name], wanted
        if name == "metadata":
            after = {**is_, **wanted}
        elif name in _UNORDERED and is_ is not None and sorted(set(is_)) == sorted(set(wanted)):
            continue
        if is_ != after:
            found[name] = (is_, after)
    return found

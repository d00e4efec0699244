"""What an explanation does not name to whoever may not read it: other commands and batches. Pure."""

from collections.abc import Mapping, Set
from typing import Any
from uuid import UUID

HIDDEN = {"en": "(not shown to you)", "ko": "(표시 권한 없음)"}
"""In a sentence, in place of an id."""


def ids_in(*details: Mapping[str, Any] | None) -> set[UUID]:
    """The ids that details name, alone or in lists; the log has them as texts."""
    found: set[UUID] = set()
    for detail in details:
        for value in (detail or {}).values():
            found |= {one for one in map(_id, value if isinstance(value, list) else [value]) if one is not None}
    return found


def without(detail: Mapping[str, Any], hidden: Set[UUID]) -> dict[str, Any]:
    """The same details without hidden ids: null in place of one; a list leaves them out, and `others` counts them."""
    if not hidden & ids_in(detail):
        return dict(detail)
    shown: dict[str, Any] = {}
    for name, value in detail.items():
        if isinstance(value, list):
            shown[name] = [one for one in value if _id(one) not in hidden]
            if left_out := len(value) - len(shown[name]):
                shown["others"] = left_out
        else:
            shown[name] = None if _id(value) in hidden else value
    return shown


def in_words(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details as the sentences take them: words in place of ids that are hidden."""
    return {name: HIDDEN if value is None and name.endswith("_id") else value for name, value in details.items()}


def _id(value: object) -> UUID | None:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or len(value) != 36:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None

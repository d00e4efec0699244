"""Lists in pages: a cursor is where the page before ended, opaque to callers."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import Field

from hub.errors import FieldProblem, RejectedError

Row = TypeVar("Row")
Place = TypeVar("Place")

MOST = 200
NEXT_PAGE = "`next_cursor` of the page before; without it, the first page."
NextCursor = Annotated[str | None, Field(description="Pass it as `cursor` to get the next page; null on the last one.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Entries in a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description=NEXT_PAGE)]
"""Of a list by id: see `from_cursor`."""
SlugCursor = Annotated[str | None, Query(max_length=63, pattern=r"^[a-z0-9-]+$", description=NEXT_PAGE)]
"""Of a list in order of names that are slugs: the last one of the page before."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row, Place]):
    """Some rows of a list, and where the next page begins (None at the end)."""

    rows: Sequence[Row]
    following: Place | None

    @classmethod
    def of(cls, rows: Sequence[Row], limit: int, place: Callable[[Row], Place]) -> "Page[Row, Place]":
        """From up to `limit + 1` rows: the one too many says that there are more."""
        return cls(rows[:limit], place(rows[limit - 1]) if len(rows) > limit else None)


def to_cursor(place: UUID | datetime | str | None) -> str | None:
    """Where a page ended, as callers get it to fetch the next one: an id, a time, or a name as it is."""
    match place:
        case UUID():
            return base64.urlsafe_b64encode(place.bytes).rstrip(b"=").decode()
        case datetime():
            return place.isoformat().replace("+00:00", "Z")
        case _:
            return place


def from_cursor(cursor: str | None) -> UUID | None:
    """The id in a cursor. Raises RejectedError."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=base64.b64decode(cursor + "==", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise RejectedError("validation_error", fields=(FieldProblem("cursor", "cursor"),)) from None

"""Printers as their clients reported them."""

from datetime import datetime
from typing import Any

import msgspec

from hub.core.access.rules import Scope
from hub.database.engine import Connection
from hub.database.statements import Statement
from hub.features.printing.rules import Place


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which printers; what is None lets everything through."""

    client_id: str | None = None
    zone: str | None = None
    group: str | None = None
    tag: str | None = None
    presence: str | None = None
    name: str | None = None
    model: str | None = None
    """A part of the model's name, in any case."""
    states: list[str] | None = None
    reason: str | None = None


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A printer in the report of its client; `place` counts from 1 in that report."""

    client_id: str
    client_name: str
    zone: str | None
    presence: str
    reported_at: datetime | None
    place: int
    state: str
    printer: dict[str, Any]


_PAGE = Statement("features/printing", "page", Reported, fresh_plan=True)


async def page(
    connection: Connection, wanted: Filter, scope: Scope, *, after: Place | None, limit: int
) -> list[Reported]:
    """Printers of clients that a caller may read, in order of their clients' ids, after one of them."""
    client_id, place = (None, None) if after is None else (after.client_id, after.number)
    return await _PAGE.fetch_all(
        connection,
        **msgspec.structs.asdict(wanted),
        **scope.parameters,
        after_client=client_id,
        after_place=place,
        most=limit,
    )

"""The printers of all clients."""

from typing import Any

import msgspec

from hub.api.pages import Page
from hub.api.text import require_storable
from hub.core.access.rules import Caller
from hub.database.engine import Database
from hub.features.printing import store
from hub.features.printing.rules import Place, details
from hub.features.printing.store import Filter, Reported


class Printers:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, caller: Caller, wanted: Filter, *, after: Place | None, limit: int
    ) -> Page[dict[str, Any], str]:
        """Up to `limit` printers of clients that a caller may read, by the fields of `PrinterOutput`, in order of their
        clients' ids."""
        require_storable(**msgspec.structs.asdict(wanted))
        async with self._database.connection() as connection:
            rows = await store.page(connection, wanted, caller.scope, after=after, limit=limit + 1)
        page = Page.of(rows, limit, lambda row: str(Place(row.client_id, row.place)))
        return Page([_shown(row) for row in page.rows], page.following)


def _shown(row: Reported) -> dict[str, Any]:
    return {
        "client_id": row.client_id,
        "client_name": row.client_name,
        "zone": row.zone,
        "presence": row.presence,
        "reported_at": row.reported_at,
        "state": row.state,
        **details(row.printer),
    }

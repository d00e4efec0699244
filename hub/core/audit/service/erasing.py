"""Erasing a person's data from the trail, which stays provable: of a row's texts their salted digest is left."""

from dataclasses import dataclass
from uuid import UUID

from hub.core.audit.rules.chain import digest_of
from hub.core.audit.rules.ids import Ids
from hub.core.audit.store import Actor, record, seals
from hub.database.engine import Database

RESOURCES = ("principal", "user", "integration", "key", "api_key", "session", "grant", "login")
"""Resources whose rows may tell of a person, by the person's id or name."""
_PORTION = 500


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: rows of the trail, and security events."""

    rows: int
    security_events: int


class Erasing:
    """The service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def erase(self, actor: Actor, principal_id: UUID, names: tuple[str, ...]) -> Erased:
        """Erase address and detail of all rows by a principal, or about it (with its id or one of its `names`), and
        of its security events. Each portion leaves a row that says which. Raises UnavailableError."""
        after, rows = 0, 0
        while True:
            async with self._database.transaction() as connection:
                found = await seals.of_person(connection, principal_id, names, RESOURCES, after, _PORTION)
                if not found:
                    if not rows:
                        nothing = {"number": 0, "rows": str(Ids())}
                        await record(connection, actor, "audit.erase", "principal", str(principal_id), nothing)
                    break
                after = found[-1].id
                number = await seals.erase(connection, {row.id: digest_of(row) for row in found})
                rows += number
                detail = {"number": number, "rows": str(Ids.of(row.id for row in found))}
                await record(connection, actor, "audit.erase", "principal", str(principal_id), detail)
        async with self._database.transaction() as connection:
            events = await seals.erase_security_events(connection, principal_id)
        return Erased(rows, events)

"""Why a command stands where it stands: gathers the facts, and lets the domain decide."""

from collections.abc import Callable
from uuid import UUID

from hub.domain.explanation import Explanation, explain
from hub.errors import NotFoundError
from hub.store import explanation as store
from hub.store.engine import Database


class Explaining:
    """The service. `broker_connected` says whether this process is at the broker; None: it has no part in that."""

    def __init__(self, database: Database, broker_connected: Callable[[], bool | None]) -> None:
        self._database = database
        self._broker_connected = broker_connected

    async def explain(self, command_id: UUID) -> Explanation:
        """One cause. Raises NotFoundError."""
        async with self._database.connection() as connection:
            facts = await store.facts(connection, command_id)
        if facts is None:
            raise NotFoundError("command_not_found", command_id=command_id)
        return explain(facts, broker_connected=self._broker_connected())

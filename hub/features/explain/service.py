"""Why commands stand where they stand: gathers the facts, and lets the domain decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub.core.commands.store import commands as command_store
from hub.database.engine import Connection, Database
from hub.errors import NotFoundError
from hub.features.explain import store as store
from hub.features.explain.rules.causes import Explanation, explain
from hub.features.explain.rules.timeline import Hop, way
from hub.telemetry.log import Event, Log

MOST_NAMED = 50
"""Commands whose causes are named for the log in one go."""
STANDS_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Told:
    """What keeps a command, and its whole way until now."""

    explanation: Explanation
    way: list[Hop]


class Explaining:
    """The service. `broker_connected` says whether any hub process is at the broker; None: nobody has said."""

    def __init__(self, database: Database, broker_connected: Callable[[], bool | None], log: Log) -> None:
        self._database = database
        self._broker_connected = broker_connected
        self._log = log

    async def explain(self, command_id: UUID) -> Told:
        """One cause and the way. Raises NotFoundError."""
        async with self._database.connection() as connection:
            found = (await store.facts(connection, [command_id])).get(command_id)
            if found is None:
                raise NotFoundError("command_not_found", command_id=command_id)
            logs = await command_store.logs(connection, command_id)
        explanation = explain(found, broker_connected=self._broker_connected())
        return Told(explanation, way(found, logs))

    async def causes(self, connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Explanation]:
        """What keeps each of the first of these commands, in the caller's transaction; one statement for all."""
        found = await store.facts(connection, ids[:MOST_NAMED])
        connected = self._broker_connected()
        return {command_id: explain(facts, broker_connected=connected) for command_id, facts in found.items()}

    async def tell_standing(self) -> int:
        """Log commands that have stood still for a minute although their clients are online; how many."""
        async with self._database.connection() as connection:
            ids = await store.standing(connection, longer_than_s=STANDS_AFTER_S, most=MOST_NAMED)
            standing = await store.facts(connection, ids) if ids else {}
        connected = self._broker_connected()
        for command_id, facts in standing.items():
            found = explain(facts, broker_connected=connected)
            self._log.warning(
                Event.COMMAND_STANDS,
                command_id=command_id,
                client_id=facts["client_id"],
                cause=found.cause.value,
                details=dict(found.details),
            )
        return len(standing)

"""Why commands have not run yet: gathers the facts, and lets the causes of all subjects decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from hub.core.access.rules import Caller
from hub.core.commands.service import reach
from hub.core.commands.store import commands as command_store
from hub.database.engine import Connection, Database
from hub.errors import NotFoundError
from hub.features.explain import store
from hub.features.explain.rules import hiding
from hub.features.explain.rules.causes import Explanation, explain
from hub.features.explain.rules.timeline import Step, timeline
from hub.features.explain.telemetry import Event
from hub.subject import Cause
from hub.telemetry.log import Log

MOST_NAMED = 50
"""Commands whose causes are named for the log in one go."""
STALLED_AFTER_S = 60.0


@dataclass(frozen=True, slots=True)
class Explained:
    """What keeps a command, and its whole timeline until now."""

    explanation: Explanation
    timeline: list[Step]


class Explaining:
    """The service. `broker_connected` says whether any hub process is at the broker; None: nobody has said."""

    def __init__(
        self, database: Database, causes: Sequence[Cause], broker_connected: Callable[[], bool | None], log: Log
    ) -> None:
        self._database = database
        self._causes = causes
        self._broker_connected = broker_connected
        self._log = log

    async def explain(self, caller: Caller, command_id: UUID) -> Explained:
        """One cause and the timeline of a command that a caller may read; of other commands and batches only those are
        named that he may read. Raises NotFoundError."""
        async with self._database.connection() as connection:
            for refusal in (await reach.refusals(connection, caller, [command_id], "read")).values():
                raise refusal
            found = (await self._facts(connection, [command_id])).get(command_id)
            if found is None:
                raise NotFoundError("command_not_found", command_id=command_id)
            logs = await command_store.logs(connection, command_id)
            cause, steps = explain(found, self._causes), timeline(found, logs)
            if not caller.scope.limited:
                return Explained(cause, steps)
            named = hiding.ids_in(cause.details, *(step.detail for step in steps))
            hidden = await store.hidden(connection, named, caller.scope) if named else set()
        return Explained(
            replace(cause, details=hiding.without(cause.details, hidden)),
            [replace(step, detail=step.detail and hiding.without(step.detail, hidden)) for step in steps],
        )

    async def codes(self, connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
        """What keeps each of the first of these commands, in the caller's transaction; one statement for all."""
        found = await self._facts(connection, ids[:MOST_NAMED])
        return {command_id: explain(facts, self._causes).code for command_id, facts in found.items()}

    async def log_stalled(self) -> int:
        """Log commands that nothing has moved for a minute although their clients are online; how many."""
        async with self._database.connection() as connection:
            ids = await store.stalled(connection, longer_than_s=STALLED_AFTER_S, most=MOST_NAMED)
            stalled = await self._facts(connection, ids) if ids else {}
        for command_id, facts in stalled.items():
            found = explain(facts, self._causes)
            self._log.warning(
                Event.COMMAND_STALLED,
                command_id=command_id,
                client_id=facts.client_id,
                cause=found.code,
                details=dict(found.details),
            )
        return len(stalled)

    async def _facts(self, connection: Connection, ids: Sequence[UUID]) -> dict[UUID, store.Facts]:
        return await store.facts(connection, ids, broker_connected=self._broker_connected())

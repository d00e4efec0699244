"""Looking commands up, listing and cancelling them, and closing what is overdue."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from hub.api.pages import Page
from hub.batching import Batcher
from hub.core.access.rules import EVERYTHING, Caller
from hub.core.audit import store as audit
from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import ENDED, CancelRequested, DeadlinePassed, Ignore
from hub.core.commands.service import reach
from hub.core.commands.store import commands as store
from hub.core.commands.store import transitions
from hub.core.commands.store.commands import Filter, StoredCommand, StoredLog
from hub.core.commands.store.ports import Transitions
from hub.core.commands.telemetry import Event, Metrics
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, NotFoundError
from hub.signals.ports import Signals
from hub.telemetry.log import Log

Causes = Callable[[Connection, Sequence[UUID]], Awaitable[dict[UUID, str]]]
"""For some of these commands the code of what keeps them."""


class Commands:
    """The service for single commands; `reader.run` must be running."""

    def __init__(
        self,
        database: Database,
        signals: Signals,
        metrics: Metrics,
        log: Log,
        *,
        transitions: Transitions = transitions,
    ) -> None:
        self._database = database
        self._transitions = transitions
        self._signals = signals
        self._metrics = metrics
        self._log = log
        self.causes: Causes | None = None
        """Names for the log what kept commands that are overdue; set by the subject that explains."""
        self.reader: Batcher[UUID, StoredCommand | None] = Batcher(self._find)

    async def get(self, caller: Caller, command_id: UUID, want: str = "read") -> StoredCommand:
        """One command that a caller may read, or `want` something else of; look-ups of those who may see everything
        share a statement when they coincide. Raises NotFoundError."""
        scope = caller.scope
        if scope.limited:
            async with self._database.connection() as connection:
                found = (await store.find(connection, [command_id], scope, want)).get(command_id)
        else:
            found = await self.reader.submit(command_id)
        if found is None:
            raise NotFoundError("command_not_found", command_id=command_id)
        return found

    async def _find(self, ids: list[UUID]) -> list[StoredCommand | None]:
        async with self._database.connection() as connection:
            found = await store.find(connection, ids, EVERYTHING)
        return [found.get(command_id) for command_id in ids]

    async def logs(self, caller: Caller, command_id: UUID) -> list[StoredLog]:
        """Every change of a command, oldest first. Raises NotFoundError."""
        async with self._database.connection() as connection:
            if command_id not in await store.find(connection, [command_id], caller.scope):
                raise NotFoundError("command_not_found", command_id=command_id)
            return await store.logs(connection, command_id)

    async def page(
        self, caller: Caller, wanted: Filter, *, before: UUID | None, limit: int
    ) -> Page[StoredCommand, UUID]:
        """Up to `limit` commands that a caller may read, newest first."""
        async with self._database.connection() as connection:
            rows = await store.page(connection, wanted, caller.scope, before=before, limit=limit + 1)
        return Page.of(rows, limit, lambda row: row.id)

    async def cancel(self, caller: Caller, command_id: UUID) -> StoredCommand:
        """Ask for a cancel. Pending: cancelled at once. Handed out: the agent is asked until it answers, and what it
        has done already wins. Idempotent. Raises NotFoundError, RejectedError `grant_missing`, or ConflictError when it
        has ended otherwise."""
        async with self._database.transaction() as connection:
            for refusal in (await reach.refusals(connection, caller, [command_id])).values():
                raise refusal
            locked = await self._transitions.lock(connection, [command_id])
            command = locked.get(command_id)
            if command is None:
                raise NotFoundError("command_not_found", command_id=command_id)
            decision = lifecycle.decide(command.state, CancelRequested(), command.now)
            if command.fold(decision):
                await self._transitions.apply(connection, [command])
                await audit.record(connection, caller, "command.cancel", "command", str(command_id))
        status = command.state.status
        if isinstance(decision, Ignore) and status in ENDED and status is not lifecycle.Status.CANCELLED:
            raise ConflictError("command_ended", command_id=command_id, status=status.value)
        self._log.info(Event.COMMAND_CHANGED, command_id=command_id, client_id=command.client_id, status=status.value)
        if status in ENDED:
            self._signals.work_for([command.client_id])
            self._signals.ended([command_id])
        else:
            self._signals.send_again()
        return await self.get(caller, command_id, "command")

    async def close_overdue(self, most: int = 500) -> int:
        """Decide about commands whose deadline has passed; how many there were."""
        async with self._database.transaction() as connection:
            overdue = await self._transitions.lock_overdue(connection, most)
            # Before anything is decided: afterwards they have only ended.
            kept_by: dict[UUID, str] = {}
            if overdue and self.causes is not None:
                kept_by = await self.causes(connection, [command.id for command in overdue])
            for command in overdue:
                command.fold(lifecycle.decide(command.state, DeadlinePassed(), command.now))
            await self._transitions.apply(connection, overdue)
        for command in overdue:
            self._metrics.completed.labels(command.state.status.value).inc()
            self._log.warning(
                Event.COMMAND_OVERDUE,
                command_id=command.id,
                client_id=command.client_id,
                status=command.state.status.value,
                cause=kept_by.get(command.id),
            )
        self._signals.work_for({command.client_id for command in overdue})
        self._signals.ended(command.id for command in overdue if command.state.status in ENDED)
        return len(overdue)

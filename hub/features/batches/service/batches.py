"""Batches after they were stored: how far they are, pausing, resuming and cancelling them, and their end."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import asdict

from hub.api.pages import Page
from hub.core.access.rules import EVERYTHING, Caller, Scope
from hub.core.audit import store as audit
from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import ENDED, CancelRequested
from hub.core.commands.store import transitions
from hub.database.engine import Connection, Database
from hub.errors import ConflictError, NotFoundError, RejectedError
from hub.features.batches import rules as batches
from hub.features.batches import store as store
from hub.features.batches.rules import BatchStatus, Change
from hub.features.batches.store import Batch, BatchCommand
from hub.features.batches.telemetry import Event
from hub.signals.ports import Signals
from hub.telemetry.log import Log

CHUNK = 500
"""Commands that are cancelled in one transaction, so that reports about them do not wait for long."""


class BatchProgress(Batch, frozen=True, kw_only=True):
    """A batch and how far it is: its commands by status, the rejected ones by code, and how many unfinished ones have a
    client that is away (`offline`) or gives no sign (`unresponsive`)."""

    counts: dict[str, int]
    rejections: dict[str, int]
    offline: int
    unresponsive: int


class Batches:
    """The service."""

    def __init__(self, database: Database, signals: Signals, log: Log) -> None:
        self._database = database
        self._signals = signals
        self._log = log

    async def get(self, caller: Caller, batch_id: UUID) -> BatchProgress:
        """A batch and how far it is, counted now. Raises NotFoundError, also for one that the caller is not allowed to
        see."""
        return await self._get(caller.scope, batch_id)

    async def created(self, batch_id: UUID) -> BatchProgress:
        """The same for whoever has just made it."""
        return await self._get(EVERYTHING, batch_id)

    async def _get(self, scope: Scope, batch_id: UUID) -> BatchProgress:
        async with self._database.connection() as connection:
            batch = await store.get(connection, scope, batch_id)
            if batch is None:
                raise NotFoundError("batch_not_found", batch_id=batch_id)
            progress = await store.progress(connection, scope, batch_id)
        counts = dict.fromkeys((status.value for status in lifecycle.Status), 0)
        rejections: dict[str, int] = {}
        blocked_by = {"offline": 0, "unresponsive": 0}
        for count in progress:
            counts[count.status] += count.number
            if count.code is not None:
                rejections[count.code] = count.number
            if count.blocked_by is not None:
                blocked_by[count.blocked_by] += count.number
        return BatchProgress(
            **asdict(batch),
            counts=counts,
            rejections=rejections,
            offline=blocked_by["offline"],
            unresponsive=blocked_by["unresponsive"],
        )

    async def page(
        self, caller: Caller, *, before: UUID | None, limit: int, statuses: Sequence[str] | None = None
    ) -> Page[Batch, UUID]:
        """Up to `limit` batches that the caller may see, newest first."""
        async with self._database.connection() as connection:
            rows = await store.page(connection, caller.scope, before=before, statuses=statuses, limit=limit + 1)
        return Page.of(rows, limit, lambda batch: batch.id)

    async def rows(
        self,
        caller: Caller,
        batch_id: UUID,
        *,
        after: UUID | None,
        limit: int,
        statuses: Sequence[str] | None = None,
        blocked_by: str | None = None,
    ) -> Page[BatchCommand, UUID]:
        """Up to `limit` commands of a batch, of those that the caller may read, in the order of its request."""
        async with self._database.connection() as connection:
            rows = await store.rows(
                connection,
                caller.scope,
                batch_id,
                after=after,
                statuses=statuses,
                blocked_by=blocked_by,
                limit=limit + 1,
            )
        return Page.of(rows, limit, lambda command: command.command_id)

    async def change(self, caller: Caller, batch_id: UUID, change: Change) -> BatchProgress:
        """Pause, resume or cancel; idempotent. The batch as it stands then.

        Pause and cancel count at once: nothing that was not handed out is handed out any more when this answers. A
        cancel is asked for each command, as for a single one. Raises NotFoundError, RejectedError when the caller is
        not allowed to command all that it still has open, or ConflictError when the batch has ended otherwise.
        """
        async with self._database.transaction() as connection:
            if await store.get(connection, caller.scope, batch_id) is None:
                raise NotFoundError("batch_not_found", batch_id=batch_id)
            batch = await store.lock(connection, batch_id)
            if batch is None:
                raise NotFoundError("batch_not_found", batch_id=batch_id)
            beyond = await store.beyond(connection, caller.scope, batch_id)
            if beyond is not None:
                raise RejectedError("grant_missing", client_id=beyond.client_id, action=beyond.action, access="command")
            goal = batches.after(batch.status, change)
            if goal is None:
                raise ConflictError("batch_ended", batch_id=batch_id, status=batch.status.value)
            woken: set[str] = set()
            if goal is not batch.status:
                woken = await _move(connection, batch_id, batch, goal, "requested")
                await audit.record(connection, caller, f"batch.{change.value}", "batch", str(batch_id))
        if goal is not batch.status:
            self._log.info(Event.BATCH_CHANGED, batch_id=batch_id, status=goal.value)
        self._signals.work_for(woken)
        if goal is BatchStatus.CANCELLED:
            await self._cancel_commands(batch_id)
        return await self.get(caller, batch_id)

    async def look(self, most: int = 500) -> bool:
        """Stop batches in which too many failed, go on with cancels that a hub left unfinished, and mark what has
        ended, `most` batches at a time. Any number of workers may look. True when a limit of failures is at stake:
        then look again soon."""
        at_stake = False
        after: UUID | None = None
        while True:
            async with self._database.connection() as connection:
                found = await store.look(connection, after=after, most=most)
            at_stake = await self._look_at(found) or at_stake
            if len(found) < most:
                return at_stake
            after = found[-1].id

    async def _look_at(self, found: Sequence[store.OpenBatch]) -> bool:
        at_stake = False
        for batch in found:
            stopped = batch.status is BatchStatus.CANCELLED
            if not stopped and batches.too_many(batch.failed, batch.max_failures):
                await self._stop(batch.id)
            elif batch.to_cancel:
                await self._cancel_commands(batch.id)
            at_stake = at_stake or (batch.max_failures is not None and not stopped)
        ended = [batch.id for batch in found if not batch.open]
        if ended:
            async with self._database.connection() as connection:
                await store.finish(connection, ended)
            for batch_id in ended:
                self._log.info(Event.BATCH_FINISHED, batch_id=batch_id)
        return at_stake

    async def _stop(self, batch_id: UUID) -> None:
        async with self._database.transaction() as connection:
            batch = await store.lock(connection, batch_id)
            if batch is None or batches.after(batch.status, Change.CANCEL) in (None, batch.status):
                return  # Somebody else was faster.
            await _move(connection, batch_id, batch, BatchStatus.CANCELLED, "max_failures")
        self._log.warning(Event.BATCH_STOPPED, batch_id=batch_id)
        await self._cancel_commands(batch_id)

    async def _cancel_commands(self, batch_id: UUID) -> None:
        """Ask for a cancel of each command, oldest first. If this process dies, a later look goes on."""
        while True:
            async with self._database.transaction() as connection:
                ids = await store.to_cancel(connection, batch_id, CHUNK)
                locked = list((await transitions.lock(connection, ids)).values())
                for command in locked:
                    command.fold(lifecycle.decide(command.state, CancelRequested(), command.now))
                await transitions.apply(connection, locked)
            if not ids:
                return
            ended = [command for command in locked if command.state.status in ENDED]
            self._signals.ended(command.id for command in ended)
            # What waited behind one of them by its order key may go now.
            self._signals.work_for({command.client_id for command in ended})
            if len(ended) < len(locked):
                self._signals.send_again()


async def _move(
    connection: Connection, batch_id: UUID, batch: store.LockedBatch, goal: BatchStatus, stop_reason: str
) -> set[str]:
    """Move a locked batch, and hold back or let go what has not ended; the clients that have work then."""
    await store.set_status(connection, batch_id, goal, stop_reason if goal is BatchStatus.CANCELLED else None)
    if goal is BatchStatus.RUNNING:
        return await store.release(connection, batch_id, shift=batch.staged, paused_at=batch.paused_at)
    await store.hold(connection, batch_id)
    return set()

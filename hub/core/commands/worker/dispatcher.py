"""Claim, commit, publish: wakes on signals, and once a second in any case.

A signal names the clients that may have work; the poll finds them in the database, so that a lost signal costs a
second and nothing else. Nothing is published before its claim is committed.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

from hub.core.commands.rules.lifecycle import LockedCommand
from hub.core.commands.store import dispatch
from hub.core.commands.store.ports import Dispatch
from hub.core.commands.telemetry import Event, Metrics
from hub.database.engine import Database
from hub.errors import UnavailableError
from hub.signals.ports import Publisher
from hub.telemetry.log import Event as LoopEvent
from hub.telemetry.log import Log
from schemas.messages import Run

POLL_S = 1.0
CLIENTS_AT_ONCE = 200
SKIPPED_PAUSE_S = 0.02
"""When to come back to clients whom another worker was serving just then: its look may have been before our news."""


class Dispatcher:
    """The loop; `run` must be running. `ready` says whether messages can be sent at all."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        metrics: Metrics,
        log: Log,
        *,
        handed_out: Callable[[Sequence[LockedCommand]], None] = lambda _: None,
        alone: Callable[[], bool] = lambda: False,
        dispatch: Dispatch = dispatch,
        poll_s: float = POLL_S,
    ) -> None:
        """`handed_out` hears of commands once their claim is committed, before they are published; `alone` says whether
        no other worker claims."""
        self._handed_out = handed_out
        self._alone = alone
        self._dispatch = dispatch
        self._emptied: set[str] = set()
        self._metrics = metrics
        self._database = database
        self._publisher = publisher
        self._log = log
        self._poll_s = poll_s
        self._wanted: set[str] = set()
        self._again = False
        self._wake = asyncio.Event()
        self.ready = False

    def work_for(self, client_ids: Iterable[str]) -> None:
        """These clients may have something due, something to be sent again, or room for more."""
        wanted = set(client_ids)
        self._emptied -= wanted
        before = len(self._wanted)
        self._wanted |= wanted
        if len(self._wanted) > before:
            self._wake.set()

    def room_for(self, client_ids: Iterable[str]) -> None:
        """Something of these clients ended: look, unless the last claim took all that they had. Only for a worker that
        is the only one; others may have left something over meanwhile."""
        self.work_for(set(client_ids) - self._emptied)

    def look_at_leases(self) -> None:
        """Something handed out may be due again, now."""
        self._again = True
        self._wake.set()

    async def run(self) -> None:
        """Dispatch until cancelled."""
        loop = asyncio.get_running_loop()
        next_poll = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(next_poll):
                    await self._wake.wait()
            self._wake.clear()
            if not self.ready:
                # Without a broker a claim would only start leases that run out.
                next_poll = loop.time() + self._poll_s
                continue
            try:
                due = loop.time() >= next_poll
                if due:
                    next_poll = loop.time() + self._poll_s
                await self.round(poll=due)
            except UnavailableError as problem:
                self._log.seldom("dispatcher").warning(LoopEvent.TASK_RETRY, task="dispatcher", code=problem.code)

    async def round(self, *, poll: bool = False) -> None:
        """Send what is due now; with `poll` also look for it in the database. Raises UnavailableError."""
        if poll:
            await self._poll()
        elif self._again:
            await self._send_again()
        await self._serve()

    async def _poll(self) -> None:
        await self._send_again()
        async with self._database.connection() as connection:
            self._wanted |= await self._dispatch.clients_with_work(connection)

    async def _send_again(self) -> None:
        self._again = False
        async with self._database.connection() as connection:
            cancels = await self._dispatch.resend_cancels(connection)
            runs = await self._dispatch.resend(connection)
        for cancel in cancels:
            self._publisher.cancel(cancel)
            self._log.info(Event.COMMAND_CANCEL_SENT, command_id=cancel.command_id, client_id=cancel.client_id)
        for run in runs:
            self._publish(run, Event.COMMAND_SENT_AGAIN)

    async def _serve(self) -> None:
        while self._wanted:
            wanted = list(self._wanted)[:CLIENTS_AT_ONCE]
            self._wanted.difference_update(wanted)
            try:
                async with self._database.connection() as connection:
                    claim = await self._dispatch.claim(connection, wanted, alone=self._alone())
            except UnavailableError:
                self._wanted.update(wanted)
                raise
            self._handed_out(claim.handed_out)
            for run in claim.runs:
                self._publish(run, Event.COMMAND_SENT)
            # Not those for whom something came in while the claim was under way.
            self._emptied.difference_update(wanted)
            self._emptied |= claim.emptied - self._wanted
            if claim.skipped:
                asyncio.get_running_loop().call_later(SKIPPED_PAUSE_S, self.work_for, claim.skipped)

    def _publish(self, run: Run, event: Event) -> None:
        self._publisher.run(run)
        self._metrics.sent.labels("first" if event is Event.COMMAND_SENT else "again").inc()
        self._log.info(event, command_id=run.command_id, client_id=run.client_id, attempt=run.attempt, lane=run.lane)

"""Firing schedules: one batch for each of their times, whatever number of workers look, and whenever one of them dies.

What proves it is one transaction: the schedule is locked, moved on to its next time, and its batch is stored, or none
of it happens. A worker that dies before the commit leaves the schedule due, for the next look of any other.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from hub.core.access.rules import WHOLE, Caller, KeyScope, Permission, may
from hub.core.audit import store as audit
from hub.database.engine import Connection, Database
from hub.errors import RejectedError, UnavailableError
from hub.features.batches.service.creation import BatchCreation, Prepared, Stored
from hub.features.schedules import store as store
from hub.features.schedules.rules import Decision, Misfire, Timetable, TimetableError, decide
from hub.features.schedules.service import requests as requests
from hub.features.schedules.store import Due, LockedDue
from hub.features.schedules.telemetry import Event
from hub.telemetry.log import Log

MISSED = "missed"
"""Nothing came of a time because no hub was there."""
REVOKED = "principal_revoked"
"""Nothing came of it because whoever it runs as is disabled, or is not allowed to command any of its clients now."""
_OF_REVOKED = ("no_targets", "group_not_found", "grant_missing")
"""What one who reaches none of the clients that are meant is told; to others it says that nobody is meant."""
UNREADABLE = "validation_error"
FAULT = "internal_error"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a time: a batch, or why there is none."""

    at: datetime
    next_at: datetime | None
    stored: Stored | None
    error: str | None
    missed: bool


class ScheduleRunner:
    """The service."""

    def __init__(self, database: Database, creation: BatchCreation, log: Log) -> None:
        self._database = database
        self._creation = creation
        self._log = log

    async def look(self, most: int = 100) -> None:
        """Fire what is due; `most` are read at a time. Any number of workers may look. One schedule that cannot
        be worked off now does not hold the others up: UnavailableError is raised after them."""
        problem: UnavailableError | None = None
        last: Due | None = None
        while True:
            async with self._database.connection() as connection:
                found = await store.due(connection, most, after=last)
            for due in found:
                try:
                    await self._judge(due)
                except UnavailableError as raised:
                    problem = raised
            if len(found) < most:
                break
            last = found[-1]
        if problem is not None:
            raise problem

    async def _judge(self, due: Due) -> None:
        scope = WHOLE if due.key_id is None else KeyScope(narrowed=True)
        caller = Caller(due.principal, None, key_id=due.key_id, key_scope=scope)
        try:
            await self._fire(caller, due, await self._prepare(caller, due))
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 - logged; whatever a schedule sends, it must not stop the hub and the others
            self._log.exception(Event.SCHEDULE_REFUSED, schedule_id=due.id, code=FAULT)
            await self._fire(caller, due, FAULT)

    async def _fire(self, caller: Caller, due: Due, prepared: Prepared | str) -> None:
        """The one transaction. Does nothing when somebody else was faster, or changed the schedule."""
        async with self._database.transaction() as connection:
            locked = await store.lock_due(connection, due)
            if locked is None:
                return
            outcome = await self._carry_out(connection, caller, due, locked, prepared)
            batch_id = None if outcome.stored is None else outcome.stored.batch_id
            await store.move(
                connection,
                due.id,
                last_at=outcome.at,
                next_at=outcome.next_at,
                batch_id=batch_id,
                error=outcome.error,
            )
            await audit.record(
                connection,
                caller,
                "schedule.fire" if outcome.error is None else "schedule.refuse",
                "schedule",
                str(due.id),
                {
                    "at": outcome.at.isoformat(),
                    "batch_id": None if batch_id is None else str(batch_id),
                    "code": outcome.error,
                },
            )
        self._tell(due.id, outcome)

    async def _prepare(self, caller: Caller, due: Due) -> Prepared | str:
        """The request, ready to be stored, or the code of what is wrong with it by now. Before the transaction, since
        it may look up documents on a connection of its own."""
        try:
            return await self._creation.prepare(caller, requests.from_json(due.request))
        except requests.UnreadableError:
            return UNREADABLE
        except RejectedError as problem:
            return problem.code

    async def _carry_out(
        self, connection: Connection, caller: Caller, due: Due, locked: LockedDue, prepared: Prepared | str
    ) -> _Outcome:
        decision = _decide(due.next_at, locked)
        if decision is None:  # A zone that this machine does not know any more: it waits for a person.
            return _Outcome(due.next_at, None, None, UNREADABLE, missed=False)
        if decision.fire is None:
            return _Outcome(due.next_at, decision.next_at, None, MISSED, missed=True)
        stored: Stored | None = None
        error: str | None = None
        if locked.role is None or not may(locked.role, Permission.COMMAND):
            error = REVOKED
        elif isinstance(prepared, str):
            error = prepared
        else:
            try:
                async with connection.transaction():  # What is refused is taken back alone.
                    stored = await self._creation.store_in(connection, caller, prepared, lenient=True)
                    stored.require_granted()
            except RejectedError as problem:
                stored, error = None, problem.code
                if error in _OF_REVOKED and await store.means_somebody(connection, due.id):
                    error = REVOKED
        return _Outcome(decision.fire, decision.next_at, stored, error, decision.missed)

    def _tell(self, schedule_id: UUID, outcome: _Outcome) -> None:
        at = outcome.at.isoformat()
        if outcome.missed:
            self._log.warning(Event.SCHEDULE_MISSED, schedule_id=schedule_id, made_up=outcome.stored is not None)
        if outcome.stored is not None:
            self._creation.tell(outcome.stored)
            self._log.info(Event.SCHEDULE_FIRED, schedule_id=schedule_id, at=at, batch_id=outcome.stored.batch_id)
        elif outcome.error != MISSED:
            self._log.warning(Event.SCHEDULE_REFUSED, schedule_id=schedule_id, at=at, code=outcome.error)


def _decide(planned: datetime, locked: LockedDue) -> Decision | None:
    try:
        timetable = Timetable.of(locked.cron, locked.time_zone)
    except TimetableError:
        return None
    return decide(timetable, planned, locked.now, Misfire(locked.misfire), timedelta(seconds=locked.grace_s))

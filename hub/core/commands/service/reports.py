"""Applying agents' reports: in batches, rows locked in id order, one transaction, receipts after the commit."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from hub.api.text import clean, clean_text
from hub.clock import DatabaseClock
from hub.core.commands.rules import lifecycle
from hub.core.commands.rules.lifecycle import ENDED, Ignore, Ignored, LockedCommand, Reported
from hub.core.commands.service.puback_times import PubackTimes
from hub.core.commands.service.waiting import Waiting
from hub.core.commands.store import transitions
from hub.core.commands.store.ports import Transitions
from hub.core.commands.store.transitions import Unusable
from hub.core.commands.telemetry import Event, Metrics
from hub.database.engine import Database
from hub.errors import UnavailableError
from hub.signals.ports import Publisher, Signals
from hub.telemetry.log import Log
from schemas.messages import Receipt, Report
from schemas.states import ReportStatus

MAX_REMEMBERED = 20_000
"""Commands handed out that a worker remembers; about the others a report is decided with the row read and locked."""
MAX_KEPT = 4_000
"""Characters of an unusable report that are kept for people."""


class Arrived(msgspec.Struct, frozen=True):
    """One report as it came in: `client_id` is the topic's, which the broker vouches for."""

    client_id: str
    session: str
    epoch: int | None
    report: Report


class Unreadable(msgspec.Struct, frozen=True):
    """A part of a message that is no report; with an id it still gets its receipt."""

    client_id: str
    report_id: UUID | None
    reason: str
    text: str


class Reports:
    """The service. `apply` is safe to call with the same reports again and from several workers at once."""

    def __init__(
        self,
        database: Database,
        publisher: Publisher,
        signals: Signals,
        metrics: Metrics,
        log: Log,
        chance: random.Random,
        sent: PubackTimes,
        waiting: Waiting,
        *,
        transitions: Transitions = transitions,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._signals = signals
        self._metrics = metrics
        self._log = log
        self._chance = chance
        self._sent = sent
        self._waiting = waiting
        self._transitions = transitions
        self._clock = DatabaseClock(monotonic)
        self._remembered: dict[UUID, LockedCommand] = {}

    def remember(self, commands: Sequence[LockedCommand]) -> None:
        """Keep in mind what this worker has just handed out: most reports are about these, and need no read."""
        for command in commands:
            self._remembered[command.id] = command
        while len(self._remembered) > MAX_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        if commands:
            self._clock.note(commands[-1].now)

    async def apply(self, batch: Sequence[Arrived | Unreadable]) -> None:
        """Apply and commit, then send receipts and wake who waits.

        A batch that fails is split until the report that fails stands alone; that one goes to quarantine. Raises
        UnavailableError when Postgres is away: nothing was applied, no receipt was sent.
        """
        try:
            await self._apply(batch)
        except UnavailableError:
            raise
        except Exception as problem:  # noqa: BLE001 - logged; whatever a report does, it must not stop the others
            if len(batch) > 1:
                middle = len(batch) // 2
                await self.apply(batch[:middle])
                await self.apply(batch[middle:])
                return
            client_id = batch[0].client_id
            self._log.seldom(client_id).exception(Event.REPORT_QUARANTINED, client_id=client_id, reason="failed")
            await self._apply([_failed(batch[0], problem)])

    async def _apply(self, batch: Sequence[Arrived | Unreadable]) -> None:
        receipts: defaultdict[str, list[UUID]] = defaultdict(list)
        unusable = [
            Unusable(item.client_id, item.report_id, None, item.reason, item.text[:MAX_KEPT])
            for item in batch
            if isinstance(item, Unreadable)
        ]
        arrived = [item for item in batch if isinstance(item, Arrived)]
        for item in batch:
            report_id = item.report.report_id if isinstance(item, Arrived) else item.report_id
            if report_id and not (isinstance(item, Arrived) and item.report.status is ReportStatus.PROGRESS):
                receipts[item.client_id].append(report_id)
        left = await self._apply_remembered(arrived)
        if left or unusable:
            await self._apply_locked(left, unusable)
        now = await self._now()
        for client_id, report_ids in receipts.items():
            for start in range(0, len(report_ids), 500):
                self._publisher.receipt(
                    Receipt(client_id=client_id, report_ids=report_ids[start : start + 500], hub_time=now)
                )

    async def _apply_remembered(self, arrived: Sequence[Arrived]) -> Sequence[Arrived]:
        """Apply reports about commands that this worker remembers, with one statement and without a read: its guard
        tells when somebody else has changed a command meanwhile. Answers with the reports that are left."""
        now = self._clock.estimate()
        if now is None:
            return arrived
        grouped: defaultdict[UUID, list[Arrived]] = defaultdict(list)
        for item in arrived:
            grouped[item.report.command_id].append(item)
        taken: list[LockedCommand] = []
        for command_id, items in grouped.items():
            command = self._remembered.pop(command_id, None)
            if command is None or not all(_is_about(item, command) for item in items):
                continue
            command.now = now
            seen: set[tuple[UUID, UUID]] = set()
            for item in items:
                self._fold(command, item, seen)
                seen.add((command_id, item.report.report_id))
            if command.answered and not command.changed:
                command.leased = True  # It answers a question that may be another process's, and is asked no more.
            self._note_sent(command)
            taken.append(command)
        # Not remembered while it is written: whatever goes wrong, these are read the next time.
        async with self._database.connection() as connection:
            awaited = self._waiting.awaited(command.id for command in taken)
            moved = await self._transitions.apply_timed(connection, taken, awaited)
        for one in moved.values():
            if one.ended is not None:
                self._waiting.show(one.ended)
        done = [command for command in taken if command.id in moved or not command.to_write]
        self._tell(done, ())
        for command in done:
            command.settle(item.report.report_id for item in grouped[command.id])
            if command.state.status in lifecycle.HANDED_OUT:
                self._remembered[command.id] = command
        if moved:
            self._clock.note(next(iter(moved.values())).at)
        applied = {command.id for command in done}
        return [item for item in arrived if item.report.command_id not in applied]

    def _note_sent(self, command: LockedCommand) -> None:
        """Let the time of the PUBACK go along with a change that is written anyway."""
        if command.changed and (age := self._sent.take(command.id)) is not None:
            command.sent(command.now - timedelta(seconds=age))

    async def _apply_locked(self, arrived: Sequence[Arrived], unusable: list[Unusable]) -> None:
        """Apply reports in a transaction that reads and locks their commands first, and keep what is unusable."""
        async with self._database.transaction() as connection:
            locked = await self._transitions.lock(
                connection,
                [item.report.command_id for item in arrived],
                [item.report.report_id for item in arrived],
            )
            seen: set[tuple[UUID, UUID]] = set()
            for item in arrived:
                reason = self._fold(locked.get(item.report.command_id), item, seen)
                seen.add((item.report.command_id, item.report.report_id))
                if reason:
                    unusable.append(_unusable(item, reason))
            await self._transitions.apply(connection, locked.values())
            await self._transitions.quarantine(connection, unusable)
        for command in locked.values():
            self._clock.note(command.now)
        self._tell(locked.values(), unusable)

    async def _now(self) -> datetime:
        """The database's clock, read when no statement has told it just now."""
        now = self._clock.estimate()
        if now is None:
            async with self._database.connection() as connection:
                now = await self._database.now(connection)
            self._clock.note(now)
        return now

    def _fold(self, command: LockedCommand | None, item: Arrived, seen: set[tuple[UUID, UUID]]) -> str | None:
        """Fold one report into its command; the reason when it is unusable."""
        report = item.report
        if command is None:
            return "unknown_command"
        if command.client_id != item.client_id:
            return "foreign_command"
        if report.report_id in command.seen or (command.id, report.report_id) in seen:
            if report.status is not ReportStatus.BUSY:  # which asks for the attempt again, however often it is heard
                command.repeated(report.attempt)
            return None
        event = Reported(
            status=report.status,
            attempt=report.attempt,
            retryable=report.error.retryable if report.error else False,
            error=clean(msgspec.to_builtins(report.error)) if report.error else None,
            result=clean(msgspec.to_builtins(report.result)) if report.result else None,
            progress=clean(report.progress) if report.progress else None,
            chance=self._chance.random(),
        )
        decision = lifecycle.decide(command.state, event, command.now)
        command.fold(decision, report.report_id)
        if isinstance(decision, Ignore) and decision.reason in (Ignored.NOT_HANDED_OUT, Ignored.UNSUPPORTED):
            return decision.reason.value
        return None

    def _count(self, command: LockedCommand) -> None:
        waited = (command.now - command.created_at).total_seconds()
        if any(entry.event == "started" for entry in command.logs):
            self._metrics.accept_to_started.observe(waited)
        if command.state.status in ENDED and command.from_status is not command.state.status:
            self._metrics.completed.labels(command.state.status.value).inc()
            self._metrics.duration.observe(waited)

    def _tell(self, commands: Iterable[LockedCommand], unusable: Sequence[Unusable]) -> None:
        changed = [command for command in commands if command.changed]
        for command in changed:
            self._count(command)
            # Its status changes a few times; how far it is may come without end.
            moved = command.from_status is not command.state.status
            log = self._log if moved else self._log.seldom(command.client_id)
            log.info(
                Event.COMMAND_CHANGED,
                command_id=command.id,
                client_id=command.client_id,
                status=command.state.status.value,
                attempt=command.state.attempt,
            )
        for report in unusable:
            self._metrics.reports_quarantined.labels(_label(report.reason)).inc()
            self._log.seldom(report.client_id).warning(
                Event.REPORT_QUARANTINED,
                client_id=report.client_id,
                command_id=report.command_id,
                reason=report.reason,
            )
        self._signals.room_for({c.client_id for c in changed if c.state.status not in lifecycle.HANDED_OUT})
        self._signals.ended(c.id for c in changed if c.state.status in ENDED)


def _label(reason: str) -> str:
    """A quarantine's reason as a label: what a decoder said is for the table, not for a series of its own."""
    return reason if reason.isidentifier() else "unreadable"


def _is_about(item: Arrived, command: LockedCommand) -> bool:
    """Whether a remembered command is enough to decide about a report: of the attempt it was remembered in, by the
    client it was handed to, and nothing for the quarantine."""
    report = item.report
    return (
        item.client_id == command.client_id
        and report.attempt == command.state.attempt
        and report.status is not ReportStatus.UNSUPPORTED
    )


def _unusable(item: Arrived, reason: str) -> Unusable:
    text = clean_text(msgspec.json.encode(item.report).decode())
    return Unusable(item.client_id, item.report.report_id, item.report.command_id, reason, text[:MAX_KEPT])


def _failed(item: Arrived | Unreadable, problem: Exception) -> Unreadable:
    if isinstance(item, Unreadable):
        return Unreadable(item.client_id, item.report_id, "failed", clean_text(str(problem)))
    text = clean_text(msgspec.json.encode(item.report).decode())
    return Unreadable(item.client_id, item.report.report_id, "failed", f"{problem}\n{text}")

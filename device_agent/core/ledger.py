"""The attempts this agent knows: which wait, which run on which lane, and which ended.

Pure: it returns the journal writes that its changes need, and decides neither expiry nor what is reported.
"""

import enum
from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec

from device_agent.core.events import StopReason
from device_agent.core.records import AttemptRecord, DropAttempt, Phase, PutAttempt, Write
from schemas.messages import Run
from schemas.states import HELD_ALLOWANCE_S


class Mode(enum.Enum):
    """What an unfinished attempt does now."""

    WAITING = enum.auto()
    RUNNING = enum.auto()
    ASKING = enum.auto()
    """A restart cut it off, and the driver looks for evidence; its lane is taken meanwhile."""
    FOLLOWING = enum.auto()
    """The driver found it at its device and follows it to its end: what holds for one that runs holds again."""


LIVE = frozenset({Mode.RUNNING, Mode.FOLLOWING})
"""Their time runs, and their drivers can be asked to stop."""


class Unfinished(msgspec.Struct):
    """An attempt without end; only the core changes it."""

    record: AttemptRecord
    run: Run
    mode: Mode
    began_mono: float = 0.0
    deadline: float = 0.0
    """Monotonic; while running or followed."""
    stop: StopReason | None = None
    held: list[str] | None = None
    left_s: float | None = None
    """How much of the run's time was left when it was held; None while its time goes on."""
    offered: bool = True
    """False: only the journal of an earlier process speaks for it. That may be an older copy of itself, so the effect
    waits until the hub, which may know how it ended, has sent the run again."""

    @property
    def began(self) -> bool:
        """Its effect may have happened in part already."""
        return self.record.phase is Phase.STARTED and not self.record.untouched

    @property
    def rank(self) -> tuple[int, float, int]:
        """Sorts by priority (10 goes first), then by age."""
        return -self.run.priority, self.run.issued_at.timestamp(), self.record.arrival


class Ledger:
    """One entry per command id, for its latest attempt."""

    def __init__(self) -> None:
        self._records: dict[UUID, AttemptRecord] = {}
        self._unfinished: dict[UUID, Unfinished] = {}
        self._arrivals = 0

    def load(self, records: Iterable[AttemptRecord]) -> None:
        """Take over what the journal holds; attempts without end wait until the core decides."""
        for record in records:
            self._records[record.command_id] = record
            self._arrivals = max(self._arrivals, record.arrival)
            if record.run is not None and record.phase is not Phase.FINISHED:
                run = msgspec.json.decode(record.run, type=Run)
                self._unfinished[record.command_id] = Unfinished(record, run, Mode.WAITING, offered=False)

    def get(self, command_id: UUID) -> AttemptRecord | None:
        """What is known about a command, ended or not."""
        return self._records.get(command_id)

    def unfinished(self, command_id: UUID, attempt: int | None = None) -> Unfinished | None:
        """The attempt without end of a command; with `attempt` only that one."""
        entry = self._unfinished.get(command_id)
        return entry if entry is None or attempt is None or entry.record.attempt == attempt else None

    def all_unfinished(self) -> list[Unfinished]:
        """A copy, so that the caller may end some of them."""
        return list(self._unfinished.values())

    def in_mode(self, *modes: Mode) -> list[Unfinished]:
        """The attempts without end that do this now."""
        return [entry for entry in self._unfinished.values() if entry.mode in modes]

    def finished(self) -> Iterator[AttemptRecord]:
        """The records that have ended."""
        return (record for record in self._records.values() if record.phase is Phase.FINISHED)

    def take(self, run: Run, body: bytes) -> tuple[Unfinished, Write]:
        """Take an attempt in; it replaces the ended one before it."""
        record = self._record(run, body)
        entry = Unfinished(record, run, Mode.WAITING)
        self._records[run.command_id] = record
        self._unfinished[run.command_id] = entry
        return entry, PutAttempt(record)

    def take_ended(self, run: Run, finished_at: float) -> Write:
        """Take in an attempt that ends before it began: expired, cancelled, refused."""
        record = msgspec.structs.replace(self._record(run, None), phase=Phase.FINISHED, finished_at=finished_at)
        self._records[run.command_id] = record
        return PutAttempt(record)

    def next_to_start(self) -> list[Unfinished]:
        """The best waiting attempt of each free lane, of those that the hub has offered to this process."""
        taken = {entry.run.lane for entry in self._unfinished.values() if entry.mode is not Mode.WAITING}
        chosen: list[Unfinished] = []
        for entry in sorted(self.in_mode(Mode.WAITING), key=lambda entry: entry.rank):
            if entry.offered and entry.run.lane not in taken:
                taken.add(entry.run.lane)
                chosen.append(entry)
        return chosen

    def begin(self, entry: Unfinished, mono: float, *, boot: str, process: str, untouched: bool) -> Write:
        """The effect is about to begin; `untouched`: once its driver has said so."""
        started = msgspec.structs.replace(
            entry.record,
            phase=Phase.STARTED,
            boot=boot,
            process=process,
            untouched=untouched,
            evidence=None,
            stop=None,
        )
        self._update(entry, started)
        entry.mode = Mode.RUNNING
        entry.began_mono = mono
        entry.deadline = mono + entry.run.timeout_s
        return PutAttempt(entry.record)

    def follow(self, entry: Unfinished, mono: float, left_s: float) -> None:
        """The effect that was asked about goes on at its device, with so much of its time left."""
        entry.mode = Mode.FOLLOWING
        entry.began_mono = mono
        entry.deadline = mono + left_s

    def hold(self, entry: Unfinished, reasons: list[str], mono: float, until_expiry_s: float | None) -> None:
        """The effect waits for a person: its time stands still, within the contract's allowance. With None it goes
        on."""
        if until_expiry_s is None:
            self.resume(entry, mono)
        elif entry.left_s is None:
            entry.left_s = max(0.0, entry.deadline - mono)
            entry.deadline = mono + entry.left_s + max(HELD_ALLOWANCE_S, until_expiry_s)
        entry.held = reasons

    def resume(self, entry: Unfinished, mono: float) -> None:
        """The effect goes on, with the time it had left."""
        entry.held = None
        if entry.left_s is not None:
            entry.deadline = mono + entry.left_s
        entry.left_s = None

    def touch(self, entry: Unfinished, *, untouched: bool) -> Write:
        """The driver has done nothing yet (`untouched`), or is about to do something."""
        self._update(entry, msgspec.structs.replace(entry.record, untouched=untouched))
        return PutAttempt(entry.record)

    def ask_to_stop(self, entry: Unfinished, reason: StopReason) -> Write:
        """The effect is about to be asked to stop, or there is another reason for it by now."""
        entry.stop = reason
        self._update(entry, msgspec.structs.replace(entry.record, stop=reason.value))
        return PutAttempt(entry.record)

    def remember(self, entry: Unfinished, evidence: bytes) -> Write:
        """Keep what the driver wants to be told when it is asked for evidence."""
        self._update(entry, msgspec.structs.replace(entry.record, evidence=evidence))
        return PutAttempt(entry.record)

    def end(self, entry: Unfinished, finished_at: float, *, retryable: bool) -> Write:
        """The attempt is over; its payload is no longer needed."""
        self._update(
            entry,
            msgspec.structs.replace(
                entry.record,
                phase=Phase.FINISHED,
                finished_at=finished_at,
                retryable=retryable,
                run=None,
                untouched=False,
                evidence=None,
                stop=None,
            ),
        )
        del self._unfinished[entry.run.command_id]
        return PutAttempt(entry.record)

    def drop(self, command_id: UUID) -> Write:
        """Forget a command."""
        del self._records[command_id]
        self._unfinished.pop(command_id, None)
        return DropAttempt(command_id)

    def _record(self, run: Run, body: bytes | None) -> AttemptRecord:
        self._arrivals += 1
        return AttemptRecord(
            command_id=run.command_id,
            attempt=run.attempt,
            arrival=self._arrivals,
            phase=Phase.RECEIVED,
            expires_at=run.expires_at.timestamp(),
            run=body,
        )

    def _update(self, entry: Unfinished, record: AttemptRecord) -> None:
        entry.record = record
        self._records[record.command_id] = record

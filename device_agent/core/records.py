"""What the agent keeps on disk, and the only ways in which it changes.

A `Snapshot` is the whole memory of the agent: what `journal.py` loads at the start and what `core.py` decides from.
A `Write` replaces or drops one row by its key, so that writes of one transaction can be merged by key, in order.
"""

import enum
from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct, field


class Phase(enum.StrEnum):
    """How far an attempt is. The order is the order of the commits."""

    RECEIVED = "received"
    """Verified and kept; its effect has not begun."""
    STARTED = "started"
    """Committed before the effect begins: from here on the effect may have happened."""
    FINISHED = "finished"
    """Its end report is in the same transaction."""


class AttemptRecord(Struct, frozen=True, kw_only=True):
    """The latest attempt of one command; there is one row per command id."""

    command_id: UUID
    attempt: int
    arrival: int
    """Rises with each attempt that was taken in: the order of age."""
    phase: Phase
    expires_at: float
    """Unix seconds by the hub's clock."""
    run: bytes | None
    """The JSON of the run message as it was signed; None once the attempt finished."""
    finished_at: float | None = None
    retryable: bool = False
    """It finished as failed and nothing took effect: only then may a higher attempt follow."""
    boot: str | None = None
    """The boot of the machine in which its effect began."""
    process: str | None = None
    """The process of the agent (its session) in which its effect began."""
    untouched: bool = False
    """Started, and nothing was done: its driver says before it does anything, or that its device is away. Withdrawn by
    a commit before the driver goes on, so that a restart may begin it anew."""
    stop: str | None = None
    """Why its effect was asked to stop (`events.StopReason`), committed before it is asked. After a restart the device
    only says that it stopped, and no longer who wanted that."""
    evidence: bytes | None = None
    """JSON of what its driver wants to be told when it is asked for evidence, such as the number of a job."""


class ReportRecord(Struct, frozen=True, kw_only=True):
    """A report that must reach the hub, or the last one of its command, kept to answer a repeated delivery."""

    report_id: UUID
    command_id: UUID
    attempt: int
    sequence: int
    """The order in which reports were made."""
    made_at: float
    """Unix seconds by the hub's clock."""
    body: bytes
    """The JSON of `schemas.messages.Report`."""
    receipted: bool = False


class Tombstone(Struct, frozen=True, kw_only=True):
    """A cancel that also holds for attempts which have not arrived yet."""

    command_id: UUID
    until: float
    """Unix seconds by the hub's clock."""


class Settings(Struct, frozen=True, kw_only=True):
    """The few single values of a journal."""

    journal_id: str | None = None
    """The hub's name for this journal. None: a journal that the hub has not met."""
    epoch: int | None = None
    """The last epoch a welcome carried."""
    hub_time: float = 0.0
    """The highest hub time that was ever seen, in Unix seconds; the agent's clock never falls behind it."""
    keys: bytes | None = None
    """The last accepted key list, as the hub signed it."""
    generation: int = 0
    """See `generation`; never falls. The journal's column and the contract's field are called `mark`."""


class Snapshot(Struct, kw_only=True):
    """Everything a journal holds. Only `apply` changes one."""

    settings: Settings = field(default_factory=Settings)
    attempts: dict[UUID, AttemptRecord] = field(default_factory=dict)
    reports: dict[UUID, ReportRecord] = field(default_factory=dict)
    tombstones: dict[UUID, Tombstone] = field(default_factory=dict)


class PutAttempt(Struct, frozen=True):
    """Insert or replace the row of a command."""

    record: AttemptRecord


class DropAttempt(Struct, frozen=True):
    """Forget a command. Its reports are dropped by writes of their own."""

    command_id: UUID


class PutReport(Struct, frozen=True):
    """Insert or replace a report."""

    record: ReportRecord


class DropReport(Struct, frozen=True):
    """Forget a report."""

    report_id: UUID


class PutTombstone(Struct, frozen=True):
    """Remember a cancel."""

    record: Tombstone


class DropTombstone(Struct, frozen=True):
    """Forget a cancel."""

    command_id: UUID


class PutSettings(Struct, frozen=True):
    """Replace the single values."""

    settings: Settings


Write = PutAttempt | DropAttempt | PutReport | DropReport | PutTombstone | DropTombstone | PutSettings
Key = tuple[str, UUID | None]


def key_of(write: Write) -> Key:
    """The row that a write is about; the later of two writes to one row stands."""
    match write:
        case PutAttempt():
            return "attempt", write.record.command_id
        case DropAttempt():
            return "attempt", write.command_id
        case PutReport():
            return "report", write.record.report_id
        case DropReport():
            return "report", write.report_id
        case PutTombstone():
            return "tombstone", write.record.command_id
        case DropTombstone():
            return "tombstone", write.command_id
        case PutSettings():
            return "settings", None


def merge(writes: Iterable[Write]) -> Mapping[Key, Write]:
    """One write per row, the last one, in the order in which rows were first touched."""
    merged: dict[Key, Write] = {}
    for write in writes:
        merged[key_of(write)] = write
    return merged


def apply(snapshot: Snapshot, writes: Iterable[Write]) -> None:
    """Change a snapshot as one commit changes the journal on disk; the journal's tests hold it to this."""
    for write in writes:
        match write:
            case PutAttempt():
                snapshot.attempts[write.record.command_id] = write.record
            case DropAttempt():
                snapshot.attempts.pop(write.command_id, None)
            case PutReport():
                snapshot.reports[write.record.report_id] = write.record
            case DropReport():
                snapshot.reports.pop(write.report_id, None)
            case PutTombstone():
                snapshot.tombstones[write.record.command_id] = write.record
            case DropTombstone():
                snapshot.tombstones.pop(write.command_id, None)
            case PutSettings():
                snapshot.settings = write.settings

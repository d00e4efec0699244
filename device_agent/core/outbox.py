"""Reports on their way to the hub: which are due, which go together, and which may be forgotten.

Pure: it returns the journal writes that its changes need. A journalled report is sent until its receipt; progress and
busy are sent once, and the latest wins.
"""

import random
from collections.abc import Iterable
from uuid import UUID

import msgspec

from device_agent.core.records import DropReport, PutReport, ReportRecord, Write
from schemas.messages import Message, Report, Token

MAX_REPORTS = 200
MAX_BODIES = 64_000
"""Bytes of all reports of one message; the envelope takes some 200 of the contract's 65,536."""
MAX_BACKOFF_S = 30.0
PROGRESS_INTERVAL_S = 0.5
"""The least time between two progress reports of one command; a guess: a person reads no faster."""
MAX_TRANSIENT = 500
KEEP_WHOLE = 2_048
"""Bytes up to which a receipted report is kept as it is. The hub has the rest; a repeated delivery needs the status."""


class _Envelope(Message, frozen=True, kw_only=True, tag="reports"):
    """`schemas.messages.Reports` around bodies that are JSON already."""

    client_id: str
    session: Token
    reports: list[msgspec.Raw]
    epoch: int | None = None
    connection: int | None = None
    mark: int | None = None


class _Schedule(msgspec.Struct):
    due: float
    tries: int = 0


class Outbox:
    """Times are monotonic seconds."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._records: dict[UUID, ReportRecord] = {}
        self._unreceipted: set[UUID] = set()
        self._by_command: dict[UUID, list[UUID]] = {}
        self._schedule: dict[UUID, _Schedule] = {}
        self._transient: dict[tuple[UUID, str], tuple[float, bytes]] = {}
        self._progress_after: dict[UUID, float] = {}
        self._sequence = 0

    def load(self, records: Iterable[ReportRecord], mono: float) -> None:
        """Take over what the journal holds; everything without receipt is due."""
        for record in sorted(records, key=lambda record: record.sequence):
            self._keep(record)
            if not record.receipted:
                self._schedule[record.report_id] = _Schedule(mono)

    @property
    def unreceipted(self) -> int:
        """How many journalled reports the hub has not confirmed."""
        return len(self._unreceipted)

    def put(self, report: Report, body: bytes, made_at: float, mono: float) -> list[Write]:
        """Add a journalled report; a receipted one of the same command before it is no longer needed."""
        self._sequence += 1
        record = ReportRecord(
            report_id=report.report_id,
            command_id=report.command_id,
            attempt=report.attempt,
            sequence=self._sequence,
            made_at=made_at,
            body=body,
        )
        outdated = [known for known in self._of(report.command_id) if known.receipted]
        self._keep(record)
        self._schedule[record.report_id] = _Schedule(mono)
        self._transient.pop((report.command_id, "progress"), None)
        return [PutReport(record), *(self._drop(known) for known in outdated)]

    def put_transient(self, report: Report, body: bytes, mono: float) -> None:
        """Add a report that is sent once: it replaces an unsent one of the same command and status."""
        key = (report.command_id, report.status.value)
        due = max(mono, self._progress_after.get(report.command_id, mono)) if report.progress is not None else mono
        self._transient.pop(key, None)
        self._transient[key] = (due, body)
        if len(self._transient) > MAX_TRANSIENT:
            del self._transient[next(iter(self._transient))]

    def receipt(self, report_ids: Iterable[UUID]) -> list[Write]:
        """The hub has these for good. Unknown ids are ignored: a receipt may come twice."""
        writes: list[Write] = []
        for report_id in report_ids:
            record = self._records.get(report_id)
            if record is None:
                continue
            self._schedule.pop(report_id, None)
            if record.receipted:
                continue
            self._unreceipted.discard(report_id)
            newest = self._by_command[record.command_id][-1]
            if report_id != newest:
                writes.append(self._drop(record))
                continue
            kept = msgspec.structs.replace(record, receipted=True, body=_slim(record.body))
            self._records[report_id] = kept
            writes.append(PutReport(kept))
        return writes

    def again(self, command_id: UUID, mono: float) -> None:
        """Send what is known about a command again: its reports without receipt, or else its last one."""
        known = self._of(command_id)
        waiting = [record for record in known if not record.receipted] or known[-1:]
        for record in waiting:
            self._schedule[record.report_id] = _Schedule(mono)

    def all_due(self, mono: float, made_before: float | None = None) -> None:
        """Everything without receipt goes now; with `made_before` (hub time) only what is older."""
        for report_id in self._unreceipted:
            if made_before is None or self._records[report_id].made_at <= made_before:
                self._schedule[report_id] = _Schedule(mono)

    def forget(self, command_id: UUID) -> list[Write]:
        """Drop every report of a command."""
        self._progress_after.pop(command_id, None)
        self._transient.pop((command_id, "progress"), None)
        return [self._drop(record) for record in self._of(command_id)]

    def confirmed(self, command_id: UUID) -> bool:
        """Whether the hub has every report of a command."""
        return all(record.receipted for record in self._of(command_id))

    def last(self, command_id: UUID) -> Report | None:
        """The latest journalled report of a command, at least its status and time."""
        known = self._of(command_id)
        return msgspec.json.decode(known[-1].body, type=Report) if known else None

    def next_due(self) -> float | None:
        """When the next report wants to go; None: nothing waits."""
        dues = [schedule.due for schedule in self._schedule.values()]
        dues += [due for due, _ in self._transient.values()]
        return min(dues, default=None)

    def batch(
        self, client_id: str, session: str, epoch: int | None, mono: float, *, connection: int, generation: int
    ) -> bytes | None:
        """The payload of the next message, or None when nothing is due. What is in it counts as sent."""
        due = sorted(
            (self._records[report_id] for report_id, schedule in self._schedule.items() if schedule.due <= mono),
            key=lambda record: record.sequence,
        )
        bodies: list[msgspec.Raw] = []
        size = 0
        jitter = self._rng.uniform(0.75, 1.25)  # one for all, so that what goes together stays together
        for record in due:
            size += len(record.body) + 1
            if len(bodies) == MAX_REPORTS or (bodies and size > MAX_BODIES):
                break
            bodies.append(msgspec.Raw(record.body))
            self._sent(record, mono, jitter)
        else:
            self._add_transient(bodies, size, mono)
        if not bodies:
            return None
        envelope = _Envelope(
            client_id=client_id, session=session, epoch=epoch, connection=connection, mark=generation, reports=bodies
        )
        return msgspec.json.encode(envelope)

    def _add_transient(self, bodies: list[msgspec.Raw], size: int, mono: float) -> None:
        for key, (due, body) in list(self._transient.items()):
            if due > mono:
                continue
            size += len(body) + 1
            if len(bodies) == MAX_REPORTS or (bodies and size > MAX_BODIES):
                break
            bodies.append(msgspec.Raw(body))
            del self._transient[key]
            if key[1] == "progress":
                self._progress_after[key[0]] = mono + PROGRESS_INTERVAL_S

    def _sent(self, record: ReportRecord, mono: float, jitter: float) -> None:
        if record.receipted:  # an answer to a repeated delivery; the hub has it already
            del self._schedule[record.report_id]
            return
        schedule = self._schedule[record.report_id]
        delay = min(MAX_BACKOFF_S, 2.0**schedule.tries)
        schedule.due = mono + delay * jitter
        schedule.tries = min(schedule.tries + 1, 10)

    def _of(self, command_id: UUID) -> list[ReportRecord]:
        return [self._records[report_id] for report_id in self._by_command.get(command_id, ())]

    def _keep(self, record: ReportRecord) -> None:
        self._records[record.report_id] = record
        if not record.receipted:
            self._unreceipted.add(record.report_id)
        self._by_command.setdefault(record.command_id, []).append(record.report_id)
        self._sequence = max(self._sequence, record.sequence)

    def _drop(self, record: ReportRecord) -> Write:
        del self._records[record.report_id]
        self._unreceipted.discard(record.report_id)
        self._schedule.pop(record.report_id, None)
        siblings = self._by_command[record.command_id]
        siblings.remove(record.report_id)
        if not siblings:
            del self._by_command[record.command_id]
        return DropReport(record.report_id)


def _slim(body: bytes) -> bytes:
    """A large report without its data."""
    if len(body) <= KEEP_WHOLE:
        return body
    report = msgspec.json.decode(body, type=Report)
    if report.result is not None:
        data = {"truncated": True, "note": "the hub has confirmed the whole report; only its end is kept here"}
        report = msgspec.structs.replace(report, result=msgspec.structs.replace(report.result, data=data))
    return msgspec.json.encode(report)

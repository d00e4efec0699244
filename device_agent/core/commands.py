"""The life of the commands that this agent took in: accept, start, stop, end, forget.

Pure, like the rest of the core: everything that must happen is collected in a `Turn`.
"""

import random
from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from device_agent.core import reporting
from device_agent.core.events import EffectHeld, Note, Now, ResumeEffect, StartEffect, Step, StopEffect, StopReason
from device_agent.core.gate import Gate
from device_agent.core.ledger import LIVE, Ledger, Mode, Unfinished
from device_agent.core.lifetime import Lifetime
from device_agent.core.log import Log
from device_agent.core.outbox import Outbox
from device_agent.core.outcome import Outcome
from device_agent.core.records import AttemptRecord, DropTombstone, Phase, PutTombstone, Snapshot, Tombstone, Write
from device_agent.core.reporting import Conclusion, failure
from schemas.actions import ENDS_AGENT
from schemas.messages import Cancel, Report, Run
from schemas.states import OnInterrupt, ReportStatus

KEEP_IDS_S = 24 * 3_600.0
"""How long an id is known after its expiry and its end: a repeated delivery in that time has no second effect.
Later ones are past their expiry by far and never start."""
KEEP_TOMBSTONES_S = 7 * 24 * 3_600.0
"""A cancel does not say when its command expires; the hub delivers it again with each birth until it is answered."""
MAX_TOMBSTONES = 10_000
COMPACT_EVERY_S = 600.0
WAITING_SHARE = 0.5
"""Of a run's time, for waiting until its document is there: the effect needs some, too. A guess."""


FOLLOWED_LEAST_S = 10.0
"""What is found at its device after a restart has at least so much time: enough to see that it is held, which stops
its time."""


class Turn(Struct):
    """What one event leads to, while it is being worked out."""

    at: Now
    hub_now: float
    """Unix seconds by the hub's clock."""
    writes: list[Write] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def note(self, log: Log, **fields: Any) -> None:
        """Log something once the writes are committed."""
        self.notes.append(Note(log, fields))


class Commands:
    """Owns ledger, outbox and tombstones. `taking` False: nothing new is taken in or begun (the agent stops)."""

    def __init__(
        self, gate: Gate, max_unfinished: int, rng: random.Random, life: Lifetime, announced: Collection[str]
    ) -> None:
        """`announced`: the actions whose drivers say before they do anything (`Driver.announces_effect`)."""
        self._gate = gate
        self._life = life
        self._announced = announced
        self._max_unfinished = max_unfinished
        self._rng = rng
        self._ledger = Ledger()
        self._tombstones: dict[UUID, Tombstone] = {}
        self._compact_at = 0.0
        self.outbox = Outbox(rng)
        self.taking = True

    @property
    def active(self) -> int:
        """How many effects run or are being asked about, less those that wait for this process to end or, untouched,
        for their device: nothing is lost when they begin anew."""
        return sum(
            entry.mode is not Mode.WAITING and entry.run.action not in ENDS_AGENT and not entry.record.untouched
            for entry in self._ledger.all_unfinished()
        )

    def load(self, snapshot: Snapshot, turn: Turn) -> None:
        """Take over the journal. What was cut off is asked about now, or waits for the welcome to run again."""
        self._ledger.load(snapshot.attempts.values())
        self.outbox.load(snapshot.reports.values(), turn.at.mono)
        self._tombstones = dict(snapshot.tombstones)
        self._compact_at = turn.at.mono + COMPACT_EVERY_S
        for entry in self._ledger.all_unfinished():
            if not entry.began:
                continue
            turn.note(Log.COMMAND_INTERRUPTED, **_names(entry), on_interrupt=entry.run.on_interrupt.value)
            if entry.run.on_interrupt is not OnInterrupt.RERUN or entry.run.action in ENDS_AGENT:
                entry.mode = Mode.ASKING
                turn.steps.append(_effect(entry, turn, evidence=True))

    def run(self, run: Run, body: bytes, turn: Turn, *, clock_known: bool) -> bool:
        """One delivery of an attempt: the first, a repeated one, or a newer one. `body` is its signed JSON.

        False: the hub has heard more of this attempt than the journal knows, so the journal is an older copy of itself.
        """
        known = self._ledger.get(run.command_id)
        if _knows_less(known, run):
            self._end_unknown(run, turn)
            return run.expires_at.timestamp() + KEEP_IDS_S <= turn.hub_now  # so old that it may have been forgotten
        self._take(run, body, turn, known, clock_known=clock_known)
        return True

    def _take(self, run: Run, body: bytes, turn: Turn, known: AttemptRecord | None, *, clock_known: bool) -> None:
        if known is not None:
            entry = self._ledger.unfinished(run.command_id, run.attempt)
            if entry is not None:
                entry.offered = True
            newer = run.attempt > known.attempt
            if not (newer and known.retryable and self._ledger.unfinished(run.command_id) is None):
                turn.note(Log.COMMAND_REPEATED, command_id=run.command_id, attempt=run.attempt, newer=newer)
                self.outbox.again(run.command_id, turn.at.mono)
                return
        refused = self._refuse(run, turn, clock_known=clock_known)
        if refused is not None:
            turn.writes.append(self._ledger.take_ended(run, turn.hub_now))
            self._report(run, refused.status, turn, conclusion=refused)
            turn.note(Log.COMMAND_ENDED, **_run_names(run), status=refused.status.value, code=_code(refused))
        elif not self.taking or len(self._ledger.all_unfinished()) >= self._max_unfinished:
            # Not journalled: the hub keeps the attempt and offers it again, which costs nothing.
            turn.note(Log.COMMAND_BUSY, **_run_names(run))
            self._report(run, ReportStatus.BUSY, turn, transient=True)
        else:
            entry, write = self._ledger.take(run, body)
            turn.writes.append(write)
            turn.note(Log.COMMAND_ACCEPTED, **_names(entry), action=run.action, lane=run.lane)
            self._report(run, ReportStatus.ACCEPTED, turn)

    def _end_unknown(self, run: Run, turn: Turn) -> None:
        """End an attempt that an older copy of this journal has not begun, or does not know."""
        message = "the agent's journal is an older copy of itself: whether this was done is not known"
        unknown = failure(ReportStatus.UNKNOWN, "journal_rolled_back", message)
        entry = self._ledger.unfinished(run.command_id)
        if entry is None:
            turn.writes.append(self._ledger.take_ended(run, turn.hub_now))
            self._report(run, unknown.status, turn, conclusion=unknown)
            turn.note(Log.COMMAND_ENDED, **_run_names(run), status=unknown.status.value, code=_code(unknown))
        elif entry.record.attempt == run.attempt:
            self._end(entry, unknown, turn)

    def cancel(self, cancel: Cancel, turn: Turn) -> None:
        """Do not start, or stop, a command; the answer is its own report."""
        record = self._ledger.get(cancel.command_id)
        entry = self._ledger.unfinished(cancel.command_id)
        if entry is not None and entry.mode is Mode.WAITING:
            message = "cancelled before it began"
            self._end(entry, self._unbegun(entry, ReportStatus.CANCELLED, "cancelled", message), turn)
            return
        if record is None or entry is not None or record.retryable:
            # It must also hold for a later attempt: the one that runs may still fail as retryable.
            self._remember_cancel(cancel.command_id, turn)
        if entry is not None and entry.stop is not StopReason.CANCELLED:
            self._stop(entry, StopReason.CANCELLED, turn)
        elif record is not None:
            self.outbox.again(cancel.command_id, turn.at.mono)

    def ended(self, command_id: UUID, attempt: int, outcome: Outcome | None, turn: Turn) -> None:
        """A driver answered. A second answer to one effect is ignored."""
        entry = self._ledger.unfinished(command_id, attempt)
        if entry is None or entry.mode is Mode.WAITING:
            return
        if outcome is None and entry.record.untouched:  # it was never let go on
            outcome = Outcome(status="cancelled", message="it was stopped before anything was done")
        if entry.mode is Mode.ASKING or (entry.mode is Mode.FOLLOWING and outcome is not None):
            self._end(entry, reporting.conclude_evidence(outcome, entry.record.stop), turn)
        else:
            duration_s = max(0.0, turn.at.mono - entry.began_mono)
            self._end(entry, reporting.conclude(outcome, entry.stop, duration_s), turn)

    def held(self, event: EffectHeld, turn: Turn) -> None:
        """The effect waits for a person; the same reasons again are no news."""
        reasons = list(event.reasons)
        entry = self._ledger.unfinished(event.command_id, event.attempt)
        if entry is None or entry.mode not in LIVE or entry.stop is not None:
            return
        if event.untouched and not entry.record.untouched and entry.mode is Mode.RUNNING:
            turn.writes.append(self._ledger.touch(entry, untouched=True))
        if entry.held != reasons:
            allowed_s = entry.record.expires_at - turn.hub_now if event.pauses else None
            self._ledger.hold(entry, reasons, turn.at.mono, allowed_s)
            turn.note(Log.COMMAND_HELD, **_names(entry), reasons=reasons)
            self._report(entry.run, ReportStatus.HELD, turn, progress={"reasons": reasons})

    def resumed(self, command_id: UUID, attempt: int, turn: Turn) -> None:
        """The effect goes on after it was held. One that is untouched is let go on, unless it was asked to stop, or the
        agent stops."""
        entry = self._ledger.unfinished(command_id, attempt)
        if entry is None or entry.mode not in LIVE or entry.stop is not None:
            return
        if entry.record.untouched and not self.taking:
            return  # this process ends: the next one begins it anew, with time for it
        if entry.held is not None:
            self._ledger.resume(entry, turn.at.mono)
            self._report(entry.run, ReportStatus.STARTED, turn)
        if entry.record.untouched:
            turn.writes.append(self._ledger.touch(entry, untouched=False))
            turn.steps.append(ResumeEffect(command_id=command_id, attempt=attempt))

    def remembered(self, command_id: UUID, attempt: int, evidence: bytes, turn: Turn) -> None:
        """The driver learned by what its device can be asked after a restart."""
        entry = self._ledger.unfinished(command_id, attempt)
        if entry is not None and entry.mode in LIVE:
            turn.writes.append(self._ledger.remember(entry, evidence))

    def found(self, command_id: UUID, attempt: int, turn: Turn) -> None:
        """What a restart cut off goes on at its device. Its time is what it had left by the hub's clock, which stood
        still while it was held; a cancel or time-out that came before reaches the device now."""
        entry = self._ledger.unfinished(command_id, attempt)
        if entry is None or entry.mode is not Mode.ASKING:
            return
        last = self.outbox.last(command_id)
        held = last is not None and last.status is ReportStatus.HELD
        ran_s = 0.0 if last is None or held else max(0.0, turn.hub_now - last.at.timestamp())
        self._ledger.follow(entry, turn.at.mono, max(FOLLOWED_LEAST_S, entry.run.timeout_s - ran_s))
        if entry.record.stop is not None:
            self._ask_to_stop(entry, StopReason(entry.record.stop), turn)
            entry.stop = StopReason(entry.record.stop)
        elif held:  # whether it still is, the driver says at once
            self._report(entry.run, ReportStatus.STARTED, turn)

    def progress(self, command_id: UUID, attempt: int, data: dict[str, Any], turn: Turn) -> None:
        """How far an effect is."""
        entry = self._ledger.unfinished(command_id, attempt)
        if entry is not None and entry.mode in LIVE:
            self._report(entry.run, ReportStatus.PROGRESS, turn, progress=data, transient=True)

    def journal_replaced(self, turn: Turn) -> None:
        """The hub gave this journal a new id: it was lost, rolled back or copied, so that what waits in it may have
        been carried out already. The hub has made it unknown, and offers again what may run twice."""
        for entry in self._ledger.in_mode(Mode.WAITING):
            if entry.run.on_interrupt is OnInterrupt.RERUN:
                turn.writes += self.outbox.forget(entry.run.command_id)
                turn.writes.append(self._ledger.drop(entry.run.command_id))
            else:
                message = "the agent's journal was lost, rolled back or copied: whether this was done is not known"
                self._end(entry, failure(ReportStatus.UNKNOWN, "journal_replaced", message), turn)

    def advance(self, turn: Turn, *, clock_known: bool, may_begin: bool) -> None:
        """What time alone brings about: expiry, time-outs, free lanes, and forgetting."""
        mono = turn.at.mono
        if clock_known:
            for entry in self._ledger.in_mode(Mode.WAITING):
                if _has_expired(entry, turn):
                    message = "it expired before it could begin on this client"
                    self._end(entry, self._unbegun(entry, ReportStatus.EXPIRED, "expired", message), turn)
        for entry in self._ledger.in_mode(*LIVE):
            if entry.stop is None and clock_known and entry.record.untouched and _has_expired(entry, turn):
                self._stop(entry, StopReason.EXPIRED, turn)
            elif entry.stop is None and entry.deadline <= mono:
                self._stop(entry, StopReason.TIMED_OUT, turn)
        if may_begin and self.taking and clock_known:
            for entry in self._ledger.next_to_start():
                life, untouched = self._life, entry.run.action in self._announced
                turn.writes.append(
                    self._ledger.begin(entry, mono, boot=life.boot, process=life.process, untouched=untouched)
                )
                turn.note(Log.COMMAND_STARTED, **_names(entry))
                if untouched and self._last_word(entry) is ReportStatus.HELD:
                    # Begun anew, it has still done nothing: the hub takes it for held until its driver says otherwise.
                    self._ledger.hold(entry, [], mono, entry.record.expires_at - turn.hub_now)
                else:
                    self._report(entry.run, ReportStatus.STARTED, turn)
                turn.steps.append(_effect(entry, turn, evidence=False))
        if self._compact_at <= mono:
            self._compact_at = mono + COMPACT_EVERY_S
            if clock_known:
                self._compact(turn)

    def next_due(self, turn: Turn, *, clock_known: bool) -> float:
        """The monotonic time at which `advance` has something to do, if nothing else happens."""
        dues = [self._compact_at]
        for entry in self._ledger.all_unfinished():
            expires = turn.at.mono + max(0.0, entry.record.expires_at - turn.hub_now)
            if entry.mode in LIVE and entry.stop is None:
                dues.append(min(entry.deadline, expires) if entry.record.untouched and clock_known else entry.deadline)
            elif entry.mode is Mode.WAITING and clock_known:
                dues.append(expires)
        return min(dues)

    def _refuse(self, run: Run, turn: Turn, *, clock_known: bool) -> Conclusion | None:
        if run.command_id in self._tombstones:
            del self._tombstones[run.command_id]
            turn.writes.append(DropTombstone(run.command_id))
            return failure(ReportStatus.CANCELLED, "cancelled", "cancelled before it arrived")
        if clock_known and run.expires_at.timestamp() <= turn.hub_now:
            return failure(ReportStatus.EXPIRED, "expired", "it had expired when it arrived")
        if run.action in ENDS_AGENT and run.on_interrupt is OnInterrupt.RERUN:
            message = f"{run.action} is never carried out twice: send it with on_interrupt unknown"
            return failure(ReportStatus.FAILED, "rerun_refused", message)
        refusal = self._gate(run.action, run.payload)
        return None if refusal is None else failure(ReportStatus.FAILED, refusal.code, refusal.message)

    def _unbegun(self, entry: Unfinished, status: ReportStatus, code: str, message: str) -> Conclusion:
        """The end of an attempt that waits; one that a restart cut off may have had its effect all the same."""
        if entry.began:
            message = f"a restart cut it off, and {message}: check the device"
            return failure(ReportStatus.UNKNOWN, "interrupted", message)
        # The hub has heard of a start, and must hear that it led to nothing.
        return failure(status, code, message, retryable=entry.record.untouched)

    def _last_word(self, entry: Unfinished) -> ReportStatus | None:
        """What was reported last about an attempt."""
        last = self.outbox.last(entry.run.command_id)
        return last.status if last is not None and last.attempt == entry.record.attempt else None

    def _remember_cancel(self, command_id: UUID, turn: Turn) -> None:
        tombstone = Tombstone(command_id=command_id, until=turn.hub_now + KEEP_TOMBSTONES_S)
        self._tombstones[command_id] = tombstone
        turn.writes.append(PutTombstone(tombstone))
        turn.note(Log.CANCEL_REMEMBERED, command_id=command_id)
        if len(self._tombstones) > MAX_TOMBSTONES:
            oldest = min(self._tombstones.values(), key=lambda known: known.until)
            del self._tombstones[oldest.command_id]
            turn.writes.append(DropTombstone(oldest.command_id))

    def _stop(self, entry: Unfinished, reason: StopReason, turn: Turn) -> None:
        if entry.stop is None and entry.mode in LIVE:  # once: a cancel after a time-out finds the driver stopping
            self._ask_to_stop(entry, reason, turn)
        turn.writes.append(self._ledger.ask_to_stop(entry, reason))

    def _ask_to_stop(self, entry: Unfinished, reason: StopReason, turn: Turn) -> None:
        turn.steps.append(StopEffect(command_id=entry.run.command_id, attempt=entry.run.attempt, reason=reason))
        turn.note(Log.EFFECT_STOPPING, **_names(entry), reason=reason.value)

    def _end(self, entry: Unfinished, conclusion: Conclusion, turn: Turn) -> None:
        turn.writes.append(self._ledger.end(entry, turn.hub_now, retryable=conclusion.retryable))
        self._report(entry.run, conclusion.status, turn, conclusion=conclusion)
        turn.note(Log.COMMAND_ENDED, **_names(entry), status=conclusion.status.value, code=_code(conclusion))

    def _report(
        self,
        run: Run,
        status: ReportStatus,
        turn: Turn,
        *,
        conclusion: Conclusion | None = None,
        progress: dict[str, Any] | None = None,
        transient: bool = False,
    ) -> None:
        report = Report(
            report_id=reporting.new_id(turn.hub_now, self._rng),
            command_id=run.command_id,
            attempt=run.attempt,
            status=status,
            at=reporting.moment(turn.hub_now),
            progress=progress,
            result=conclusion.result if conclusion else None,
            error=conclusion.error if conclusion else None,
        )
        body, cut = reporting.encode(report)
        if cut:
            turn.note(Log.REPORT_TRUNCATED, **_run_names(run), status=status.value)
        if transient:
            self.outbox.put_transient(report, body, turn.at.mono)
        else:
            turn.writes += self.outbox.put(report, body, turn.hub_now, turn.at.mono)

    def _compact(self, turn: Turn) -> None:
        for record in list(self._ledger.finished()):
            last = max(record.expires_at, record.finished_at or 0.0)
            if last + KEEP_IDS_S <= turn.hub_now and self.outbox.confirmed(record.command_id):
                turn.writes += self.outbox.forget(record.command_id)
                turn.writes.append(self._ledger.drop(record.command_id))
        for tombstone in list(self._tombstones.values()):
            if tombstone.until <= turn.hub_now:
                del self._tombstones[tombstone.command_id]
                turn.writes.append(DropTombstone(tombstone.command_id))


def _effect(entry: Unfinished, turn: Turn, *, evidence: bool) -> StartEffect:
    until_expiry_s = max(0.0, entry.record.expires_at - turn.hub_now)
    return StartEffect(
        command_id=entry.run.command_id,
        attempt=entry.run.attempt,
        action=entry.run.action,
        payload=entry.run.payload,
        patience_s=min(until_expiry_s, WAITING_SHARE * entry.run.timeout_s),
        mode="evidence" if evidence else "execute",
        untouched=entry.record.untouched,
        began=Lifetime(boot=entry.record.boot or "", process=entry.record.process or ""),
        remembered={} if entry.record.evidence is None else msgspec.json.decode(entry.record.evidence),
    )


def _has_expired(entry: Unfinished, turn: Turn) -> bool:
    return entry.record.expires_at <= turn.hub_now


def _knows_less(known: AttemptRecord | None, run: Run) -> bool:
    """Whether the hub has heard more of an attempt than the journal knows: it heard only what had been journalled."""
    if run.heard is None:
        return False
    if known is None or known.attempt < run.attempt:
        return True
    unbegun = known.attempt == run.attempt and known.phase is Phase.RECEIVED
    return run.heard is ReportStatus.STARTED and unbegun


def _names(entry: Unfinished) -> dict[str, Any]:
    return _run_names(entry.run)


def _run_names(run: Run) -> dict[str, Any]:
    return {"command_id": run.command_id, "attempt": run.attempt}


def _code(conclusion: Conclusion) -> str | None:
    return None if conclusion.error is None else conclusion.error.code

/** The life of the commands that a page took in: accept, start, stop, end, forget. Pure, as `device_agent/core/commands.py`:
 * everything that must happen is collected in a `Turn`. */

import type { Cancel, Json, Run } from '../contract';
import type { Now } from './clock';
import { Outbox } from './outbox';
import {
  dropAttempt,
  dropTombstone,
  putAttempt,
  putTombstone,
  type Attempt,
  type Snapshot,
  type StopReason,
  type Tombstone,
  type Write,
} from './records';
import { conclude, concludeEvidence, failure, isRetryable, newId, reportOf, type Conclusion } from './reporting';
import type { Gate, Outcome, StartEffect, Step } from './steps';

/** How long an id is known after its expiry and its end: a repeated delivery in that time has no second effect. */
const KEEP_IDS_MS = 24 * 3_600_000;
const KEEP_TOMBSTONES_MS = 7 * KEEP_IDS_MS;
const MAX_TOMBSTONES = 1_000;
const MAX_UNFINISHED = 32;
const COMPACT_EVERY_MS = 600_000;
/** The page that carries it out ends with it; the next one looks for evidence. */
const ENDS_PAGE: ReadonlySet<string> = new Set(['restart_agent', 'reboot', 'shutdown']);

/** What one event leads to, while it is being worked out. `hubNow`: milliseconds by the hub's clock. */
export type Turn = { readonly at: Now; hubNow: number; readonly writes: Write[]; readonly steps: Step[] };

/** An attempt without end. `asking`: a reload cut it off, and its action looks for evidence; its lane is taken meanwhile.
 * `isOffered`: the hub has sent it to this page, not only to one before. */
type Open = { record: Attempt; readonly run: Run; mode: 'waiting' | 'running' | 'asking'; began: number; deadline: number; isOffered: boolean };

export class Commands {
  readonly outbox: Outbox;
  /** False: nothing new is taken in or begun. */
  isTaking = true;
  private readonly records = new Map<string, Attempt>();
  private readonly open = new Map<string, Open>();
  private readonly tombstones = new Map<string, Tombstone>();
  private arrivals = 0;
  private compactAt = 0;
  private readonly gate: Gate;
  private readonly process: string;
  private readonly random: () => number;

  constructor(gate: Gate, process: string, random: () => number) {
    this.gate = gate;
    this.process = process;
    this.random = random;
    this.outbox = new Outbox(random);
  }

  /** How many effects run, or are being asked about. */
  get active(): number {
    return [...this.open.values()].filter((entry) => entry.mode !== 'waiting').length;
  }

  /** Take over the journal. What was cut off is asked about now, or waits for the welcome to run again. */
  load(snapshot: Snapshot, turn: Turn): void {
    this.outbox.load(snapshot.reports, turn.at.mono);
    for (const tombstone of snapshot.tombstones) this.tombstones.set(tombstone.commandId, tombstone);
    this.compactAt = turn.at.mono + COMPACT_EVERY_MS;
    for (const record of snapshot.attempts) {
      this.records.set(record.commandId, record);
      this.arrivals = Math.max(this.arrivals, record.arrival);
      if (record.run === null || record.phase === 'finished') continue;
      const entry: Open = { record, run: record.run, mode: 'waiting', began: 0, deadline: Infinity, isOffered: false };
      this.open.set(record.commandId, entry);
      if (record.phase === 'started' && (record.run.onInterrupt !== 'rerun' || ENDS_PAGE.has(record.run.action))) {
        entry.mode = 'asking';
        turn.steps.push(effectOf(entry, 'evidence'));
      }
    }
  }

  /** One delivery of an attempt. False: the hub has heard more of it than the journal knows, which is therefore an older
   * copy of itself. */
  run(run: Run, turn: Turn, isClockKnown: boolean): boolean {
    const known = this.records.get(run.commandId);
    if (knowsLess(known, run)) {
      this.endUnknown(run, turn);
      return run.expiresAt + KEEP_IDS_MS <= turn.hubNow; // so old that it may have been forgotten
    }
    if (known !== undefined) {
      const entry = this.open.get(run.commandId);
      if (entry?.record.attempt === run.attempt) entry.isOffered = true;
      if (!(run.attempt > known.attempt && known.retryable && entry === undefined)) {
        this.outbox.again(run.commandId, turn.at.mono);
        return true;
      }
    }
    const refused = this.refusal(run, turn, isClockKnown);
    if (refused !== null) {
      this.takeEnded(run, turn);
      this.report(run, refused, turn);
    } else if (!this.isTaking || this.open.size >= MAX_UNFINISHED) {
      // Not kept: the hub keeps the attempt and offers it again, which costs nothing.
      this.outbox.putTransient(this.made(run, { status: 'busy' }, turn));
    } else {
      const record = this.recordOf(run, { run });
      this.records.set(run.commandId, record);
      this.open.set(run.commandId, { record, run, mode: 'waiting', began: 0, deadline: Infinity, isOffered: true });
      turn.writes.push(putAttempt(record));
      this.report(run, { status: 'accepted' }, turn);
    }
    return true;
  }

  /** Do not start, or stop, a command; the answer is its own report. */
  cancel(cancel: Cancel, turn: Turn): void {
    const record = this.records.get(cancel.commandId);
    const entry = this.open.get(cancel.commandId);
    if (entry?.mode === 'waiting') {
      this.end(entry, unbegun(entry, 'cancelled', 'cancelled', 'cancelled before it began'), turn);
      return;
    }
    // It must also hold for a later attempt: the one that runs may still fail as retryable.
    if (record === undefined || entry !== undefined || record.retryable) this.remember(cancel.commandId, turn);
    if (entry !== undefined) this.askToStop(entry, 'cancelled', turn);
    else if (record !== undefined) this.outbox.again(cancel.commandId, turn.at.mono);
  }

  /** An action answered. A second answer to one effect is ignored. */
  ended(commandId: string, attempt: number, outcome: Outcome | null, turn: Turn): void {
    const entry = this.open.get(commandId);
    if (entry === undefined || entry.record.attempt !== attempt || entry.mode === 'waiting') return;
    const conclusion =
      entry.mode === 'asking' ? concludeEvidence(outcome) : conclude(outcome, entry.record.stop, turn.at.mono - entry.began);
    this.end(entry, conclusion, turn);
  }

  progress(commandId: string, attempt: number, data: Json, turn: Turn): void {
    const entry = this.open.get(commandId);
    if (entry?.mode !== 'running' || entry.record.attempt !== attempt) return;
    this.outbox.putTransient(this.made(entry.run, { status: 'progress' }, turn, data));
  }

  /** The hub gave this journal a new id: what waits in it may have been carried out already. The hub has made it unknown,
   * and offers again what may run twice. */
  journalReplaced(turn: Turn): void {
    for (const entry of this.openIn('waiting')) {
      if (entry.run.onInterrupt === 'rerun') {
        turn.writes.push(...this.outbox.forget(entry.run.commandId));
        this.drop(entry.run.commandId, turn);
      } else {
        this.end(entry, failure('unknown', 'journal_replaced', "the page's store was lost or copied: whether this was done is not known"), turn);
      }
    }
  }

  /** What time alone brings about: expiry, time-outs, free lanes, and forgetting. */
  advance(turn: Turn, isClockKnown: boolean, mayBegin: boolean): void {
    const { mono } = turn.at;
    if (isClockKnown) {
      for (const entry of this.openIn('waiting')) {
        if (entry.record.expiresAt > turn.hubNow) continue;
        this.end(entry, unbegun(entry, 'expired', 'expired', 'it expired before it could begin on this page'), turn);
      }
    }
    for (const entry of this.openIn('running')) if (entry.deadline <= mono) this.askToStop(entry, 'timed_out', turn);
    if (mayBegin && this.isTaking && isClockKnown) for (const entry of this.nextToStart()) this.begin(entry, turn);
    if (this.compactAt > mono) return;
    this.compactAt = mono + COMPACT_EVERY_MS;
    if (isClockKnown) this.compact(turn);
  }

  /** The monotonic time at which `advance` has something to do, if nothing else happens. */
  nextDue(turn: Turn, isClockKnown: boolean): number {
    let due = this.compactAt;
    for (const entry of this.open.values()) {
      if (entry.mode === 'running' && entry.record.stop === null) due = Math.min(due, entry.deadline);
      if (entry.mode === 'waiting' && isClockKnown) due = Math.min(due, turn.at.mono + Math.max(0, entry.record.expiresAt - turn.hubNow));
    }
    return due;
  }

  private begin(entry: Open, turn: Turn): void {
    this.update(entry, { phase: 'started', process: this.process, stop: null }, turn);
    entry.mode = 'running';
    entry.began = turn.at.mono;
    entry.deadline = turn.at.mono + entry.run.timeoutMs;
    this.report(entry.run, { status: 'started' }, turn);
    turn.steps.push(effectOf(entry, 'execute'));
  }

  /** The best waiting attempt of each free lane: by priority, then by age. */
  private nextToStart(): Open[] {
    const taken = new Set([...this.open.values()].filter((entry) => entry.mode !== 'waiting').map((entry) => entry.run.lane));
    const ranked = this.openIn('waiting').toSorted(
      (one, other) =>
        other.run.priority - one.run.priority || one.run.issuedAt - other.run.issuedAt || one.record.arrival - other.record.arrival,
    );
    return ranked.filter((entry) => {
      if (!entry.isOffered || taken.has(entry.run.lane)) return false;
      taken.add(entry.run.lane);
      return true;
    });
  }

  private refusal(run: Run, turn: Turn, isClockKnown: boolean): Conclusion | null {
    if (this.tombstones.delete(run.commandId)) {
      turn.writes.push(dropTombstone(run.commandId));
      return failure('cancelled', 'cancelled', 'cancelled before it arrived');
    }
    if (isClockKnown && run.expiresAt <= turn.hubNow) return failure('expired', 'expired', 'it had expired when it arrived');
    if (ENDS_PAGE.has(run.action) && run.onInterrupt === 'rerun') {
      return failure('failed', 'rerun_refused', `${run.action} is never carried out twice: send it with on_interrupt unknown`);
    }
    const refusal = this.gate(run.action, run.payload);
    return refusal === null ? null : failure('failed', refusal.code, refusal.message);
  }

  private endUnknown(run: Run, turn: Turn): void {
    const message = "the page's store is an older copy of itself: whether this was done is not known";
    const unknown = failure('unknown', 'journal_rolled_back', message);
    const entry = this.open.get(run.commandId);
    if (entry?.record.attempt === run.attempt) {
      this.end(entry, unknown, turn);
    } else if (entry === undefined) {
      this.takeEnded(run, turn);
      this.report(run, unknown, turn);
    }
  }

  private askToStop(entry: Open, reason: StopReason, turn: Turn): void {
    if (entry.record.stop !== null) return;
    this.update(entry, { stop: reason }, turn);
    if (entry.mode === 'running') turn.steps.push({ is: 'stop_effect', commandId: entry.run.commandId, attempt: entry.run.attempt, reason });
  }

  private end(entry: Open, conclusion: Conclusion, turn: Turn): void {
    this.update(entry, { phase: 'finished', finishedAt: turn.hubNow, retryable: isRetryable(conclusion), run: null, stop: null }, turn);
    this.open.delete(entry.run.commandId);
    this.report(entry.run, conclusion, turn);
  }

  private takeEnded(run: Run, turn: Turn): void {
    const record = this.recordOf(run, { phase: 'finished', finishedAt: turn.hubNow });
    this.records.set(run.commandId, record);
    turn.writes.push(putAttempt(record));
  }

  private recordOf(run: Run, more: Partial<Attempt>): Attempt {
    this.arrivals += 1;
    const { commandId, attempt, expiresAt } = run;
    const empty = { phase: 'received', run: null, finishedAt: null, retryable: false, process: null, stop: null } as const;
    return { commandId, attempt, expiresAt, arrival: this.arrivals, ...empty, ...more };
  }

  private update(entry: Open, changes: Partial<Attempt>, turn: Turn): void {
    entry.record = { ...entry.record, ...changes };
    this.records.set(entry.record.commandId, entry.record);
    turn.writes.push(putAttempt(entry.record));
  }

  private remember(commandId: string, turn: Turn): void {
    const tombstone = { commandId, until: turn.hubNow + KEEP_TOMBSTONES_MS };
    this.tombstones.set(commandId, tombstone);
    turn.writes.push(putTombstone(tombstone));
    const [oldest] = this.tombstones.keys();
    if (this.tombstones.size > MAX_TOMBSTONES && oldest !== undefined) {
      this.tombstones.delete(oldest);
      turn.writes.push(dropTombstone(oldest));
    }
  }

  private report(run: Run, conclusion: Conclusion, turn: Turn): void {
    turn.writes.push(...this.outbox.put(this.made(run, conclusion, turn), turn.hubNow, turn.at.mono));
  }

  private made({ commandId, attempt }: Run, conclusion: Conclusion, turn: Turn, progress: Json | null = null) {
    return reportOf({ reportId: newId(turn.hubNow, this.random), commandId, attempt, at: turn.hubNow }, conclusion, progress);
  }

  private compact(turn: Turn): void {
    for (const record of this.records.values()) {
      const last = Math.max(record.expiresAt, record.finishedAt ?? 0);
      if (record.phase !== 'finished' || last + KEEP_IDS_MS > turn.hubNow || !this.outbox.isConfirmed(record.commandId)) continue;
      turn.writes.push(...this.outbox.forget(record.commandId));
      this.drop(record.commandId, turn);
    }
    for (const { commandId, until } of this.tombstones.values()) {
      if (until > turn.hubNow) continue;
      this.tombstones.delete(commandId);
      turn.writes.push(dropTombstone(commandId));
    }
  }

  private drop(commandId: string, turn: Turn): void {
    this.records.delete(commandId);
    this.open.delete(commandId);
    turn.writes.push(dropAttempt(commandId));
  }

  private openIn(mode: Open['mode']): Open[] {
    return [...this.open.values()].filter((entry) => entry.mode === mode);
  }
}

const effectOf = ({ run, record }: Open, mode: StartEffect['mode']): StartEffect => ({
  is: 'start',
  commandId: run.commandId,
  attempt: run.attempt,
  action: run.action,
  payload: run.payload,
  mode,
  process: record.process ?? '',
});

/** The end of an attempt that waits; one that a reload cut off may have had its effect all the same. */
const unbegun = (entry: Open, status: 'cancelled' | 'expired', code: string, message: string): Conclusion =>
  entry.record.phase === 'started'
    ? failure('unknown', 'interrupted', `a reload cut it off, and ${message}: look at the screen`)
    : failure(status, code, message);

/** Whether the hub has heard more of an attempt than the journal knows: it heard only what had been kept. */
function knowsLess(known: Attempt | undefined, run: Run): boolean {
  if (run.heard === null) return false;
  if (known === undefined || known.attempt < run.attempt) return true;
  return known.attempt === run.attempt && known.phase === 'received' && run.heard === 'started';
}

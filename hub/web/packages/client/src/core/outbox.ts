/** Reports on their way to the hub: which are due, which go together, and which may be forgotten. Pure: it returns the
 * writes that its changes need. A kept report is sent until its receipt; progress and busy once, and the latest wins. */

import type { Report } from '../contract';
import { dropReport, putReport, type KeptReport, type Write } from './records';
import { sizeOf } from './reporting';

const MAX_REPORTS = 200;
/** Bytes of all reports of one message; the envelope takes some 200 of the contract's 65,536. */
const MAX_BODIES = 64_000;
const MAX_BACKOFF_MS = 30_000;
const MAX_TRANSIENT = 500;
/** Bytes up to which a receipted report is kept as it is. The hub has the rest. */
const KEEP_WHOLE = 2_048;

type Schedule = { due: number; tries: number };

/** Times are monotonic milliseconds. */
export class Outbox {
  private readonly records = new Map<string, KeptReport>();
  private readonly byCommand = new Map<string, string[]>();
  private readonly schedule = new Map<string, Schedule>();
  private readonly transient = new Map<string, Report>();
  private sequence = 0;
  private readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  /** Take over what the journal holds; everything without receipt is due. */
  load(records: readonly KeptReport[], mono: number): void {
    for (const record of records.toSorted((one, other) => one.sequence - other.sequence)) {
      this.keep(record);
      if (!record.receipted) this.schedule.set(record.reportId, { due: mono, tries: 0 });
    }
  }

  /** How many kept reports the hub has not confirmed. */
  get unreceipted(): number {
    return [...this.records.values()].filter((record) => !record.receipted).length;
  }

  /** Add a report; a receipted one of the same command before it is no longer needed. */
  put(report: Report, madeAt: number, mono: number): Write[] {
    this.sequence += 1;
    const { report_id: reportId, command_id: commandId, attempt } = report;
    const record: KeptReport = { reportId, commandId, attempt, sequence: this.sequence, madeAt, report, receipted: false };
    const outdated = this.of(commandId).filter((known) => known.receipted);
    this.keep(record);
    this.schedule.set(reportId, { due: mono, tries: 0 });
    this.transient.delete(`${commandId} progress`);
    return [putReport(record), ...outdated.map((known) => this.drop(known))];
  }

  /** Add a report that is sent once: it replaces an unsent one of the same command and status. */
  putTransient(report: Report): void {
    const key = `${report.command_id} ${report.status}`;
    this.transient.delete(key);
    this.transient.set(key, report);
    const [oldest] = this.transient.keys();
    if (this.transient.size > MAX_TRANSIENT && oldest !== undefined) this.transient.delete(oldest);
  }

  /** The hub has these for good. Unknown ids are ignored: a receipt may come twice. */
  receipt(reportIds: readonly string[]): Write[] {
    const writes: Write[] = [];
    for (const id of reportIds) {
      const record = this.records.get(id);
      this.schedule.delete(id);
      if (record === undefined || record.receipted) continue;
      if (this.byCommand.get(record.commandId)?.at(-1) !== id) {
        writes.push(this.drop(record));
        continue;
      }
      const kept = { ...record, receipted: true, report: slim(record.report) };
      this.records.set(id, kept);
      writes.push(putReport(kept));
    }
    return writes;
  }

  /** Send what is known about a command again: its reports without receipt, or else its last one. */
  again(commandId: string, mono: number): void {
    const known = this.of(commandId);
    const waiting = known.filter((record) => !record.receipted);
    for (const { reportId } of waiting.length > 0 ? waiting : known.slice(-1)) this.schedule.set(reportId, { due: mono, tries: 0 });
  }

  /** Everything without receipt goes now; `madeBefore` (hub time): only what is older. */
  allDue(mono: number, madeBefore = Infinity): void {
    for (const { reportId, receipted, madeAt } of this.records.values()) {
      if (!receipted && madeAt <= madeBefore) this.schedule.set(reportId, { due: mono, tries: 0 });
    }
  }

  /** Drop every report of a command. */
  forget(commandId: string): Write[] {
    this.transient.delete(`${commandId} progress`);
    return this.of(commandId).map((record) => this.drop(record));
  }

  isConfirmed(commandId: string): boolean {
    return this.of(commandId).every((record) => record.receipted);
  }

  nextDue(): number {
    const dues = [...this.schedule.values()].map(({ due }) => due);
    return this.transient.size > 0 ? 0 : Math.min(Infinity, ...dues);
  }

  /** The reports of the next message; what is in it counts as sent. */
  batch(mono: number): readonly Report[] {
    const due = [...this.schedule]
      .filter(([, schedule]) => schedule.due <= mono)
      .flatMap(([id]) => this.records.get(id) ?? [])
      .toSorted((one, other) => one.sequence - other.sequence);
    const reports: Report[] = [];
    const jitter = 0.75 + 0.5 * this.random(); // one for all, so that what goes together stays together
    let size = 0;
    const fits = (report: Report): boolean => {
      size += sizeOf(report) + 1;
      return reports.length < MAX_REPORTS && (reports.length === 0 || size <= MAX_BODIES);
    };
    for (const record of due) {
      if (!fits(record.report)) return reports;
      reports.push(record.report);
      this.sent(record, mono, jitter);
    }
    for (const [key, report] of this.transient) {
      if (!fits(report)) return reports;
      reports.push(report);
      this.transient.delete(key);
    }
    return reports;
  }

  private sent(record: KeptReport, mono: number, jitter: number): void {
    const schedule = this.schedule.get(record.reportId);
    if (schedule === undefined) return;
    if (record.receipted) {
      this.schedule.delete(record.reportId); // an answer to a repeated delivery; the hub has it already
      return;
    }
    schedule.due = mono + Math.min(MAX_BACKOFF_MS, 1000 * 2 ** schedule.tries) * jitter;
    schedule.tries = Math.min(schedule.tries + 1, 10);
  }

  private of(commandId: string): KeptReport[] {
    return (this.byCommand.get(commandId) ?? []).flatMap((id) => this.records.get(id) ?? []);
  }

  private keep(record: KeptReport): void {
    this.records.set(record.reportId, record);
    const siblings = this.byCommand.get(record.commandId) ?? [];
    this.byCommand.set(record.commandId, [...siblings, record.reportId]);
    this.sequence = Math.max(this.sequence, record.sequence);
  }

  private drop(record: KeptReport): Write {
    this.records.delete(record.reportId);
    this.schedule.delete(record.reportId);
    const siblings = (this.byCommand.get(record.commandId) ?? []).filter((id) => id !== record.reportId);
    if (siblings.length === 0) this.byCommand.delete(record.commandId);
    else this.byCommand.set(record.commandId, siblings);
    return dropReport(record.reportId);
  }
}

/** A large report without its data. */
function slim(report: Report): Report {
  if (report.result === undefined || sizeOf(report) <= KEEP_WHOLE) return report;
  const data = { truncated: true, note: 'the hub has confirmed the whole report; only its end is kept here' };
  return { ...report, result: { ...report.result, data } };
}

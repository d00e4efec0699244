/** What a page keeps of its commands, and the only ways in which it changes: a write replaces or drops one row. */

import type { Report, Run } from '../contract';

/** `received`: kept, its effect has not begun. `started`: committed before the effect begins. `finished`: with its end. */
export type Phase = 'received' | 'started' | 'finished';
export type StopReason = 'cancelled' | 'timed_out';

/** The latest attempt of one command. Times are milliseconds by the hub's clock. */
export type Attempt = {
  readonly commandId: string;
  readonly attempt: number;
  /** Rises with each attempt that was taken in. */
  readonly arrival: number;
  readonly phase: Phase;
  readonly expiresAt: number;
  /** Null once it has finished. */
  readonly run: Run | null;
  readonly finishedAt: number | null;
  /** It failed and nothing took effect: only then may a higher attempt follow. */
  readonly retryable: boolean;
  /** The session of the page in which its effect began. */
  readonly process: string | null;
  readonly stop: StopReason | null;
};

/** A report that must reach the hub, or the last one of its command, kept to answer a repeated delivery. */
export type KeptReport = {
  readonly reportId: string;
  readonly commandId: string;
  readonly attempt: number;
  readonly sequence: number;
  readonly madeAt: number;
  readonly report: Report;
  readonly receipted: boolean;
};

/** A cancel that also holds for attempts which have not arrived yet. */
export type Tombstone = { readonly commandId: string; readonly until: number };

export type Settings = {
  /** The hub's name for this journal; null: the hub has not met it. */
  readonly journal: string | null;
  readonly epoch: number | null;
  /** The highest hub time that was ever seen. */
  readonly hubTime: number;
  /** The last accepted key list, as the hub signed it. */
  readonly keys: Uint8Array | null;
  /** The generation of the journal, see `generation`. */
  readonly mark: number;
};

export const NOTHING: Settings = { journal: null, epoch: null, hubTime: 0, keys: null, mark: 0 };

export type Snapshot = {
  readonly settings: Settings;
  readonly attempts: readonly Attempt[];
  readonly reports: readonly KeptReport[];
  readonly tombstones: readonly Tombstone[];
};

export type Write =
  | { readonly table: 'attempts'; readonly key: string; readonly put: Attempt | null }
  | { readonly table: 'reports'; readonly key: string; readonly put: KeptReport | null }
  | { readonly table: 'tombstones'; readonly key: string; readonly put: Tombstone | null }
  | { readonly table: 'settings'; readonly key: 'settings'; readonly put: Settings };

export const putAttempt = (record: Attempt): Write => ({ table: 'attempts', key: record.commandId, put: record });
export const dropAttempt = (commandId: string): Write => ({ table: 'attempts', key: commandId, put: null });
export const putReport = (record: KeptReport): Write => ({ table: 'reports', key: record.reportId, put: record });
export const dropReport = (reportId: string): Write => ({ table: 'reports', key: reportId, put: null });
export const putTombstone = (record: Tombstone): Write => ({ table: 'tombstones', key: record.commandId, put: record });
export const dropTombstone = (commandId: string): Write => ({ table: 'tombstones', key: commandId, put: null });
export const putSettings = (settings: Settings): Write => ({ table: 'settings', key: 'settings', put: settings });

/** One write per row, the last one, in the order in which rows were first touched. */
export function merged(writes: Iterable<Write>): Write[] {
  const last = new Map<string, Write>();
  for (const write of writes) last.set(`${write.table} ${write.key}`, write);
  return [...last.values()];
}

/** Change a snapshot as one commit changes the journal. */
export function applied(snapshot: Snapshot, writes: Iterable<Write>): Snapshot {
  const attempts = new Map(snapshot.attempts.map((each) => [each.commandId, each]));
  const reports = new Map(snapshot.reports.map((each) => [each.reportId, each]));
  const tombstones = new Map(snapshot.tombstones.map((each) => [each.commandId, each]));
  let { settings } = snapshot;
  for (const write of writes) {
    if (write.table === 'settings') settings = write.put;
    else if (write.table === 'attempts') change(attempts, write.key, write.put);
    else if (write.table === 'reports') change(reports, write.key, write.put);
    else change(tombstones, write.key, write.put);
  }
  return { settings, attempts: [...attempts.values()], reports: [...reports.values()], tombstones: [...tombstones.values()] };
}

function change<Row>(rows: Map<string, Row>, key: string, put: Row | null): void {
  if (put === null) rows.delete(key);
  else rows.set(key, put);
}

/** The generation of a journal tells it from an older copy of itself: see `device_agent/core/generation.py`. */
const STARTS = 2 ** 20;

export const afterStart = (mark: number): number => (mark % STARTS < STARTS - 1 ? mark + 1 : mark);

export const afterChange = (mark: number): number => (Math.floor(mark / STARTS) + 1) * STARTS;

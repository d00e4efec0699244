/** Builds reports that fit the contract, whatever an action said. What is too large is cut with a note, never lost. */

import { cleaned, utf8 } from '../bytes';
import { isJson, type Json, type Report, type ReportStatus } from '../contract';
import type { StopReason } from './records';
import type { Outcome } from './steps';

/** Bytes of one report, so that a message with one report always fits into the contract's 64 KiB. */
const MAX_REPORT = 60_000;
const MAX_TEXT = 8_000;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;

export type Conclusion = { readonly status: ReportStatus } & Pick<Report, 'result' | 'error'>;

/** An end that the page itself decided. */
export const failure = (status: ReportStatus, code: string, message: string, retryable = false): Conclusion => ({
  status,
  error: { code, message: textOf(message), retryable },
});

export const isRetryable = ({ status, error }: Conclusion): boolean => status === 'failed' && error?.retryable === true;

/** The end of an attempt that ran. `stopped`: it had been asked to stop, and why. */
export function conclude(outcome: Outcome | null, stopped: StopReason | null, duration: number | null): Conclusion {
  if (outcome === null) {
    const code = stopped === 'timed_out' ? 'timed_out' : stopped === 'cancelled' ? 'stopped' : 'no_answer';
    return failure('unknown', code, 'it was stopped, and the page cannot say what took effect: look at the screen');
  }
  if (stopped === 'timed_out' && outcome.status === 'cancelled') {
    return spell({ ...outcome, status: 'failed', code: 'timed_out' }, duration); // nobody cancelled it
  }
  return spell(outcome, duration);
}

/** The end of an attempt that a reload cut off, by what its action found out. */
export function concludeEvidence(outcome: Outcome | null): Conclusion {
  const found = outcome ?? { status: 'unknown', message: 'the page was reloaded meanwhile, and there is no evidence' };
  if (found.status !== 'unknown') return spell(found, null);
  return spell({ ...found, code: found.code ?? 'interrupted', data: { evidence: found.data ?? {} } }, null);
}

function spell(outcome: Outcome, duration: number | null): Conclusion {
  const message = textOf(outcome.message ?? '');
  const data = isJson(outcome.data) ? outcome.data : {};
  const result = { data, message, ...(duration === null ? {} : { duration_s: Math.max(0, duration) / 1000 }) };
  if (outcome.status === 'completed') return { status: 'completed', result };
  const code = CODE.test(outcome.code ?? '') ? String(outcome.code) : outcome.status;
  // Only a failure may be tried again: anything else may have taken effect, or was not wanted.
  return { status: outcome.status, result, error: { code, message, retryable: outcome.isRetryable === true && outcome.status === 'failed' } };
}

type Named = { readonly reportId: string; readonly commandId: string; readonly attempt: number; readonly at: number };

/** A report as it travels, at most `MAX_REPORT` bytes. */
export function reportOf({ reportId, commandId, attempt, at }: Named, conclusion: Conclusion, progress: Json | null = null): Report {
  const report: Report = {
    report_id: reportId,
    command_id: commandId,
    attempt,
    status: conclusion.status,
    at: new Date(at).toISOString(),
    ...(progress === null ? {} : { progress: clean(progress) }),
    ...(conclusion.result === undefined ? {} : { result: { ...conclusion.result, data: clean(conclusion.result.data) } }),
    ...(conclusion.error === undefined ? {} : { error: conclusion.error }),
  };
  const size = sizeOf(report);
  if (size <= MAX_REPORT) return report;
  const note = { truncated: true, note: `the report had ${size} bytes, more than ${MAX_REPORT}: its data was cut` };
  return {
    ...report,
    ...(report.progress === undefined ? {} : { progress: note }),
    ...(report.result === undefined ? {} : { result: { ...report.result, data: note } }),
  };
}

export const sizeOf = (value: unknown): number => utf8(JSON.stringify(value)).length;

const textOf = (text: string): string => cleaned(text.slice(0, MAX_TEXT)); // the cut may leave half a character

/** JSON that the hub can store: an action may have said anything. */
function clean(data: Json): Json {
  try {
    const read: unknown = JSON.parse(cleaned(JSON.stringify(data, (_, value: unknown) => (typeof value === 'string' ? cleaned(value) : value))));
    return isJson(read) ? read : {};
  } catch {
    return { truncated: true, note: 'the data is no JSON and was left out' };
  }
}

/** A UUIDv7 of a time in milliseconds. */
export function newId(now: number, random: () => number): string {
  const digits = (count: number): string => Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0').slice(-12);
  const variant = (8 + Math.floor(random() * 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-${variant}${digits(3)}-${digits(12)}`;
}

/** The one shape of everything that can go wrong with a call: the hub's own problems, and those of getting there. */

export type FieldProblem = { readonly field: string; readonly message: string };

/** Codes of what never reached a hub; the pages own their sentences, of all others the hub's `detail` is shown. */
export type LocalCode = 'no_answer' | 'not_the_hub';

export type Problem = {
  readonly code: string;
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  /** The hub's sentence in the language that the request asked for; empty for a `LocalCode`. */
  readonly detail: string;
  readonly fields: readonly FieldProblem[];
  /** When to try again, in milliseconds since 1970 by this machine's clock; null when nothing says so. */
  readonly retryAt: number | null;
};

export type Result<Data> = { readonly ok: true; readonly data: Data } | { readonly ok: false; readonly problem: Problem };

export const local = (code: LocalCode, status = 0): Problem => ({ code, status, detail: '', fields: [], retryAt: null });

export const isLocal = (problem: Problem): problem is Problem & { readonly code: LocalCode } =>
  problem.code === 'no_answer' || problem.code === 'not_the_hub';

/** The problem that an answer with an error status tells; `body` is its JSON, or undefined when it is none. */
export function problemOf(status: number, body: unknown, retryAfter: string | null, now: number): Problem {
  if (!isRecord(body) || typeof body['code'] !== 'string' || typeof body['detail'] !== 'string') {
    return { ...local('not_the_hub', status), retryAt: retryAtOf(retryAfter, now) };
  }
  const listed: unknown[] = Array.isArray(body['errors']) ? body['errors'] : [];
  return {
    code: body['code'],
    status,
    detail: body['detail'],
    fields: listed.flatMap((item) =>
      isRecord(item) && typeof item['field'] === 'string' && typeof item['message'] === 'string'
        ? [{ field: camelCase(item['field']), message: item['message'] }]
        : [],
    ),
    retryAt: retryAtOf(retryAfter, now),
  };
}

/** `Retry-After` has seconds or a date. */
function retryAtOf(header: string | null, now: number): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return now + Number(text) * 1000;
  // Only as HTTP writes a date: JavaScript takes much more for one, such as -1.
  const date = /^[A-Z][a-z]{2}, \d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : date;
}

/** The hub may name a field as its API does, `new_password`; the pages' forms use the other form. */
export const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

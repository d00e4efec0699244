/** The last command that this page showed: after a reload its message still stands, and so does this. */

import type { LastCommand } from '@client/talk';
import { keep, kept } from '@ui/kept';

const KEY = 'screen.last';

export function keepLast(clientId: string, last: LastCommand): void {
  keep(KEY, JSON.stringify({ ...last, clientId }));
}

/** Of this client; null: none is kept. */
export function lastOf(clientId: string | null): LastCommand | null {
  try {
    const read: unknown = JSON.parse(kept(KEY) ?? 'null');
    if (typeof read !== 'object' || read === null) return null;
    const { id, action, status, at, clientId: of } = read as Record<string, unknown>;
    if (of !== clientId || typeof id !== 'string' || typeof action !== 'string' || typeof status !== 'string') return null;
    return typeof at === 'number' && Number.isFinite(new Date(at).getTime()) ? { id, action, status, at } : null;
  } catch {
    return null;
  }
}

/** What one client did is nothing for another. */
export function forgetLast(): void {
  keep(KEY, 'null');
}

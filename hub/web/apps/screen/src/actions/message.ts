/** The message that a page shows. It stays until the next one, after a reload, too. */

import { signal } from '@preact/signals';
import { keep, kept } from '@ui/kept';

export type Message = { readonly text: string; readonly commandId: string; readonly clientId: string };

const KEY = 'screen.message';

function last(): Message | null {
  try {
    const read: unknown = JSON.parse(kept(KEY) ?? 'null');
    if (typeof read !== 'object' || read === null) return null;
    const { text, commandId, clientId } = read as Record<string, unknown>;
    return typeof text === 'string' && typeof commandId === 'string' && typeof clientId === 'string' ? { text, commandId, clientId } : null;
  } catch {
    return null;
  }
}

export const message = signal<Message | null>(last());

// Another tab was the client, and this one may be the next.
addEventListener('storage', () => {
  message.value = last();
});

/** False: the browser does not keep it, so it is not shown; after a reload nobody could say whether it was. */
export function show(next: Message): boolean {
  const text = JSON.stringify(next);
  keep(KEY, text);
  if (kept(KEY) !== text) return false;
  message.value = next;
  return true;
}

/** Whether it is what this browser shows, in whatever tab it was. */
export const shows = (commandId: string): boolean => last()?.commandId === commandId;

/** What one client showed is nothing for another. */
export function clear(): void {
  keep(KEY, 'null');
  message.value = null;
}

/** The message that a page shows. It stays until the next one, after a reload, too. */

import { signal } from '@preact/signals';
import { keep, kept } from '@ui/kept';

export type Message = { readonly text: string; readonly commandId: string };

const KEY = 'screen.message';

function last(): Message | null {
  try {
    const read: unknown = JSON.parse(kept(KEY) ?? 'null');
    if (typeof read !== 'object' || read === null) return null;
    const { text, commandId } = read as Record<string, unknown>;
    return typeof text === 'string' && typeof commandId === 'string' ? { text, commandId } : null;
  } catch {
    return null;
  }
}

export const message = signal<Message | null>(last());

export function show(next: Message): void {
  keep(KEY, JSON.stringify(next));
  message.value = next;
}

export const shows = (commandId: string): boolean => message.peek()?.commandId === commandId;

/** What one client showed is nothing for another. */
export function clear(): void {
  keep(KEY, 'null');
  message.value = null;
}

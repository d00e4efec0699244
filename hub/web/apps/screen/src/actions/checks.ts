/** Which actions a page carries out, and which payloads. Pure: the worker asks before anything begins. */

import type { Json } from '@client/contract';
import type { Gate, Refusal } from '@client/core/steps';

export const MAX_MESSAGE = 2_000;
const MAX_DELAY_S = 3_600;

const invalid = (message: string): Refusal => ({ code: 'payload_invalid', message });

/** What `display` shows so far: one message on the page's only display. */
function display(payload: Json): Refusal | null {
  const { message, display_index: index = 0 } = payload;
  if (index !== 0) return invalid('display_index: this page has one display, 0');
  if (typeof message !== 'string' || message.trim() === '') return invalid('message: give the text that the page shows');
  if (message.length > MAX_MESSAGE) return invalid(`message: it has ${message.length} characters; at most ${MAX_MESSAGE} are shown`);
  const other = Object.keys(payload).find((name) => name !== 'message' && name !== 'display_index');
  return other === undefined ? null : invalid(`${other.slice(0, 60)}: this page shows a message and nothing else`);
}

function restart({ delay_s: delay = 3 }: Json): Refusal | null {
  return typeof delay === 'number' && delay >= 0 && delay <= MAX_DELAY_S ? null : invalid(`delay_s: give 0 to ${MAX_DELAY_S} seconds`);
}

const CHECKS: Readonly<Record<string, (payload: Json) => Refusal | null>> = { display, restart_agent: restart, status: () => null };

export const CAPABILITIES: readonly string[] = Object.keys(CHECKS);

export const gate: Gate = (action, payload) => {
  const check = Object.hasOwn(CHECKS, action) ? CHECKS[action] : undefined;
  if (check !== undefined) return check(payload);
  const can = CAPABILITIES.join(', ');
  return { code: 'unsupported_action', message: `this client has no action '${action}'; it has: ${can} (\`floorhub client show\` lists them)` };
};

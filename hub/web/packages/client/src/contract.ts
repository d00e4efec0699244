/** The messages between hub and client, version 1: `schemas/messages.py` and `schemas/topics.py` for a page. Unknown fields
 * are ignored; a message that breaks the contract is refused with a code. */

export const MAX_PAYLOAD = 65_536;
const ROOT = 'floorhub/v1';

/** What a client receives, by the end of its topic, and what is for all. */
export type Inbox = 'commands' | 'receipts' | 'keys' | 'roll_call';
export type Outbox = 'reports' | 'presence' | 'state' | 'heartbeat';

export const topicOf = (clientId: string, channel: Outbox | 'commands' | 'receipts'): string => `${ROOT}/clients/${clientId}/${channel}`;

/** What a client subscribes to. */
export const inboxes = (clientId: string): ReadonlyMap<string, Inbox> =>
  new Map([
    [topicOf(clientId, 'commands'), 'commands'],
    [topicOf(clientId, 'receipts'), 'receipts'],
    [`${ROOT}/hub/presence`, 'roll_call'],
    [`${ROOT}/hub/keys`, 'keys'],
  ]);

export type Json = Readonly<Record<string, unknown>>;
export type ReportStatus = 'accepted' | 'started' | 'progress' | 'completed' | 'failed' | 'cancelled' | 'expired' | 'unknown' | 'busy';

/** Carry out one attempt of a command. Times are milliseconds since 1970. */
export type Run = {
  readonly kind: 'run';
  readonly clientId: string;
  readonly commandId: string;
  readonly attempt: number;
  readonly lane: string;
  readonly action: string;
  readonly payload: Json;
  readonly priority: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly timeoutMs: number;
  readonly onInterrupt: 'rerun' | 'unknown';
  readonly journal: string | null;
  /** What the hub has heard of this attempt, where it must not happen twice. */
  readonly heard: string | null;
};
export type Cancel = { readonly kind: 'cancel'; readonly clientId: string; readonly commandId: string };
export type Receipt = { readonly kind: 'receipt'; readonly clientId: string; readonly reportIds: readonly string[]; readonly hubTime: number };
export type Welcome = {
  readonly kind: 'welcome';
  readonly clientId: string;
  readonly session: string;
  readonly journal: string;
  readonly epoch: number;
  readonly hubTime: number;
  readonly keepAway: string | null;
  readonly nonce: string | null;
};
/** What the hub signs for one client. */
export type Signed = Run | Cancel | Receipt | Welcome;
export type SigningKey = { readonly kid: string; readonly key: string; readonly kinds: readonly string[]; readonly notAfter: number };
export type KeyList = { readonly version: number; readonly expires: number; readonly keys: readonly SigningKey[] };

/** One word about one attempt, as it travels. */
export type Report = {
  readonly report_id: string;
  readonly command_id: string;
  readonly attempt: number;
  readonly status: ReportStatus;
  readonly at: string;
  readonly progress?: Json;
  readonly result?: { readonly data: Json; readonly message: string; readonly duration_s?: number };
  readonly error?: { readonly code: string; readonly message: string; readonly retryable: boolean };
};

/** A message that is not obeyed: `code` says why, as the agent's `ContractError`. */
export class ContractError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ContractError';
    this.code = code;
  }
}

/** Reads the fields of a JSON object, each of the kind that it must have. */
class Fields {
  private readonly object: Json;

  constructor(text: string) {
    let read: unknown;
    try {
      read = JSON.parse(text);
    } catch {
      throw new ContractError('not_json', 'it is no JSON');
    }
    if (!isJson(read)) throw new ContractError('invalid', 'it is no object');
    this.object = read;
    if (this.number('v') !== 1) throw new ContractError('unsupported_version', `version ${String(read['v'])}`);
  }

  string(name: string): string {
    const value = this.object[name];
    if (typeof value !== 'string' || value === '') throw invalid(name);
    return value;
  }

  optional(name: string): string | null {
    return this.object[name] == null ? null : this.string(name);
  }

  number(name: string): number {
    const value = this.object[name];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(name);
    return value;
  }

  whole(name: string, least: number): number {
    const value = this.number(name);
    if (!Number.isSafeInteger(value) || value < least) throw invalid(name);
    return value;
  }

  time(name: string): number {
    const value = Date.parse(this.string(name));
    if (Number.isNaN(value)) throw invalid(name);
    return value;
  }

  json(name: string): Json {
    const value = this.object[name];
    if (!isJson(value)) throw invalid(name);
    return value;
  }

  list(name: string): readonly unknown[] {
    const value = this.object[name];
    if (!Array.isArray(value)) throw invalid(name);
    return value;
  }
}

const invalid = (name: string): ContractError => new ContractError('invalid', `the field ${name} is not as the contract has it`);

export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The message of a verified body. Throws ContractError. */
export function readSigned(text: string): Signed {
  const fields = new Fields(text);
  const kind = fields.string('kind');
  const clientId = fields.string('client_id');
  switch (kind) {
    case 'run':
      return {
        kind,
        clientId,
        commandId: fields.string('command_id'),
        attempt: fields.whole('attempt', 1),
        lane: fields.string('lane'),
        action: fields.string('action'),
        payload: fields.json('payload'),
        priority: fields.whole('priority', 1),
        issuedAt: fields.time('issued_at'),
        expiresAt: fields.time('expires_at'),
        timeoutMs: fields.number('timeout_s') * 1000,
        // Whatever is no `rerun` must not happen twice.
        onInterrupt: fields.optional('on_interrupt') === 'rerun' ? 'rerun' : 'unknown',
        journal: fields.optional('journal'),
        heard: fields.optional('heard'),
      };
    case 'cancel':
      return { kind, clientId, commandId: fields.string('command_id') };
    case 'receipt':
      return { kind, clientId, reportIds: fields.list('report_ids').filter((id) => typeof id === 'string'), hubTime: fields.time('hub_time') };
    case 'welcome':
      return {
        kind,
        clientId,
        session: fields.string('session'),
        journal: fields.string('journal'),
        epoch: fields.whole('epoch', 0),
        hubTime: fields.time('hub_time'),
        keepAway: fields.optional('keep_away'),
        nonce: fields.optional('nonce'),
      };
    default:
      throw new ContractError('unsupported_kind', `the kind ${kind} is not known here`);
  }
}

/** The key list of a verified body. Throws ContractError. */
export function readKeys(text: string): KeyList {
  const fields = new Fields(text);
  if (fields.string('kind') !== 'keys') throw new ContractError('unsupported_kind', 'it is no key list');
  const keys = fields.list('keys').map((entry): SigningKey => {
    if (!isJson(entry)) throw invalid('keys');
    const { kid, key, kinds, not_after: until } = entry;
    const notAfter = Date.parse(String(until));
    if (typeof kid !== 'string' || typeof key !== 'string' || !Array.isArray(kinds) || Number.isNaN(notAfter)) throw invalid('keys');
    return { kid, key, kinds: kinds.filter((kind) => typeof kind === 'string'), notAfter };
  });
  return { version: fields.whole('version', 1), expires: fields.time('expires'), keys };
}

/** Within how many milliseconds a roll call wants its answer. Throws ContractError. */
export function readRollCall(text: string): number {
  const fields = new Fields(text);
  if (fields.string('kind') !== 'roll_call') throw new ContractError('unsupported_kind', 'it is no roll call');
  return Math.min(Math.max(fields.number('spread_s'), 0), 60) * 1000;
}

/** Who may command this client: verifies what claims to come from the hub, before any of it is parsed. The page pins the
 * hub's root key; the root signs the list of keys, and a key of the list signs commands, receipts and welcomes. */

import { fromBase64url, tagged, textOf, type Bytes } from './bytes';
import { ContractError, MAX_PAYLOAD, readKeys, readSigned, type KeyList, type Signed, type SigningKey } from './contract';

const TAGS: Readonly<Record<Signed['kind'], string>> = {
  run: 'floorhub/command/v1',
  cancel: 'floorhub/command/v1',
  receipt: 'floorhub/receipt/v1',
  welcome: 'floorhub/welcome/v1',
};
/** By the topic on which something comes; two kinds share one, and the kind is known only once it is verified. */
const TAGS_OF = { commands: ['floorhub/command/v1'], receipts: ['floorhub/receipt/v1', 'floorhub/welcome/v1'] } as const;
const KEYS_TAG = 'floorhub/keys/v1';
/** Why a signed message is refused for its key. */
export const TRUST_CODES: ReadonlySet<string> = new Set(['bad_signature', 'unknown_key', 'key_not_allowed', 'key_expired', 'key_list_expired']);

export class Trust {
  private readonly rootKey: string;
  private list: KeyList | null = null;
  private readonly imported = new Map<string, CryptoKey>();

  /** `rootKey`: base64url, as it was pinned when this browser was paired. */
  constructor(rootKey: string) {
    this.rootKey = rootKey;
  }

  /** Take in a key list. True: it is newer, or lives longer, than the one before, so keep it. Throws ContractError. */
  async learn(payload: Uint8Array, now: number): Promise<boolean> {
    const frame = frameOf(payload);
    await this.verify(this.rootKey, [KEYS_TAG], frame);
    const list = readKeys(textIn(frame.body));
    const known = this.list;
    if (list.version < (known?.version ?? 0)) throw new ContractError('old_key_list', `key list ${list.version} is older than the known one`);
    if (list.expires <= now) throw new ContractError('key_list_expired', `key list ${list.version} has expired`);
    if (known !== null && list.version === known.version && list.expires <= known.expires) return false;
    this.list = list;
    return true;
  }

  /** The message of a signed payload. Throws ContractError. */
  async open(inbox: 'commands' | 'receipts', payload: Uint8Array, now: number): Promise<Signed> {
    const frame = frameOf(payload);
    const key = this.keyOf(frame.kid, now);
    const tag = await this.verify(key.key, TAGS_OF[inbox], frame);
    const message = readSigned(textIn(frame.body));
    if (TAGS[message.kind] !== tag) throw new ContractError('bad_signature', `a ${message.kind} was signed for another purpose`);
    if (!key.kinds.includes(message.kind)) throw new ContractError('key_not_allowed', `key ${frame.kid} may not sign a ${message.kind}`);
    return message;
  }

  private keyOf(kid: string, now: number): SigningKey {
    if (this.list === null) throw new ContractError('unknown_key', 'no key list has arrived from the hub yet');
    if (this.list.expires <= now) throw new ContractError('key_list_expired', `key list ${this.list.version} has expired`);
    const key = this.list.keys.find((each) => each.kid === kid);
    if (key === undefined) throw new ContractError('unknown_key', `the key ${kid} is not in the list`);
    if (key.notAfter <= now) throw new ContractError('key_expired', `the key ${kid} has expired`);
    return key;
  }

  /** The tag for which a frame was signed with this key. Throws ContractError. */
  private async verify(key: string, tags: readonly string[], frame: Frame): Promise<string> {
    const imported = await this.keyFrom(key);
    for (const tag of tags) {
      // One after the other: the first is the frequent one.
      // oxlint-disable-next-line no-await-in-loop
      if (await crypto.subtle.verify('Ed25519', imported, frame.signature, tagged(tag, frame.body))) return tag;
    }
    throw new ContractError('bad_signature', `the signature of the key ${frame.kid} does not fit`);
  }

  private async keyFrom(key: string): Promise<CryptoKey> {
    const known = this.imported.get(key);
    if (known !== undefined) return known;
    const raw = fromBase64url(key);
    if (raw?.length !== 32) throw new ContractError('invalid', 'a key is 32 bytes in base64url');
    const made = await crypto.subtle.importKey('raw', raw, 'Ed25519', false, ['verify']);
    this.imported.set(key, made);
    return made;
  }
}

type Frame = { readonly kid: string; readonly signature: Bytes; readonly body: Uint8Array };

const NEWLINE = 0x0a;

/** A signed payload taken apart: `kid signature`, a newline, and the JSON. Throws ContractError. */
function frameOf(payload: Uint8Array): Frame {
  if (payload.length > MAX_PAYLOAD) throw new ContractError('too_large', `the payload has ${payload.length} bytes`);
  const end = payload.indexOf(NEWLINE);
  const [kid, encoded, ...more] = end < 0 ? [] : textIn(payload.subarray(0, end)).split(' ');
  const signature = encoded === undefined ? null : fromBase64url(encoded);
  if (!kid || kid.length > 64 || signature?.length !== 64 || more.length > 0) {
    throw new ContractError('bad_signature', 'the payload is not signed');
  }
  return { kid, signature, body: payload.subarray(end + 1) };
}

function textIn(bytes: Uint8Array): string {
  try {
    return textOf(bytes);
  } catch {
    throw new ContractError('not_json', 'it is no UTF-8');
  }
}

import { beforeAll, describe, expect, it } from 'vitest';
import { base64url, tagged, utf8 } from './bytes';
import { MAX_PAYLOAD } from './contract';
import { Trust } from './trust';

const NOW = Date.parse('2026-11-30T09:00:00Z');
const LATER = '2026-12-30T09:00:00Z';

type Signer = { readonly kid: string; readonly key: string; readonly pair: CryptoKeyPair };

async function signer(kid: string): Promise<Signer> {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  return { kid, pair, key: base64url(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))) };
}

async function signed({ kid, pair }: Signer, tag: string, message: object): Promise<Uint8Array> {
  const body = JSON.stringify({ v: 1, ...message });
  const signature = await crypto.subtle.sign('Ed25519', pair.privateKey, tagged(`floorhub/${tag}/v1`, utf8(body)));
  return utf8(`${kid} ${base64url(new Uint8Array(signature))}\n${body}`);
}

const keys = (list: readonly { readonly kid: string; readonly key: string; readonly kinds: readonly string[]; readonly not_after: string }[], version = 1, expires = LATER) => ({
  kind: 'keys', version, expires, keys: list,
});
const CANCEL = { kind: 'cancel', client_id: 'desk', cancel_id: 'x', command_id: 'c-1' };
const WELCOME = { kind: 'welcome', client_id: 'desk', session: 's', journal: 'j', epoch: 1, hub_time: LATER };

describe('what is signed', () => {
  let root: Signer;
  let hub: Signer;
  let stranger: Signer;
  let trust: Trust;

  beforeAll(async () => {
    [root, hub, stranger] = await Promise.all([signer('root'), signer('hub'), signer('hub')]);
    trust = new Trust(root.key);
    const entry = { kid: 'hub', key: hub.key, kinds: ['cancel', 'run', 'receipt'], not_after: LATER };
    await trust.learn(await signed(root, 'keys', keys([entry], 2)), NOW);
  });

  const learned = async (payload: Promise<Uint8Array>) =>
    trust.learn(await payload, NOW).catch((problem: unknown) => (problem as { code: string }).code);
  const opened = async (payload: Uint8Array | Promise<Uint8Array>, inbox: 'commands' | 'receipts' = 'commands', now = NOW) =>
    trust.open(inbox, await payload, now).then(
      (message) => message.kind as string,
      (problem: unknown) => (problem as { code: string }).code,
    );

  it('is opened with a key of the list', async () => {
    expect(await opened(signed(hub, 'command', CANCEL))).toBe('cancel');
  });

  it('is refused for whatever is wrong with it', async () => {
    const good = await signed(hub, 'command', CANCEL);
    const changed = good.slice();
    changed[changed.length - 3] = 0x20;
    expect(await opened(changed)).toBe('bad_signature');
    expect(await opened(signed(stranger, 'command', CANCEL))).toBe('bad_signature');
    expect(await opened(signed(root, 'command', CANCEL))).toBe('unknown_key');
    expect(await opened(signed(hub, 'receipt', CANCEL), 'receipts')).toBe('bad_signature'); // for another purpose
    expect(await opened(signed(hub, 'welcome', WELCOME), 'receipts')).toBe('key_not_allowed');
    expect(await opened(good, 'commands', Date.parse(LATER))).toBe('key_list_expired');
    expect(await opened(utf8(JSON.stringify({ v: 1, ...CANCEL })))).toBe('bad_signature');
    expect(await opened(new Uint8Array(MAX_PAYLOAD + 1))).toBe('too_large');
    expect(await opened(signed(hub, 'command', { kind: 'cancel', client_id: 'desk' }))).toBe('invalid');
    expect(await opened(signed(hub, 'command', { ...CANCEL, v: 2 }))).toBe('unsupported_version');
    expect(await opened(signed(hub, 'command', { ...CANCEL, kind: 'dance' }))).toBe('unsupported_kind');
  });

  it('is a list of the root key alone, never an older one', async () => {
    const entry = { kid: 'hub', key: stranger.key, kinds: ['cancel'], not_after: LATER };
    expect(await learned(signed(stranger, 'keys', keys([entry], 3)))).toBe('bad_signature');
    expect(await learned(signed(root, 'keys', keys([entry], 1)))).toBe('old_key_list');
    expect(await learned(signed(root, 'keys', keys([entry], 3, '2026-11-01T00:00:00Z')))).toBe('key_list_expired');
    expect(await learned(signed(root, 'keys', keys([entry], 2)))).toBe(false);
    expect(await opened(signed(hub, 'command', CANCEL))).toBe('cancel');
  });
});

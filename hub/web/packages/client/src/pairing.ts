/** How a browser becomes a client: a key of its own, and the proof that it has it. See docs/reference/pairing.md. */

import { base64url, tagged, utf8 } from './bytes';
import type { Identity, Pending, Store } from './store';

const PAIR_TAG = 'floorhub/pair/v1';
const NUMBER_TAG = 'floorhub/pair-link/v1';
const NUMBER_DIGITS = 6;

/** What this browser lacks to be a client; null: nothing. */
export type Lack = 'insecure' | 'storage' | 'locks' | 'ed25519';

export async function lackOf(): Promise<Lack | null> {
  if (!isSecureContext) return 'insecure';
  if (typeof indexedDB === 'undefined' || typeof Worker === 'undefined') return 'storage';
  if (!('locks' in navigator)) return 'locks';
  try {
    await makeKey();
    return null;
  } catch {
    return 'ed25519';
  }
}

const makeKey = async (): Promise<CryptoKeyPair> => (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;

/** The digits by which people see that the page is about the link that they mean: whoever made the link sees the same. They
 * prove nothing to the hub. As `schemas/pairing.py`. */
export async function numberOf(token: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', tagged(NUMBER_TAG, utf8(token))));
  const number = digest.reduce((before, byte) => (before * 256 + byte) % 10 ** NUMBER_DIGITS, 0);
  return String(number).padStart(NUMBER_DIGITS, '0');
}

export type Credential = { readonly token: string } | { readonly code: string };
/** What the hub is sent; the proof is over all of it. */
export type Claim = Credential & { readonly public_key: string; readonly at: string; readonly proof: string };

/** By what a link is known again, without keeping its secret. */
export async function linkOf({ token = '', code = '' }: Partial<Record<'token' | 'code', string>>): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(`${token} ${folded(code)}`))));
}

/** The key for a link: the one that was shown with it before, if its answer was lost. It is kept before it is shown. */
export async function keyFor(store: Store, credential: Partial<Record<'token' | 'code', string>>): Promise<Pending> {
  const link = await linkOf(credential);
  const before = await store.pending();
  if (before?.link === link) return before;
  const pending = { link, key: await makeKey() };
  await store.keepPending(pending);
  return pending;
}

/** Sign what the hub is sent. `at`: the hub's time in milliseconds; that of this browser may be wrong. */
export async function claimOf(credential: Credential, key: CryptoKeyPair, rootKey: string, at: number): Promise<Claim> {
  const publicKey = base64url(new Uint8Array(await crypto.subtle.exportKey('raw', key.publicKey)));
  const moment = new Date(at).toISOString();
  const [by, value] = 'token' in credential ? ['token', credential.token] : ['code', folded(credential.code)];
  const body = utf8([by, value, rootKey, publicKey, moment, ''].join('\n'));
  const signature = await crypto.subtle.sign('Ed25519', key.privateKey, tagged(PAIR_TAG, body));
  return { ...credential, public_key: publicKey, at: moment, proof: base64url(new Uint8Array(signature)) };
}

/** A code as it is signed: `schemas/pairing.py`. */
const folded = (code: string): string =>
  code
    .normalize('NFKC')
    .replace(/[\s\p{Pd}\u2212_.]+/gu, '')
    .toUpperCase()
    .replaceAll('I', '1')
    .replaceAll('L', '1')
    .replaceAll('O', '0');

/** Ask the browser to keep our storage when space runs out; it may say no. */
export async function askToKeep(): Promise<void> {
  try {
    await navigator.storage.persist();
  } catch {
    // Nothing is worse than before.
  }
}

export type { Identity };

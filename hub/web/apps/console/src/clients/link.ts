/** Links of pairings. What is secret stands behind `#`, so that no server and no log sees it. */

import type { Credential } from '@api/pairing';

/** What an address gives: a credential, the client that it names, and the fingerprint of the hub's authority. */
export type Link = { readonly credential: Credential | null; readonly screenId: string; readonly fingerprint: string };
/** One that gives a credential. */
export type WholeLink = Link & { readonly credential: Credential };

export const isWhole = (link: Link): link is WholeLink => link.credential !== null;

/** As people and programs write it, `schemas/fingerprints.py`; compared and shown in one form. */
const plain = (text: string): string => text.normalize('NFKC').replace(/[\s\p{Pd}\u2212_.]+/gu, '').toUpperCase();

export function readLink({ search, hash }: Pick<Location, 'search' | 'hash'>): Link {
  const secret = new URLSearchParams(hash.slice(1));
  const [token, code] = [secret.get('token') ?? '', secret.get('code') ?? ''];
  const byCode = code === '' ? null : { code };
  return {
    credential: token === '' ? byCode : { token },
    screenId: new URLSearchParams(search).get('screenId') ?? '',
    fingerprint: plain(secret.get('fp') ?? ''),
  };
}

/** A fingerprint as people compare it: in groups of four. */
export const grouped = (fingerprint: string): string => fingerprint.replace(/.{4}(?=.)/gu, '$&-');

type Known = { readonly hubUrl: string; readonly clientId: string; readonly credential: Credential; readonly fingerprint: string };

/** What a person runs on the machine. It is made anew of what the hub has confirmed: whatever else a link contains must not
 * reach a command line. The fingerprint is the link's own, never what this hub says of itself: it has to come from whoever
 * made the link, another way than through the network between. */
export function commandOf({ hubUrl, clientId, credential, fingerprint }: Known): string {
  const secret = new URLSearchParams('token' in credential ? { token: credential.token } : { code: plain(credential.code) });
  if (fingerprint !== '') secret.set('fp', fingerprint);
  const query = new URLSearchParams({ screenId: clientId });
  return `floorhub-agent pair ${quoted(`${hubUrl.replace(/\/+$/, '')}/pair?${query}#${secret}`)}`;
}

/** One word of a command line, whatever it contains. */
const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

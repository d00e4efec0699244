/** What anybody may ask who was given a code or a link: what it is for, and which hub it is of. */

import { call, type Data } from './http';
import type { paths } from './generated/openapi';
import type { Result } from './problem';

export type Pairing = Data<paths['/api/pair/look']['post']>;
export type Hub = Data<paths['/api/pair/hub']['get']>;

/** What a machine was given: the token of a link, or a code. */
export type Credential = { readonly token: string } | { readonly code: string };

/** `msLeft`: until the credential expires, by the hub's clock; that of this machine may be wrong. */
export type Described = { readonly pairing: Pairing; readonly hub: Hub; readonly msLeft: number };

export type Claim = NonNullable<paths['/api/pair']['post']['requestBody']>['content']['application/json'];
export type Connected = Data<paths['/api/pair']['post']>;

/** Which hub it is, and what time it has: a proof names both. */
export const askHub = () => call('get', '/api/pair/hub', {});

/** Make this browser a client. Whoever sends the same key again, because the answer was lost, gets a new secret. */
export const becomeClient = (claim: Claim) => call('post', '/api/pair', { body: claim });

/** What a credential is for, and of which hub. Changes nothing, and does not use it up. */
export async function askAbout(credential: Credential): Promise<Result<Described>> {
  const [pairing, hub] = await Promise.all([call('post', '/api/pair/look', { body: credential }), call('get', '/api/pair/hub', {})]);
  if (!pairing.ok) return pairing;
  if (!hub.ok) return hub;
  const msLeft = Math.max(0, Date.parse(pairing.data.expires_at) - Date.parse(hub.data.time));
  return { ok: true, data: { pairing: pairing.data, hub: hub.data, msLeft } };
}

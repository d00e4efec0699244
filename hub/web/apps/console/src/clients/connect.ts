/** Connecting this browser: one tap, from the key to the identity that is kept. Nothing is changed before it. */

import { askToKeep, claimOf, keyFor, lackOf, linkOf, type Lack } from '@client/pairing';
import { openStore, type Identity, type Store } from '@client/store';
import { AGENT } from '@client/version';
import { askHub, becomeClient, type Credential, type Pairing } from '@api/pairing';
import { local, type Problem } from '@api/problem';

/** The page that a browser shows once it is a client. */
export const screenOf = (clientId: string): string => `/screen?client=${clientId}`;
const PROBE_MS = 8_000;
/** Kinds of machines that a browser can be. */
const BROWSERS: ReadonlySet<string> = new Set(['screen', 'kiosk', 'pda', 'other']);

export const canBeBrowser = (kind: string | null): boolean => kind === null || BROWSERS.has(kind);

/** What keeps this browser from being a client; `no_https`: this address has no TLS, without which there is no way in. */
export type Obstacle = Lack | 'no_https' | 'no_edge' | 'no_store';

export async function obstacle(): Promise<Obstacle | null> {
  if (location.protocol !== 'https:') return 'no_https';
  return lackOf();
}

/** Who this browser is already; null: nobody, or it keeps nothing. */
export async function whoIsThis(): Promise<Identity | null> {
  try {
    return await withStore((store) => store.identity());
  } catch {
    return null;
  }
}

/** Which client this browser became by this credential; null: none, or it is another one since. */
export async function becameBy(credential: Credential): Promise<string | null> {
  if (!isSecureContext) return null;
  const [self, link] = await Promise.all([whoIsThis(), linkOf(credential)]);
  return self?.link === link ? self.clientId : null;
}

export type Ended = { readonly is: 'connected'; readonly clientId: string } | { readonly is: 'obstacle'; readonly obstacle: Obstacle } | { readonly is: 'problem'; readonly problem: Problem };

/** Become the client that a credential is for. The same key is shown again where an answer was lost. */
export async function connect(credential: Credential, pairing: Pairing): Promise<Ended> {
  const lack = await obstacle();
  if (lack !== null) return { is: 'obstacle', obstacle: lack };
  if (!(await canReachBroker())) return { is: 'obstacle', obstacle: 'no_edge' };
  try {
    return await withStore((store) => claimed(store, credential, pairing));
  } catch {
    return { is: 'obstacle', obstacle: 'no_store' };
  }
}

async function claimed(store: Store, credential: Credential, pairing: Pairing): Promise<Ended> {
  const { key, link } = await keyFor(store, credential);
  const hub = await askHub();
  if (!hub.ok) return { is: 'problem', problem: hub.problem };
  const claim = await claimOf(credential, key, hub.data.root_key, Date.parse(hub.data.time));
  const kind = (pairing.kind ?? 'screen') as 'screen';
  const answer = await becomeClient({ ...claim, kind, agent: AGENT, host: '', commitment: '', opening: '' });
  if (!answer.ok) return { is: 'problem', problem: answer.problem };
  const { client_id: clientId, name, zone, groups, secret, root_key: rootKey, kind: became } = answer.data;
  if (rootKey !== hub.data.root_key) return { is: 'problem', problem: local('not_the_hub') };
  await store.become({ clientId, name, kind: became, zone, groups, secret, rootKey, hubUrl: location.origin, key, pairedAt: hub.data.time, link });
  await askToKeep();
  return { is: 'connected', clientId };
}

async function withStore<Result>(use: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await openStore(() => undefined);
  try {
    return await use(store);
  } finally {
    store.close();
  }
}

/** Whether something opens `/mqtt` at this address: else the code would be used up for nothing. */
function canReachBroker(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`wss://${location.host}/mqtt`, 'mqtt');
    const timer = setTimeout(() => end(false), PROBE_MS);
    const end = (is: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(is);
    };
    socket.addEventListener('open', () => end(true));
    socket.addEventListener('error', () => end(false));
  });
}

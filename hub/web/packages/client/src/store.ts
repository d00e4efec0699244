/** What a browser keeps of itself, in IndexedDB: who it is, and the journal of its commands. A change counts only once its
 * transaction is complete, and is on the disk by then (`durability: 'strict'`). */

import type { Attempt, KeptReport, Settings, Snapshot, Tombstone, Write } from './core/records';
import { NOTHING } from './core/records';

const NAME = 'floorhub-client';
const VERSION = 1;
/** Where a tab that is the client hears that this browser has become another one. */
export const CHANNEL = 'floorhub-client';
const JOURNAL = ['settings', 'attempts', 'reports', 'tombstones'] as const;

/** Who this browser is. `key` cannot be read out, not even by this page. */
export type Identity = {
  readonly clientId: string;
  readonly name: string;
  readonly kind: string;
  readonly zone: string | null;
  readonly groups: readonly string[];
  readonly secret: string;
  readonly rootKey: string;
  readonly hubUrl: string;
  readonly key: CryptoKeyPair;
  readonly pairedAt: string;
  /** A hash of the link by which it became this; a browser that was connected before it was kept has none. */
  readonly link?: string;
};
/** A key that has been shown with a link whose answer has not come. `link`: a hash of what the link has. */
export type Pending = { readonly link: string; readonly key: CryptoKeyPair };

/** `onGone`: somebody cleared the storage, or the browser took it away. */
export async function openStore(onGone: () => void): Promise<Store> {
  const request = indexedDB.open(NAME, VERSION);
  request.addEventListener('upgradeneeded', () => {
    for (const table of ['identity', 'pending', ...JOURNAL]) request.result.createObjectStore(table);
  });
  const database = await done(request);
  database.addEventListener('close', onGone);
  database.addEventListener('versionchange', () => {
    database.close(); // else whoever clears it waits for this page
    onGone();
  });
  return new Store(database);
}

export class Store {
  private readonly database: IDBDatabase;

  constructor(database: IDBDatabase) {
    this.database = database;
  }

  close(): void {
    this.database.close();
  }

  async identity(): Promise<Identity | null> {
    const found: unknown = await done(this.database.transaction('identity').objectStore('identity').get('self'));
    return (found as Identity | undefined) ?? null;
  }

  async pending(): Promise<Pending | null> {
    const found: unknown = await done(this.database.transaction('pending').objectStore('pending').get('key'));
    return (found as Pending | undefined) ?? null;
  }

  /** Keep a key before anybody sees it: if the answer is lost, the same key is shown again. */
  async keepPending(pending: Pending): Promise<void> {
    await this.change(['pending'], (table) => table('pending').put(pending, 'key'));
  }

  /** Become a client. What was kept of another one, or of this one before, goes: its journal is not this browser's. */
  async become(identity: Identity): Promise<void> {
    await this.change(['identity', 'pending', ...JOURNAL], (table) => {
      for (const name of JOURNAL) table(name).clear();
      table('pending').clear();
      table('identity').put(identity, 'self');
    });
    const others = new BroadcastChannel(CHANNEL);
    others.postMessage('paired');
    others.close();
  }

  async forget(): Promise<void> {
    await this.change(['identity', 'pending', ...JOURNAL], (table) => {
      for (const name of ['identity', 'pending', ...JOURNAL]) table(name).clear();
    });
  }

  async journal(): Promise<Snapshot> {
    const transaction = this.database.transaction([...JOURNAL]);
    const all = (name: string): Promise<unknown[]> => done(transaction.objectStore(name).getAll());
    const [settings, attempts, reports, tombstones] = await Promise.all(JOURNAL.map((name) => all(name)));
    return {
      settings: (settings?.[0] as Settings | undefined) ?? NOTHING,
      attempts: (attempts ?? []) as Attempt[],
      reports: (reports ?? []) as KeptReport[],
      tombstones: (tombstones ?? []) as Tombstone[],
    };
  }

  /** Commit what was decided for a client, all of it or nothing; nothing once this browser has become another one, which
   * rejects, too: a journal is of one pairing. */
  async commit(writes: readonly Write[], { pairedAt }: Identity): Promise<void> {
    if (writes.length === 0) return;
    await this.change(['identity', ...JOURNAL], (table, transaction) => {
      const self: IDBRequest<Identity | undefined> = table('identity').get('self');
      self.addEventListener('success', () => {
        if (self.result?.pairedAt !== pairedAt) {
          transaction.abort();
          return;
        }
        for (const { table: name, key, put } of writes) {
          if (put === null) table(name).delete(key);
          else table(name).put(put, key);
        }
      });
    });
  }

  private change(tables: readonly string[], write: (table: (name: string) => IDBObjectStore, transaction: IDBTransaction) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction([...tables], 'readwrite', { durability: 'strict' });
      transaction.addEventListener('complete', () => resolve());
      transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('the store did not take it')));
      write((name) => transaction.objectStore(name), transaction);
    });
  }
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('the store does not answer')));
    request.addEventListener('blocked', () => reject(new Error('another tab holds an older store')));
  });
}

/** What a page says on a connection besides reports: births, heartbeats, answers to a roll call. Pure. */

import type { Now } from './clock';
import type { Publish } from './steps';

export const HEARTBEAT_MS = 10_000;
/** A heartbeat this soon after a welcome shows the hub that its epoch is in the journal. */
const CONFIRM_WITHIN_MS = 3_000;
const FIRST_REBIRTH_MS = 5_000;
const MAX_REBIRTH_MS = 60_000;

export type Agent = { readonly name: string; readonly version: string };
/** What a birth says of the journal. */
export type Shown = { readonly journal: string | null; readonly epoch: number | null; readonly mark: number };

export class Link {
  connection = 0;
  up = false;
  /** The nonce of the last welcome: each worker of the hub answers a birth, and the first answer counts. */
  answered: string | null = null;
  private birthAt: number | null = null;
  private births = 0;
  private readonly nonces = new Set<string>();
  private isWelcomed = false;
  private heartbeatAt = 0;
  private rollCallAt: number | null = null;
  private readonly clientId: string;
  private readonly session: string;
  private readonly agent: Agent;
  private readonly random: () => number;

  constructor(clientId: string, session: string, agent: Agent, random: () => number) {
    this.clientId = clientId;
    this.session = session;
    this.agent = agent;
    this.random = random;
  }

  /** A new connection: a birth is due. */
  opened(connection: number, mono: number): void {
    this.connection = connection;
    this.up = true;
    this.births = 0;
    this.nonces.clear();
    this.answered = null;
    this.isWelcomed = false;
    this.birthAt = mono;
    this.heartbeatAt = mono + this.between(0.5, 1) * HEARTBEAT_MS;
    this.rollCallAt = null;
  }

  closed(): void {
    this.up = false;
  }

  /** Whether a birth of this connection waits for an answer with this nonce. */
  asked(nonce: string): boolean {
    return this.nonces.has(nonce);
  }

  /** The hub answered. `isNewJournal`: it hands nothing out before it sees that the journal has taken its new id. */
  welcomed(mono: number, nonce: string | null, isNewJournal: boolean): void {
    this.nonces.clear();
    this.answered = nonce;
    this.isWelcomed = true;
    this.birthAt = null;
    this.heartbeatAt = Math.min(this.heartbeatAt, mono + (isNewJournal ? 0 : this.between(0, CONFIRM_WITHIN_MS)));
  }

  /** Something shows that the hub should welcome us again: say our birth once more, each time more rarely. */
  askWelcome(mono: number): void {
    if (this.up && this.birthAt === null) this.birthAt = mono + this.between(0.2, 1) * this.rebirthDelay();
  }

  rollCall(spread: number, mono: number): void {
    if (this.up && this.rollCallAt === null) this.rollCallAt = mono + this.between(0, spread);
  }

  /** Whether the answer to a roll call is due: a heartbeat from here, and reports from the caller. */
  takeRollCall(mono: number): boolean {
    if (!this.up || this.rollCallAt === null || mono < this.rollCallAt) return false;
    this.rollCallAt = null;
    this.heartbeatAt = mono;
    return true;
  }

  /** The birth and the heartbeat, where they are due. */
  due(at: Now, shown: Shown): Publish[] {
    const publishes: Publish[] = [];
    if (!this.up) return publishes;
    const { mono } = at;
    if (this.birthAt !== null && mono >= this.birthAt) {
      this.births += 1;
      // A hub that has welcomed this connection need not answer again, so it is not asked for ever.
      this.birthAt = this.isWelcomed ? null : mono + this.between(0.75, 1.25) * this.rebirthDelay();
      const nonce = hex(this.random, 16);
      this.nonces.add(nonce);
      const birth = {
        level: 'full',
        ...this.who(),
        agent: this.agent,
        clock: new Date(at.wall).toISOString(),
        ...shown,
        nonce,
      };
      publishes.push({ is: 'publish', channel: 'presence', body: this.message('birth', birth), retain: true, token: null });
    }
    if (mono >= this.heartbeatAt) {
      this.heartbeatAt = mono + this.between(0.9, 1) * HEARTBEAT_MS;
      const beat = { ...this.who(), epoch: shown.epoch, mark: shown.mark };
      publishes.push({ is: 'publish', channel: 'heartbeat', body: this.message('heartbeat', beat), retain: false, token: null });
    }
    return publishes;
  }

  /** When `due` or `takeRollCall` wants to be asked again; Infinity without a connection. */
  nextDue(): number {
    return this.up ? Math.min(this.heartbeatAt, this.birthAt ?? Infinity, this.rollCallAt ?? Infinity) : Infinity;
  }

  /** The last will of a connection that is about to be opened. */
  will(connection: number, epoch: number | null): string {
    return this.message('will', { session: this.session, connection, epoch });
  }

  /** The good-bye of this connection; `asleep`: the browser is about to stop this page, and will let it go on. */
  goodbye(epoch: number | null, reason: 'asleep' | null): string {
    return this.message('offline', { ...this.who(), connection: Math.max(this.connection, 1), epoch, ...(reason === null ? {} : { reason }) });
  }

  private who(): { readonly session: string; readonly connection: number } {
    return { session: this.session, connection: this.connection };
  }

  private message(kind: string, fields: object): string {
    return JSON.stringify({ v: 1, kind, client_id: this.clientId, ...fields });
  }

  private rebirthDelay(): number {
    return Math.min(FIRST_REBIRTH_MS * 2 ** Math.max(0, this.births - 1), MAX_REBIRTH_MS);
  }

  private between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }
}

/** So many random hex digits. */
export const hex = (random: () => number, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');

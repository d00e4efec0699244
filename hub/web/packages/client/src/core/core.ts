/** A page's decisions, without I/O: an event and the time in, a `Decision` out. What was decided takes effect only after
 * its writes are committed; a core whose commit failed must not be used again. As `device_agent/core/core.py`. */

import { ContractError, type Signed, type Welcome } from '../contract';
import { HubClock, type Now } from './clock';
import { Commands, type Turn } from './commands';
import { Link, type Agent } from './link';
import { afterChange, afterStart, merged, NOTHING, putSettings, type Settings, type Snapshot } from './records';
import type { Decision, Event, Gate } from './steps';

const FENCED_RETRY_MS = 60_000;
const NEW_IDENTITY_RETRY_MS = 500;
const ROLL_CALL_AGE_MS = 2_000;
const HUB_TIME_STEP_MS = 1_000;
const ASK_AGAIN: ReadonlySet<string> = new Set(['unknown_key', 'key_expired', 'key_list_expired']);

/** `session`: new with each start of the page. */
export type Self = { readonly clientId: string; readonly session: string; readonly agent: Agent };

export class Core {
  private readonly self: Self;
  private readonly link: Link;
  private readonly commands: Commands;
  private clock = new HubClock(0);
  private settings: Settings | null = null;
  /** Why the hub told this page to keep away: another browser uses the same identity. */
  fenced: string | null = null;
  isWelcomed = false;
  /** Whether this hub's welcomes say which birth they answer; from then on one that does not is refused. */
  private isBound = false;
  private token = 0;
  private inFlight: number | null = null;

  constructor(self: Self, gate: Gate, random: () => number) {
    this.self = self;
    this.link = new Link(self.clientId, self.session, self.agent, random);
    this.commands = new Commands(gate, self.session, random);
  }

  /** Whether a page that was asked to stop has nothing left to wait for. */
  get isQuiet(): boolean {
    return this.commands.active === 0 && !(this.link.up && this.fenced === null && this.commands.outbox.unreceipted > 0);
  }

  get isIdle(): boolean {
    return this.commands.active === 0;
  }

  /** The hub's time, by which the expiry of its keys is judged. */
  keyTime(at: Now): number {
    return this.clock.forKeyExpiry(at);
  }

  /** The monotonic clock may have stood: nothing expires, and nothing begins, before the hub has told its time again. */
  forgetTime(at: Now): void {
    this.clock.forget(at);
  }

  will(connection: number): string {
    return this.link.will(connection, this.settings?.epoch ?? null);
  }

  goodbye(reason: 'asleep' | null): string {
    return this.link.goodbye(this.settings?.epoch ?? null, reason);
  }

  /** Take in one event; the first is `started`. Throws ContractError for a message that is not obeyed: nothing changed. */
  handle(event: Event, at: Now): Decision {
    const turn: Turn = { at, hubNow: this.clock.now(at), writes: [], steps: [] };
    if (event.is === 'started') this.start(event.snapshot, turn);
    else if (this.settings === null) throw new Error('the first event of a core is `started`');
    else this.take(event, turn);
    this.advance(turn);
    return { writes: merged(turn.writes), steps: turn.steps, wakeAt: this.wakeAt(turn) };
  }

  private take(event: Exclude<Event, { readonly is: 'started' }>, turn: Turn): void {
    const { mono } = turn.at;
    switch (event.is) {
      case 'connected':
        this.link.opened(event.connection, mono);
        this.inFlight = null;
        this.commands.outbox.allDue(mono);
        return;
      case 'disconnected':
        this.link.closed();
        this.inFlight = null;
        return;
      case 'message':
        this.obey(event.message, turn);
        return;
      case 'roll_call':
        this.link.rollCall(event.spread, mono);
        return;
      case 'keys':
        this.remember(turn, { keys: event.payload });
        return;
      case 'refused':
        if (event.inbox === 'receipts' && ASK_AGAIN.has(event.code)) this.link.askWelcome(mono);
        return;
      case 'effect_ended':
        this.commands.ended(event.commandId, event.attempt, event.outcome, turn);
        return;
      case 'effect_progress':
        this.commands.progress(event.commandId, event.attempt, event.data, turn);
        return;
      case 'published':
        if (event.token === this.inFlight) this.inFlight = null;
        return;
      case 'stop':
        this.commands.isTaking = false;
        return;
      case 'tick':
        return;
    }
  }

  private start(snapshot: Snapshot, turn: Turn): void {
    this.settings = snapshot.settings;
    this.clock = new HubClock(snapshot.settings.hubTime);
    turn.hubNow = this.clock.now(turn.at);
    // So that whatever this page shows is above all that earlier ones can have shown.
    this.remember(turn, { mark: afterStart(snapshot.settings.mark) });
    this.commands.load(snapshot, turn);
  }

  private obey(message: Signed, turn: Turn): void {
    if (message.clientId !== this.self.clientId) throw new ContractError('foreign_client', `it is for ${message.clientId}`);
    switch (message.kind) {
      case 'receipt':
        this.clock.adoptReceipt(message.hubTime, turn.at);
        turn.hubNow = this.clock.now(turn.at);
        turn.writes.push(...this.commands.outbox.receipt(message.reportIds));
        return;
      case 'welcome':
        this.welcome(message, turn);
        return;
      case 'cancel':
        if (this.fenced !== null) throw new ContractError('fenced', 'the hub told this page to keep away');
        this.commands.cancel(message, turn);
        return;
      case 'run': {
        if (this.fenced !== null) throw new ContractError('fenced', 'the hub told this page to keep away');
        const journal = this.settings?.journal ?? null;
        if (journal === null || message.journal !== journal) {
          // No report: this page cannot know what became of it. A welcome settles which journal counts.
          this.link.askWelcome(turn.at.mono);
          return;
        }
        if (!this.commands.run(message, turn, this.clock.anchored)) this.giveUpJournal(turn);
      }
    }
  }

  private welcome(welcome: Welcome, turn: Turn): void {
    const settings = this.settings ?? NOTHING;
    if (welcome.session !== this.self.session) throw new ContractError('stale_welcome', 'it answers another page');
    if (settings.epoch !== null && welcome.epoch < settings.epoch) throw new ContractError('stale_welcome', 'its epoch is older');
    if (welcome.nonce !== null && welcome.nonce === this.link.answered) return; // another worker of the hub says the same
    if (welcome.nonce === null ? this.isBound : !this.link.asked(welcome.nonce)) {
      throw new ContractError('stale_welcome', 'it answers no birth that waits for an answer');
    }
    this.isBound = welcome.nonce !== null;
    const isReplaced = welcome.journal !== settings.journal;
    this.link.welcomed(turn.at.mono, welcome.nonce, isReplaced);
    if (welcome.keepAway !== null) {
      // Neither epoch nor journal is taken over: they belong to the browser that may stay.
      this.fenced = welcome.keepAway;
      turn.steps.push({ is: 'leave', retryAfter: FENCED_RETRY_MS, reason: welcome.keepAway });
      return;
    }
    this.clock.adoptWelcome(welcome.hubTime, turn.at);
    turn.hubNow = this.clock.now(turn.at);
    this.remember(turn, { journal: welcome.journal, epoch: welcome.epoch });
    if (isReplaced) this.commands.journalReplaced(turn);
    this.isWelcomed = true;
    this.fenced = null;
  }

  /** This journal is an older copy of itself: begin nothing that it holds, and ask the hub for a new identity. */
  private giveUpJournal(turn: Turn): void {
    this.remember(turn, { journal: null });
    this.isWelcomed = false;
    turn.steps.push({ is: 'leave', retryAfter: NEW_IDENTITY_RETRY_MS, reason: 'the journal was rolled back' });
  }

  private advance(turn: Turn): void {
    const { mono } = turn.at;
    const { anchored } = this.clock;
    this.commands.advance(turn, anchored, this.isWelcomed && this.fenced === null);
    if (this.link.takeRollCall(mono)) this.commands.outbox.allDue(mono, turn.hubNow - ROLL_CALL_AGE_MS);
    const isChanged = turn.writes.some(({ table, put }) => put !== null && (table === 'attempts' || table === 'tombstones'));
    if (this.isWelcomed && isChanged) this.remember(turn, { mark: afterChange(this.settings?.mark ?? 0) });
    const { journal, epoch, mark, hubTime } = this.settings ?? NOTHING;
    turn.steps.push(...this.link.due(turn.at, { journal, epoch, mark }));
    if (this.link.up && this.fenced === null && this.inFlight === null) {
      const reports = this.commands.outbox.batch(mono);
      if (reports.length > 0) {
        this.token += 1;
        this.inFlight = this.token;
        const { clientId: client_id, session } = this.self;
        const { connection } = this.link;
        const body = JSON.stringify({ v: 1, kind: 'reports', client_id, session, epoch, connection, mark, reports });
        turn.steps.push({ is: 'publish', channel: 'reports', body, retain: false, token: this.token });
      }
    }
    if (turn.writes.length > 0 && anchored && turn.hubNow >= hubTime + HUB_TIME_STEP_MS) this.remember(turn, { hubTime: turn.hubNow });
  }

  private wakeAt(turn: Turn): number {
    const reports = this.link.up && this.inFlight === null && this.fenced === null ? this.commands.outbox.nextDue() : Infinity;
    return Math.min(this.commands.nextDue(turn, this.clock.anchored), this.link.nextDue(), reports);
  }

  private remember(turn: Turn, changes: Partial<Settings>): void {
    this.settings = { ...(this.settings ?? NOTHING), ...changes };
    turn.writes.push(putSettings(this.settings));
  }
}

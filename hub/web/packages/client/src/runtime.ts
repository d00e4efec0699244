/** Runs the core: what arrives is verified and handled, what was decided is committed, and only then takes effect. */

import { ContractError, readRollCall, type Inbox, type Run } from './contract';
import { textOf } from './bytes';
import { Core } from './core/core';
import type { Agent } from './core/link';
import type { Write } from './core/records';
import type { Event, Gate, Outcome, Step } from './core/steps';
import { Session, type Ended } from './session';
import type { Identity, Store } from './store';
import type { Effect, LastCommand, Shown, Standing } from './talk';
import { Trust, TRUST_CODES } from './trust';

/** How long an effect that was asked to stop may take until nobody waits for it any more. */
const PATIENCE_MS = 10_000;
const MAX_TIMER_MS = 2 ** 31 - 1;
/** A wall clock that is so much ahead of the monotonic one: the machine slept, and nobody knows what stands. */
const SLEPT_MS = 5_000;

export type Options = {
  readonly identity: Identity;
  readonly store: Store;
  readonly url: string;
  readonly agent: Agent;
  readonly gate: Gate;
  readonly capabilities: readonly string[];
  readonly displays: readonly Readonly<Record<string, unknown>>[];
  readonly show: (changes: Partial<Shown>) => void;
  readonly start: (effect: Effect) => void;
  readonly stop: (commandId: string, attempt: number) => void;
};

const now = (): { wall: number; mono: number } => ({ wall: Date.now(), mono: performance.now() });

const random = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;

export class Runtime {
  private readonly options: Options;
  private readonly session: Session;
  private readonly core: Core;
  private readonly trust: Trust;
  private readonly process = crypto.randomUUID();
  private work: Promise<void> = Promise.resolve();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly distrusted = { list: null as string | null, message: null as string | null };
  private isAsleep = false;
  private isBroken = false;
  private offset = Date.now() - performance.now();
  private readonly giveUps = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(options: Options) {
    this.options = options;
    const { identity, gate, agent, url } = options;
    this.core = new Core({ clientId: identity.clientId, session: this.process, agent }, gate, random);
    this.trust = new Trust(identity.rootKey);
    this.session = new Session(
      { url, clientId: identity.clientId, secret: identity.secret },
      {
        onConnected: async (connection) => {
          await this.handle({ is: 'connected', connection });
          this.describe();
        },
        onMessage: (inbox, payload, isRetained) => this.enqueue(() => this.receive(inbox, payload, isRetained)),
        onEnded: (ended, wasConnected) => this.ended(ended, wasConnected),
        onPublished: (token) => void this.handle({ is: 'published', token }),
        will: (connection) => this.core.will(connection),
        goodbye: (reason) => this.core.goodbye(reason),
        random,
      },
    );
  }

  /** Never returns; throws when the store takes nothing more. */
  async run(): Promise<never> {
    const snapshot = await this.options.store.journal();
    if (snapshot.settings.keys !== null) {
      // Another root key may have been pinned meanwhile, or the list is too old: a new one comes.
      await this.trust.learn(snapshot.settings.keys, snapshot.settings.hubTime || Date.now()).catch(() => undefined);
    }
    const failed = new Promise<never>((_, reject) => (this.fail = reject));
    await this.handle({ is: 'started', snapshot });
    this.show('connecting');
    return Promise.race([failed, this.session.run().then(() => failed)]);
  }

  private fail: (problem: unknown) => void = () => undefined;

  /** Say good-bye, for good: `run` rejects. */
  end(): void {
    this.isBroken = true;
    clearTimeout(this.timer);
    this.session.stop({ isPolite: true });
    this.fail(new Error('ended'));
  }

  effectEnded(commandId: string, attempt: number, outcome: Outcome | null): void {
    clearTimeout(this.giveUps.get(`${commandId} ${attempt}`));
    this.giveUps.delete(`${commandId} ${attempt}`);
    void this.handle({ is: 'effect_ended', commandId, attempt, outcome });
  }

  effectProgress(commandId: string, attempt: number, data: Readonly<Record<string, unknown>>): void {
    void this.handle({ is: 'effect_progress', commandId, attempt, data });
  }

  sleep(): void {
    this.isAsleep = true;
    this.session.sleep('asleep');
    this.show('asleep');
  }

  resume(): void {
    if (!this.isAsleep) {
      this.session.resume(); // somebody wants it now
      return;
    }
    this.isAsleep = false;
    this.show('connecting');
    this.session.resume();
  }

  /** Work on one thing after the other. */
  private enqueue(job: () => Promise<void>): Promise<void> {
    this.work = this.after(this.work, job);
    return this.work;
  }

  private async after(before: Promise<void>, job: () => Promise<void>): Promise<void> {
    await before;
    if (this.isBroken) return;
    try {
      await job();
    } catch (problem) {
      this.isBroken = true; // a core whose commit failed must not be used again
      clearTimeout(this.timer);
      this.session.stop({ isPolite: false });
      this.fail(problem);
    }
  }

  private handle(event: Event): Promise<void> {
    return this.enqueue(() => this.take(event));
  }

  private async take(event: Event): Promise<void> {
    this.noticeSleep();
    const decision = this.core.handle(event, now());
    await this.options.store.commit(decision.writes, this.options.identity);
    this.tell(decision.writes);
    for (const step of decision.steps) this.carryOut(step);
    clearTimeout(this.timer);
    if (Number.isFinite(decision.wakeAt)) {
      const delay = Math.min(Math.max(0, decision.wakeAt - performance.now()), MAX_TIMER_MS);
      this.timer = setTimeout(() => this.tick(), delay);
    }
  }

  private tick(): void {
    void this.handle({ is: 'tick' });
  }

  /** Before anything is decided: what arrived in the sleep, or right after it, must not be judged by a clock that stood. */
  private noticeSleep(): void {
    const offset = Date.now() - performance.now();
    const hasSlept = offset - this.offset > SLEPT_MS;
    this.offset = offset;
    if (!hasSlept) return;
    this.core.forgetTime(now());
    this.session.cut();
  }

  private carryOut(step: Step): void {
    switch (step.is) {
      case 'publish':
        this.session.send(step);
        return;
      case 'leave':
        this.session.leave(step.retryAfter);
        return;
      case 'start': {
        const { commandId, attempt, action, payload, mode } = step;
        this.options.start({ clientId: this.options.identity.clientId, commandId, attempt, action, payload, mode });
        return;
      }
      case 'stop_effect': {
        const { commandId, attempt } = step;
        this.options.stop(commandId, attempt);
        const giveUp = setTimeout(() => this.effectEnded(commandId, attempt, null), PATIENCE_MS);
        this.giveUps.set(`${commandId} ${attempt}`, giveUp);
      }
    }
  }

  /** What a message says, once it is verified; one that is not obeyed changes nothing. */
  private async receive(inbox: Inbox, payload: Uint8Array, isRetained: boolean): Promise<void> {
    try {
      await this.read(inbox, payload, isRetained);
    } catch (problem) {
      if (!(problem instanceof ContractError)) throw problem;
      if (inbox === 'keys') this.distrusted.list = problem.code;
      else if (TRUST_CODES.has(problem.code)) this.distrusted.message = problem.code;
      this.tellDistrust();
      await this.take({ is: 'refused', code: problem.code, inbox });
    }
  }

  private async read(inbox: Inbox, payload: Uint8Array, isRetained: boolean): Promise<void> {
    const keyTime = this.core.keyTime(now());
    switch (inbox) {
      case 'keys': {
        const isNews = await this.trust.learn(payload, keyTime);
        this.distrusted.list = null;
        this.tellDistrust();
        if (isNews) await this.take({ is: 'keys', payload });
        return;
      }
      case 'roll_call':
        await this.take({ is: 'roll_call', spread: readRollCall(textOf(payload)) });
        return;
      case 'commands':
      case 'receipts': {
        if (isRetained) throw new ContractError('retained', 'the hub never retains what is for one client: a replay');
        const message = await this.trust.open(inbox, payload, keyTime);
        this.distrusted.message = null;
        this.tellDistrust();
        this.arriving = message.kind === 'run' ? message : null;
        await this.take({ is: 'message', message });
        this.arriving = null;
        if (message.kind === 'welcome') this.tellWelcome();
      }
    }
  }

  private tellWelcome(): void {
    if (this.core.fenced !== null) this.show('fenced');
    else if (this.core.isWelcomed) this.show('online');
  }

  private async ended({ because, retryAfter }: Ended, wasConnected: boolean): Promise<void> {
    if (wasConnected) await this.handle({ is: 'disconnected' });
    if (this.isAsleep || this.isBroken) return;
    const standing = this.core.fenced !== null ? 'fenced' : because === 'refused' ? 'refused' : 'waiting';
    this.show(standing, { retryAt: Date.now() + retryAfter });
  }

  private show(standing: Standing, changes: Partial<Shown> = {}): void {
    // Several hubs may welcome it, and it is online since the first of them.
    this.since = standing === 'online' ? (this.since ?? Date.now()) : null;
    this.options.show({ standing, retryAt: null, since: this.since, ...changes });
  }

  private describe(): void {
    const { identity, capabilities, displays } = this.options;
    const body = {
      v: 1,
      kind: 'state',
      client_id: identity.clientId,
      session: this.process,
      at: new Date().toISOString(),
      capabilities,
      displays,
      distrusts: this.distrusts,
    };
    this.session.describe(JSON.stringify(body));
  }

  private get distrusts(): string | null {
    return this.distrusted.message === null ? null : (this.distrusted.list ?? this.distrusted.message);
  }

  private since: number | null = null;
  private told: string | null = null;

  private tellDistrust(): void {
    if (this.distrusts === this.told) return;
    this.told = this.distrusts;
    this.options.show({ distrusts: this.told });
    this.describe();
  }

  /** The page shows what became of the last command. */
  private tell(writes: readonly Write[]): void {
    let last: LastCommand | null = null;
    for (const { table, put } of writes) {
      if (table !== 'reports' || put === null || put.receipted) continue;
      const { command_id: id, status } = put.report;
      last = { id, action: '', status, at: put.madeAt };
    }
    for (const { table, key, put } of writes) {
      if (table === 'attempts' && put?.run) this.actions.set(key, put.run.action);
      else if (table === 'attempts' && put === null) this.actions.delete(key);
    }
    if (last !== null) this.options.show({ last: { ...last, action: this.actionOf(last.id) } });
  }

  private actionOf(commandId: string): string {
    return this.actions.get(commandId) ?? (this.arriving?.commandId === commandId ? this.arriving.action : '');
  }

  private readonly actions = new Map<string, string>();
  /** What is being taken: of a command that is refused there is no attempt, so nothing else knows its action. */
  private arriving: Run | null = null;
}

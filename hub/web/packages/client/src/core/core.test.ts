import { describe, expect, it } from 'vitest';
import type { Report, Run, Signed } from '../contract';
import type { Now } from './clock';
import { Core } from './core';
import { applied, NOTHING, type Snapshot } from './records';
import type { Decision, Event, Gate, StartEffect, Step } from './steps';

const EMPTY: Snapshot = { settings: NOTHING, attempts: [], reports: [], tombstones: [] };
const HUB = Date.parse('2026-11-30T09:00:00Z');
const gate: Gate = (action) => (action === 'display' ? null : { code: 'unsupported_action', message: 'no' });

/** The same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A page with its journal, which may be loaded again at any time. */
class Page {
  snapshot: Snapshot = EMPTY;
  core: Core;
  at: Now = { wall: HUB, mono: 0 };
  session = 's-0';
  sent: Record<string, unknown>[] = [];
  started: StartEffect[] = [];
  stopped = 0;
  left: string[] = [];
  wakeAt = 0;
  private loads = 0;
  private connections = 0;
  private readonly random: () => number;

  constructor(seed = 1) {
    this.random = seeded(seed);
    this.core = this.load();
  }

  load(): Core {
    this.loads += 1;
    this.session = `s-${this.loads}`;
    this.connections = 0;
    this.core = new Core({ clientId: 'desk', session: this.session, agent: { name: 'page', version: '1' } }, gate, this.random);
    this.handle({ is: 'started', snapshot: this.snapshot });
    return this.core;
  }

  handle(event: Event): Decision {
    const decision = this.core.handle(event, this.at);
    this.snapshot = applied(this.snapshot, decision.writes);
    this.wakeAt = decision.wakeAt;
    decision.steps.forEach((step) => this.take(step));
    return decision;
  }

  message(message: Signed): Decision {
    return this.handle({ is: 'message', message });
  }

  pass(ms: number): void {
    this.at = { wall: this.at.wall + ms, mono: this.at.mono + ms };
    this.handle({ is: 'tick' });
  }

  connect(): void {
    this.connections += 1;
    this.handle({ is: 'connected', connection: this.connections });
  }

  welcome(fields: Partial<Extract<Signed, { kind: 'welcome' }>> = {}): void {
    const nonce = String(this.sent.findLast(({ kind }) => kind === 'birth')?.['nonce']);
    this.message({
      kind: 'welcome', clientId: 'desk', session: this.session, journal: 'j-1', epoch: 1, hubTime: HUB + this.at.mono, keepAway: null, nonce,
      ...fields,
    });
  }

  /** Connected and welcomed. */
  online(): this {
    this.connect();
    this.welcome();
    return this;
  }

  end(status: 'completed' | 'failed' = 'completed', isRetryable = false): void {
    const { commandId, attempt } = this.started.at(-1) ?? { commandId: '', attempt: 0 };
    this.handle({ is: 'effect_ended', commandId, attempt, outcome: { status, isRetryable, message: '' } });
  }

  get reports(): Report[] {
    return this.sent.filter(({ kind }) => kind === 'reports').flatMap(({ reports }) => reports as Report[]);
  }

  get statuses(): string[] {
    return this.reports.map(({ status }) => status);
  }

  receiveAll(): void {
    this.message({ kind: 'receipt', clientId: 'desk', hubTime: HUB + this.at.mono, reportIds: this.reports.map(({ report_id: id }) => id) });
  }

  private take(step: Step): void {
    if (step.is === 'publish') {
      this.sent.push(JSON.parse(step.body) as Record<string, unknown>);
      if (step.token !== null) this.handle({ is: 'published', token: step.token });
    } else if (step.is === 'start') this.started.push(step);
    else if (step.is === 'stop_effect') this.stopped += 1;
    else this.left.push(step.reason);
  }
}

const run = (fields: Partial<Run> = {}): Run => ({
  kind: 'run', clientId: 'desk', commandId: 'c-1', attempt: 1, lane: 'display:0', action: 'display', payload: {}, priority: 5,
  issuedAt: HUB, expiresAt: HUB + 60_000, timeoutMs: 5_000, onInterrupt: 'unknown', journal: 'j-1', heard: null,
  ...fields,
});

describe('a command', () => {
  it('is not begun, and does not expire, by a clock that may have stood', () => {
    const page = new Page().online();
    page.message(run());
    page.message(run({ commandId: 'c-2' })); // waits for the lane
    page.core.forgetTime(page.at);
    page.at = { wall: page.at.wall + 3_600_000, mono: page.at.mono };
    page.end();
    page.message(run({ commandId: 'c-3', lane: 'control' }));
    expect(page.started.map(({ commandId }) => commandId)).toEqual(['c-1']);
    page.connect();
    page.welcome({ hubTime: HUB + 3_600_000 });
    expect(page.started.map(({ commandId }) => commandId)).toEqual(['c-1']);
    expect(page.reports.filter(({ status }) => status === 'expired').map(({ command_id: id }) => id).toSorted()).toEqual(['c-2', 'c-3']);
  });

  it('is accepted, begun once and completed, however often it comes', () => {
    const page = new Page().online();
    page.message(run());
    page.message(run());
    page.end();
    page.message(run());
    page.end();
    expect(page.started.length).toBe(1);
    expect(page.statuses.filter((status, index, all) => all.indexOf(status) === index)).toEqual(['accepted', 'started', 'completed']);
  });

  it('begins only after the welcome, and what an earlier page took in only once the hub has sent it again', () => {
    const page = new Page();
    page.online();
    page.message(run({ lane: 'a' }));
    page.message(run({ commandId: 'c-2', lane: 'a' })); // waits for the lane
    page.end();
    expect(page.started.map(({ commandId }) => commandId)).toEqual(['c-1', 'c-2']);

    const other = new Page().online();
    other.message(run());
    other.message(run({ commandId: 'c-2' }));
    other.load();
    other.connect();
    other.message(run({ commandId: 'c-2' }));
    expect(other.started.filter(({ commandId }) => commandId === 'c-2')).toEqual([]);
    other.welcome();
    other.end(); // the evidence about c-1 frees its lane
    expect(other.started.filter(({ mode }) => mode === 'evidence').map(({ commandId }) => commandId)).toEqual(['c-1']);
  });

  it('that a reload cut off is asked about, and never begun again', () => {
    const page = new Page().online();
    page.message(run());
    page.load();
    page.online();
    page.message(run());
    expect(page.started.map(({ mode, process }) => [mode, process])).toEqual([['execute', 's-1'], ['evidence', 's-1']]);
    page.handle({ is: 'effect_ended', commandId: 'c-1', attempt: 1, outcome: null });
    expect(page.reports.at(-1)).toMatchObject({ status: 'unknown', error: { code: 'interrupted' } });
  });

  it('that may run twice begins again after a reload, once the hub has offered it', () => {
    const page = new Page().online();
    page.message(run({ onInterrupt: 'rerun' }));
    page.load();
    page.online();
    expect(page.started.length).toBe(1);
    page.message(run({ onInterrupt: 'rerun' }));
    expect(page.started.map(({ mode }) => mode)).toEqual(['execute', 'execute']);
  });

  it.each([
    [{ action: 'print' }, 'failed', 'unsupported_action'],
    [{ expiresAt: HUB - 1 }, 'expired', 'expired'],
    [{ action: 'restart_agent', onInterrupt: 'rerun' }, 'failed', 'rerun_refused'],
  ] as const)('%j ends as %s, %s', (fields, status, code) => {
    const page = new Page().online();
    page.message(run(fields));
    expect(page.reports.at(-1)).toMatchObject({ status, error: { code } });
    expect(page.started).toEqual([]);
  });

  it('for another journal gets no answer but a new birth, and one for another client changes nothing', () => {
    const page = new Page().online();
    page.message(run({ journal: 'j-0' }));
    expect(() => page.message(run({ clientId: 'other' }))).toThrow('other');
    expect(page.reports).toEqual([]);
    page.pass(60_000);
    expect(page.sent.filter(({ kind }) => kind === 'birth').length).toBe(2);
  });

  it('that expires while it waits never begins; one that takes too long is stopped once', () => {
    const page = new Page().online();
    page.message(run());
    page.message(run({ commandId: 'c-2', expiresAt: HUB + 2_000 }));
    page.pass(3_000);
    expect(page.reports.at(-1)).toMatchObject({ command_id: 'c-2', status: 'expired' });
    page.pass(3_000);
    page.pass(3_000);
    expect(page.stopped).toBe(1);
    page.handle({ is: 'effect_ended', commandId: 'c-1', attempt: 1, outcome: { status: 'cancelled' } });
    expect(page.reports.at(-1)).toMatchObject({ status: 'failed', error: { code: 'timed_out' } });
  });

  it('is tried again only with a higher attempt, and only if nothing took effect', () => {
    const page = new Page().online();
    page.message(run());
    page.end('failed', true);
    page.message(run({ attempt: 2 }));
    page.end('failed');
    page.message(run({ attempt: 3 }));
    expect(page.started.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

describe('a cancel', () => {
  it('ends what waits, stops what runs, and holds for what has not arrived', () => {
    const page = new Page().online();
    page.message({ kind: 'cancel', clientId: 'desk', commandId: 'c-9' });
    page.load();
    page.online();
    page.message(run({ commandId: 'c-9' }));
    page.message(run());
    page.message(run({ commandId: 'c-2' }));
    page.message({ kind: 'cancel', clientId: 'desk', commandId: 'c-2' });
    page.message({ kind: 'cancel', clientId: 'desk', commandId: 'c-1' });
    expect(page.stopped).toBe(1);
    const ended = page.reports.filter(({ status }) => status === 'cancelled').map(({ command_id: id }) => id);
    expect([...new Set(ended)]).toEqual(['c-9', 'c-2']);
    expect(page.started.map(({ commandId }) => commandId)).toEqual(['c-1']);
  });
});

describe('a report', () => {
  it('is sent until its receipt, more and more rarely, and after a reload', () => {
    const page = new Page().online();
    page.message(run());
    page.end();
    const first = page.reports.length;
    page.pass(2_000);
    expect(page.reports.length).toBeGreaterThan(first);
    page.load();
    page.online();
    const again = page.reports.length;
    page.receiveAll();
    page.pass(120_000);
    expect(page.reports.length).toBe(again);
    page.message(run()); // the last one answers a repeated delivery
    expect(page.reports.at(-1)?.status).toBe('completed');
  });
});

describe('a welcome', () => {
  it('counts once, for this page, with the nonce of a birth that waits', () => {
    const page = new Page();
    page.connect();
    expect(() => page.welcome({ session: 's-0' })).toThrow('another page');
    expect(() => page.welcome({ nonce: 'kept' })).toThrow('no birth');
    page.welcome();
    page.welcome({ journal: 'j-2' }); // another worker of the hub answers the same birth
    expect(page.snapshot.settings).toMatchObject({ journal: 'j-1', epoch: 1 });
    expect(() => page.welcome({ nonce: null })).toThrow('no birth');
  });

  it('with keep_away stops this page and takes nothing over', () => {
    const page = new Page();
    page.connect();
    page.welcome({ keepAway: 'two machines' });
    expect(page.left).toEqual(['two machines']);
    expect(page.snapshot.settings.journal).toBeNull();
    expect(() => page.message(run())).toThrow('keep away');
  });

  it('with another journal ends what waits', () => {
    const page = new Page().online();
    page.message(run());
    page.message(run({ commandId: 'c-2' }));
    page.message(run({ commandId: 'c-3', onInterrupt: 'rerun' }));
    page.handle({ is: 'disconnected' });
    page.connect();
    page.welcome({ journal: 'j-2', epoch: 2 });
    expect(page.reports.findLast(({ command_id: id }) => id === 'c-2')).toMatchObject({ status: 'unknown', error: { code: 'journal_replaced' } });
    page.message(run({ commandId: 'c-3', onInterrupt: 'rerun', journal: 'j-2' }));
    page.end();
    expect(page.started.map(({ commandId }) => commandId)).toEqual(['c-1', 'c-3']);
  });
});

describe('a journal that is an older copy of itself', () => {
  it('ends what the hub knows more of, and asks for a new identity', () => {
    const page = new Page().online();
    page.message(run({ heard: 'started' }));
    expect(page.started).toEqual([]);
    expect(page.reports.at(-1)).toMatchObject({ status: 'unknown', error: { code: 'journal_rolled_back' } });
    expect(page.left).toEqual(['the journal was rolled back']);
    page.handle({ is: 'disconnected' });
    page.connect();
    expect(page.sent.findLast(({ kind }) => kind === 'birth')).toMatchObject({ journal: null });
  });

  it('shows a mark that only rises: by starts, and by far more with each change', () => {
    const page = new Page();
    const marks = [page.snapshot.settings.mark];
    for (const step of [() => page.load(), () => page.online(), () => page.message(run()), () => page.load(), () => page.load()]) {
      step();
      marks.push(page.snapshot.settings.mark);
    }
    expect(marks).toEqual([1, 2, 2, 2 ** 20, 2 ** 20 + 1, 2 ** 20 + 2]);
  });
});

describe('presence', () => {
  it('is a birth, heartbeats that go on, and words of the same session at the end', () => {
    const page = new Page().online();
    for (let second = 0; second < 31; second += 1) page.pass(1_000);
    const beats = page.sent.filter(({ kind }) => kind === 'heartbeat');
    expect(beats.length).toBeGreaterThanOrEqual(3);
    expect(beats.at(-1)).toMatchObject({ client_id: 'desk', session: 's-1', connection: 1, epoch: 1 });
    expect(JSON.parse(page.core.will(2))).toEqual({ v: 1, kind: 'will', client_id: 'desk', session: 's-1', connection: 2, epoch: 1 });
    expect(JSON.parse(page.core.goodbye('asleep'))).toMatchObject({ kind: 'offline', connection: 1, reason: 'asleep' });
  });

  it('answers a roll call within its time, with the reports that are older', () => {
    const page = new Page().online();
    page.message(run());
    page.pass(3_000);
    const before = [page.sent.filter(({ kind }) => kind === 'heartbeat').length, page.reports.length] as const;
    page.handle({ is: 'roll_call', spread: 1_000 });
    page.pass(1_000);
    expect(page.sent.filter(({ kind }) => kind === 'heartbeat').length).toBe(before[0] + 1);
    expect(page.reports.length).toBeGreaterThan(before[1]);
  });
});

describe('whatever is repeated, lost, reloaded or late', () => {
  it.each(Array.from({ length: 200 }, (_, seed) => seed))('no effect that must not happen twice does: order %i', (seed) => {
    const random = seeded(seed + 1_000);
    const page = new Page(seed);
    page.online();
    for (let step = 0; step < 60; step += 1) {
      const commandId = `c-${Math.floor(random() * 4)}`;
      const choices: (() => void)[] = [
        () => page.message(run({ commandId, lane: commandId, attempt: 1 + Math.floor(random() * 2) })),
        () => page.message(run({ commandId, lane: commandId })),
        () => page.message({ kind: 'cancel', clientId: 'desk', commandId }),
        () => page.receiveAll(),
        () => page.pass(Math.floor(random() * 4_000)),
        () => page.end(random() < 0.5 ? 'completed' : 'failed', random() < 0.5),
        () => {
          page.load();
          page.online();
        },
        () => {
          page.handle({ is: 'disconnected' });
          page.online();
        },
      ];
      choices[Math.floor(random() * choices.length)]?.();
    }
    const keysOf = (mode: string) => page.started.filter((effect) => effect.mode === mode).map(({ commandId, attempt }) => `${commandId} ${attempt}`);
    const begun = keysOf('execute');
    expect(begun).toEqual([...new Set(begun)]);
    expect(begun).toEqual(expect.arrayContaining(keysOf('evidence')));
  });
});

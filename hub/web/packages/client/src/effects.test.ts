import { describe, expect, it } from 'vitest';
import { Effects } from './effects';
import type { Action } from './page';
import type { Effect, Outcome, ToWorker } from './talk';

const effect = (mode: Effect['mode'], action = 'show'): Effect => ({ clientId: 'desk', commandId: 'c-1', attempt: 1, action, payload: {}, mode });

/** A page whose one action ends when the test says so, and what it said to its worker. */
function page() {
  const said: ToWorker[] = [];
  const done = { executed: 0, asked: 0 };
  const ends: ((outcome: Outcome | null) => void)[] = [];
  const show: Action = {
    execute: () => {
      done.executed += 1;
      return new Promise((resolve) => {
        ends.push(resolve);
      });
    },
    evidence: async () => {
      done.asked += 1;
      return { status: 'failed', code: 'not_shown' };
    },
  };
  const effects = new Effects({ show }, (message) => said.push(message));
  return { effects, said, done, end: (outcome: Outcome | null) => ends.at(-1)?.(outcome) };
}

const COMPLETED: Outcome = { status: 'completed' };
const ENDED = { is: 'effect_ended', commandId: 'c-1', attempt: 1, outcome: COMPLETED };

describe('a worker that starts anew in the life of a page', () => {
  it.each(['execute', 'evidence'] as const)('hears (%s) the end of what is still being done', async (mode) => {
    const { effects, said, done, end } = page();
    const first = effects.carryOut(effect('execute'));
    await effects.carryOut(effect(mode));
    expect(said).toEqual([]);
    end(COMPLETED);
    await first;
    expect(said).toEqual([ENDED]);
    expect(done).toEqual({ executed: 1, asked: 0 });
  });

  it.each(['execute', 'evidence'] as const)('hears (%s) how it ended while nobody listened', async (mode) => {
    const { effects, said, done, end } = page();
    const first = effects.carryOut(effect('execute'));
    end(COMPLETED);
    await first;
    await effects.carryOut(effect(mode));
    expect(said).toEqual([ENDED, ENDED]);
    expect(done).toEqual({ executed: 1, asked: 0 });
  });

  it('hears nothing of what ends with the page', async () => {
    const { effects, said, done, end } = page();
    const first = effects.carryOut(effect('execute'));
    end(null);
    await first;
    await effects.carryOut(effect('evidence'));
    expect(said).toEqual([]);
    expect(done).toEqual({ executed: 1, asked: 0 });
  });
});

it.each(['toString', '__proto__', 'constructor'])('a page has no action %s', async (action) => {
  const { effects, said } = page();
  await effects.carryOut(effect('execute', action));
  expect(said).toMatchObject([{ outcome: { status: 'unknown', code: 'unsupported_action' } }]);
});

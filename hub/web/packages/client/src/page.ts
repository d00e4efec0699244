/** The page's side: what its worker shows, and what it carries out for it. */

import { signal, type ReadonlySignal } from '@preact/signals-core';
import { NOBODY, type Effect, type FromWorker, type Outcome, type Shown, type ToWorker } from './talk';
import type { Json } from './contract';

/** What an action sees while it works on one attempt. `signal` is aborted when it must stop. */
export type Context = { readonly signal: AbortSignal; readonly effect: Effect; readonly progress: (data: Json) => void };

/** Carries out one action of this page. */
export type Action = {
  /** Carry it out to its end. Null: this page ends with it, and the next one says how it ended. */
  readonly execute: (payload: Json, context: Context) => Promise<Outcome | null>;
  /** After a reload between its start and its end: what became of it, without any effect. */
  readonly evidence: (payload: Json, context: Context) => Promise<Outcome>;
};

export type Client = { readonly shown: ReadonlySignal<Shown>; readonly resume: () => void };
type Starting = { readonly worker: Worker; readonly actions: Readonly<Record<string, Action>>; readonly displays: readonly Json[] };

const GOODBYE_MS = 200;

/** Start the client of this browser; there is one for each page. */
export function startClient({ worker, actions, displays }: Starting): Client {
  const shown = signal<Shown>(NOBODY);
  const running = new Map<string, AbortController>();
  const say = (message: ToWorker): void => worker.postMessage(message);

  async function carryOut(effect: Effect): Promise<void> {
    const { commandId, attempt, action, payload, mode } = effect;
    const key = `${commandId} ${attempt}`;
    const abort = new AbortController();
    running.set(key, abort);
    let outcome: Outcome | null;
    try {
      const known = actions[action];
      const context = { signal: abort.signal, effect, progress: (data: Json) => say({ is: 'effect_progress', commandId, attempt, data }) };
      if (known === undefined) outcome = { status: 'unknown', code: 'unsupported_action', message: `this page has no action ${action} now` };
      else if (mode === 'evidence') outcome = await known.evidence(payload, context);
      else {
        outcome = await known.execute(payload, context);
        if (outcome === null) return;
      }
    } catch (problem) {
      outcome = { status: 'unknown', code: 'page_error', message: String(problem) };
    }
    running.delete(key);
    say({ is: 'effect_ended', commandId, attempt, outcome });
  }

  worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
    if (data.is === 'shown') shown.value = data.shown;
    else if (data.is === 'effect') void carryOut(data.effect);
    else running.get(`${data.commandId} ${data.attempt}`)?.abort();
  });
  say({ is: 'start', displays });

  const resume = (): void => say({ is: 'resume' });
  /** The worker is stopped with this page as soon as the event has been handled: give it a moment to say good-bye. */
  const sleep = (): void => {
    say({ is: 'sleep' });
    const until = performance.now() + GOODBYE_MS;
    while (performance.now() < until);
  };
  document.addEventListener('freeze', sleep);
  document.addEventListener('resume', resume);
  addEventListener('pagehide', ({ persisted }) => {
    if (persisted) sleep();
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) resume();
  });
  addEventListener('online', resume);
  return { shown, resume };
}

/** The page's side: what its worker shows, and what it carries out for it. */

import { signal, type ReadonlySignal } from '@preact/signals-core';
import { Effects } from './effects';
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
type Starting = {
  readonly makeWorker: () => Worker;
  readonly actions: Readonly<Record<string, Action>>;
  readonly displays: readonly Json[];
  readonly isHubThere: () => Promise<boolean>;
};

const GOODBYE_MS = 200;
/** A worker that failed is started anew, not at once. */
const RESTART_MS = 15_000;

/** Start the client of this browser; there is one for each page. */
export function startClient({ makeWorker, actions, displays, isHubThere }: Starting): Client {
  const shown = signal<Shown>(NOBODY);
  let worker: Worker | null = null;
  const say = (message: ToWorker): void => worker?.postMessage(message);
  const effects = new Effects(actions, say);

  function start(): void {
    worker = makeWorker();
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => {
      if (data.is === 'shown') shown.value = data.shown;
      else if (data.is === 'effect') void effects.carryOut(data.effect);
      else effects.stop(data);
    });
    worker.addEventListener('error', restart);
    say({ is: 'start', displays });
  }

  /** Its script was not to be had, or it failed: nobody may stand before this page to load it again. */
  function restart(): void {
    if (worker === null) return;
    worker.terminate();
    worker = null;
    shown.value = { ...shown.value, standing: 'broken', since: null, retryAt: Date.now() + RESTART_MS };
    setTimeout(() => void again(), RESTART_MS);
  }

  /** Its files may have other names by now, which the page knows once it is loaded anew. Without a hub that answers, the
   * browser would show an error in its place, and nobody may stand before it. */
  async function again(): Promise<void> {
    if (await isHubThere()) location.reload();
    else start();
  }

  start();
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

/** The worker's side: one tab of a browser holds its identity, and connects. */

import type { Gate } from './core/steps';
import { Runtime } from './runtime';
import { CHANNEL, openStore, type Store } from './store';
import { NOBODY, type FromWorker, type Shown, type ToWorker } from './talk';
import { AGENT } from './version';

const LOCK = 'floorhub-client';
/** A store that fails is opened anew, not at once. */
const FAILED_MS = 15_000;

type Serving = { readonly gate: Gate; readonly capabilities: readonly string[]; readonly path: string };

const say = (message: FromWorker): void => postMessage(message);

/** Serve the page that started this worker. `path`: of the broker on this host. */
export function serve({ gate, capabilities, path }: Serving): void {
  let shown: Shown = NOBODY;
  let runtime: Runtime | null = null;
  let isPairedAnew = false;
  const show = (changes: Partial<Shown>): void => {
    shown = { ...shown, ...changes };
    say({ is: 'shown', shown });
  };

  /** Be the client for as long as this browser is one. Whatever the store does, it is tried again. */
  async function hold(start: Extract<ToWorker, { readonly is: 'start' }>): Promise<void> {
    // One after the other.
    /* oxlint-disable no-await-in-loop */
    while (await isOnce(start)) {
      if (isPairedAnew) {
        isPairedAnew = false;
        continue;
      }
      show({ standing: 'failed', retryAt: Date.now() + FAILED_MS });
      await new Promise((resolve) => setTimeout(resolve, FAILED_MS));
    }
    /* oxlint-enable no-await-in-loop */
  }

  /** Be the client until the store fails, or this browser becomes another one. False: it is none any more. */
  async function isOnce(start: Extract<ToWorker, { readonly is: 'start' }>): Promise<boolean> {
    let store: Store | null = null;
    let isGone = false;
    try {
      store = await openStore(() => {
        isGone = true;
        runtime?.end(); // what it would be sent, it could not keep
      });
      const identity = await store.identity();
      if (identity === null) {
        show({ ...NOBODY, standing: 'unpaired' });
        return false;
      }
      const { clientId, name, kind, zone, groups } = identity;
      show({ ...NOBODY, clientId, name, kind, zone, groups });
      runtime = new Runtime({
        identity,
        store,
        url: `wss://${location.host}${path}`,
        agent: AGENT,
        gate,
        capabilities,
        displays: start.displays,
        show,
        start: (effect) => say({ is: 'effect', effect }),
        stop: (commandId, attempt) => say({ is: 'stop_effect', commandId, attempt }),
      });
      await runtime.run();
    } catch {
      // What failed is not usable any more; the store may be, opened anew.
    } finally {
      runtime = null;
      store?.close();
    }
    if (isGone) show({ standing: 'gone', since: null, retryAt: null });
    return !isGone;
  }

  async function begin(start: Extract<ToWorker, { readonly is: 'start' }>): Promise<void> {
    const isFree = await navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => lock !== null);
    if (!isFree) show({ standing: 'other_tab' });
    await navigator.locks.request(LOCK, () => hold(start));
  }

  new BroadcastChannel(CHANNEL).addEventListener('message', () => {
    isPairedAnew = runtime !== null;
    runtime?.end();
  });
  addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
    switch (data.is) {
      case 'start':
        void begin(data).catch(() => show({ standing: 'failed' }));
        return;
      case 'effect_ended':
        runtime?.effectEnded(data.commandId, data.attempt, data.outcome);
        return;
      case 'effect_progress':
        runtime?.effectProgress(data.commandId, data.attempt, data.data);
        return;
      case 'sleep':
        runtime?.sleep();
        return;
      case 'resume':
        runtime?.resume();
        return;
    }
  });
}

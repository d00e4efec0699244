/** What a page carries out for its worker: each attempt once in the life of the page, whoever asks for it how often. A
 * worker, or what it keeps, may fail meanwhile and start anew; what it then asks about is still being done, or done. */

import type { Action } from './page';
import type { Effect, Outcome, ToWorker } from './talk';
import type { Json } from './contract';

/** So many ends are remembered: what a worker that starts anew may ask about is at most what its journal holds open. */
const MAX_ENDED = 100;

export class Effects {
  private readonly actions: Readonly<Record<string, Action>>;
  private readonly say: (message: ToWorker) => void;
  private readonly running = new Map<string, AbortController>();
  private readonly ended = new Map<string, Outcome>();

  constructor(actions: Readonly<Record<string, Action>>, say: (message: ToWorker) => void) {
    this.actions = actions;
    this.say = say;
  }

  async carryOut(effect: Effect): Promise<void> {
    const key = keyOf(effect);
    if (this.running.has(key)) return; // its end will be told
    const before = this.ended.get(key);
    const outcome = before ?? (await this.outcomeOf(effect, key));
    if (outcome === null) return;
    this.remember(key, outcome);
    const { commandId, attempt } = effect;
    this.say({ is: 'effect_ended', commandId, attempt, outcome });
  }

  stop(effect: Pick<Effect, 'commandId' | 'attempt'>): void {
    this.running.get(keyOf(effect))?.abort();
  }

  private async outcomeOf(effect: Effect, key: string): Promise<Outcome | null> {
    const { commandId, attempt, action, payload, mode } = effect;
    const abort = new AbortController();
    this.running.set(key, abort);
    try {
      const known = Object.hasOwn(this.actions, action) ? this.actions[action] : undefined;
      if (known === undefined) return this.over(key, { status: 'unknown', code: 'unsupported_action', message: `this page has no action ${action} now` });
      const progress = (data: Json): void => this.say({ is: 'effect_progress', commandId, attempt, data });
      const context = { signal: abort.signal, effect, progress };
      if (mode === 'evidence') return this.over(key, await known.evidence(payload, context));
      const outcome = await known.execute(payload, context);
      return outcome === null ? null : this.over(key, outcome); // null: it is running until the page ends
    } catch (problem) {
      return this.over(key, { status: 'unknown', code: 'page_error', message: String(problem) });
    }
  }

  private over(key: string, outcome: Outcome): Outcome {
    this.running.delete(key);
    return outcome;
  }

  private remember(key: string, outcome: Outcome): void {
    this.ended.set(key, outcome);
    const [oldest] = this.ended.keys();
    if (this.ended.size > MAX_ENDED && oldest !== undefined) this.ended.delete(oldest);
  }
}

const keyOf = ({ commandId, attempt }: Pick<Effect, 'commandId' | 'attempt'>): string => `${commandId} ${attempt}`;

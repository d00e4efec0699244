/** What a page and its worker say to each other. */

import type { Lack } from './pairing';
import type { Outcome } from './core/steps';
import type { Json } from './contract';

/** Where this client is:
 * `starting`; `unpaired`: this browser is no client; `other_tab` has it; `connecting`; `online`; `waiting` until `retryAt`;
 * `refused` by the broker; `fenced` by the hub; `asleep`; `gone`: its storage was cleared; `failed`: the storage takes nothing;
 * `broken`: the worker has not started, or has ended. */
export type Standing = 'starting' | 'unpaired' | 'other_tab' | 'connecting' | 'online' | 'waiting' | 'refused' | 'fenced' | 'asleep' | 'gone' | 'failed' | 'broken';

export type LastCommand = { readonly id: string; readonly action: string; readonly status: string; readonly at: number };

export type Shown = {
  readonly standing: Standing;
  readonly clientId: string | null;
  readonly name: string;
  readonly kind: string;
  readonly zone: string | null;
  readonly groups: readonly string[];
  /** Since when it is `online`, by this browser's clock. */
  readonly since: number | null;
  readonly retryAt: number | null;
  /** Why what the hub signs is refused; null while it is obeyed. */
  readonly distrusts: string | null;
  readonly last: LastCommand | null;
};

export const NOBODY: Shown = {
  standing: 'starting',
  clientId: null,
  name: '',
  kind: '',
  zone: null,
  groups: [],
  since: null,
  retryAt: null,
  distrusts: null,
  last: null,
};

export type Effect = {
  readonly clientId: string;
  readonly commandId: string;
  readonly attempt: number;
  readonly action: string;
  readonly payload: Json;
  readonly mode: 'execute' | 'evidence';
};

export type FromWorker =
  | { readonly is: 'shown'; readonly shown: Shown }
  | { readonly is: 'effect'; readonly effect: Effect }
  | { readonly is: 'stop_effect'; readonly commandId: string; readonly attempt: number };

export type ToWorker =
  | { readonly is: 'start'; readonly displays: readonly Json[] }
  | { readonly is: 'effect_ended'; readonly commandId: string; readonly attempt: number; readonly outcome: Outcome | null }
  | { readonly is: 'effect_progress'; readonly commandId: string; readonly attempt: number; readonly data: Json }
  | { readonly is: 'sleep' }
  | { readonly is: 'resume' };

export type { Lack, Outcome };

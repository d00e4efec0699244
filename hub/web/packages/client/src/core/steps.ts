/** What goes into the core and what comes out of it. */

import type { Json, Outbox, Signed } from '../contract';
import type { Snapshot, StopReason, Write } from './records';

/** How an attempt ended, as its action knows it. `isRetryable`: only when it is known that nothing took effect. */
export type Outcome = {
  readonly status: 'completed' | 'failed' | 'cancelled' | 'unknown';
  readonly data?: Json;
  readonly message?: string;
  readonly code?: string;
  readonly isRetryable?: boolean;
};

export type Event =
  | { readonly is: 'started'; readonly snapshot: Snapshot }
  | { readonly is: 'connected'; readonly connection: number }
  | { readonly is: 'disconnected' }
  /** Verified with a key of the hub. */
  | { readonly is: 'message'; readonly message: Signed }
  | { readonly is: 'roll_call'; readonly spread: number }
  | { readonly is: 'keys'; readonly payload: Uint8Array }
  /** Something came that is not obeyed. */
  | { readonly is: 'refused'; readonly code: string; readonly inbox: string }
  /** Null: nobody can say how it ended. */
  | { readonly is: 'effect_ended'; readonly commandId: string; readonly attempt: number; readonly outcome: Outcome | null }
  | { readonly is: 'effect_progress'; readonly commandId: string; readonly attempt: number; readonly data: Json }
  /** The broker has a message, or may not have it: either way only the receipt counts. */
  | { readonly is: 'published'; readonly token: number }
  /** Nothing new is taken in or begun. */
  | { readonly is: 'stop' }
  | { readonly is: 'tick' };

export type Publish = {
  readonly is: 'publish';
  readonly channel: Outbox;
  readonly body: string;
  readonly retain: boolean;
  readonly token: number | null;
};
export type StartEffect = {
  readonly is: 'start';
  readonly commandId: string;
  readonly attempt: number;
  readonly action: string;
  readonly payload: Json;
  /** `evidence`: a reload cut it off; find out what became of it, without any effect. */
  readonly mode: 'execute' | 'evidence';
  /** The session in which it began. */
  readonly process: string;
};
export type StopEffect = { readonly is: 'stop_effect'; readonly commandId: string; readonly attempt: number; readonly reason: StopReason };
/** Say good-bye, and come back later. */
export type Leave = { readonly is: 'leave'; readonly retryAfter: number; readonly reason: string };
export type Step = Publish | StartEffect | StopEffect | Leave;

/** What one event leads to. The caller commits `writes`, then takes `steps` in order. `wakeAt`: monotonic. */
export type Decision = { readonly writes: readonly Write[]; readonly steps: readonly Step[]; readonly wakeAt: number };

/** Why a page does not carry out an action; `code` travels in the report. */
export type Refusal = { readonly code: string; readonly message: string };
/** Says for an action and its payload why this page refuses it, or null. Pure. */
export type Gate = (action: string, payload: Json) => Refusal | null;

/** Who is signed in with this browser: asked of the hub, never guessed from a cookie. */

import { batch, signal } from '@preact/signals-core';
import { call, surround, type Data } from './http';
import type { paths } from './generated/openapi';
import type { Problem, Result } from './problem';

export type Who = Data<paths['/api/auth/whoami']['get']>;
export type Session = Data<paths['/api/auth/sessions']['get']>['items'][number];

export type SignIn =
  | { readonly state: 'asking' }
  | { readonly state: 'out' }
  /** The hub could not be asked. */
  | { readonly state: 'failed'; readonly problem: Problem }
  | { readonly state: 'in'; readonly who: Who }
  /** Was signed in; the page keeps what was typed until the same person is back. */
  | { readonly state: 'ended'; readonly who: Who };

export const signIn = signal<SignIn>({ state: 'asking' });

/** Other tabs of this browser share the cookie, and so hear of each sign-in and sign-out. */
const tabs = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('floorhub-session');

let token: string | null = null;

/** Begin: who is it? `language` tells the reader's language at the time of each call. */
export function openSession(language: () => string): void {
  surround({ language, csrfToken: () => token, onSignedOut: noteSignedOut });
  tabs?.addEventListener('message', () => void askWho());
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && signIn.peek().state === 'in') void askWho();
  });
  void askWho();
}

/** Ask the hub who is signed in. A hub that does not answer changes nothing for who is. */
export async function askWho(): Promise<void> {
  const answer = await call('get', '/api/auth/whoami', {});
  const before = signIn.peek();
  if (answer.ok) {
    admit(answer.data);
  } else if (answer.problem.code === 'unauthorized') {
    noteSignedOut();
  } else if (before.state === 'asking' || before.state === 'failed') {
    signIn.value = { state: 'failed', problem: answer.problem };
  }
}

function admit(who: Who): void {
  const before = signIn.peek();
  token = who.csrfToken ?? null;
  if ((before.state === 'ended' || before.state === 'in') && before.who.id !== who.id) {
    location.assign('/'); // nothing that one person saw or typed is left to another one
    return;
  }
  signIn.value = { state: 'in', who };
}

function noteSignedOut(): void {
  token = null;
  const before = signIn.peek();
  if (before.state === 'in') signIn.value = { state: 'ended', who: before.who };
  else if (before.state !== 'ended') signIn.value = { state: 'out' };
}

/** Sign in with name and password. */
export async function signInWith(login: string, password: string): Promise<Result<unknown>> {
  return entered(await call('post', '/api/auth/login', { body: { login, password, session: 'page' } }));
}

export type FirstAdministrator = { readonly token: string; readonly login: string; readonly name: string; readonly password: string };

/** Make the first administrator, who is then signed in. */
export async function makeFirstAdministrator({ token: proof, login, name, password }: FirstAdministrator): Promise<Result<unknown>> {
  const body = { token: proof, login, password, ...(name === '' ? {} : { name }) };
  return entered(await call('post', '/api/auth/first-administrator', { body }));
}

/** Whether the first administrator can still be made. */
export const firstAdministratorIsOpen = () => call('get', '/api/auth/first-administrator', {});

async function entered(answer: Result<unknown>): Promise<Result<unknown>> {
  if (!answer.ok) return answer;
  await askWho();
  tabs?.postMessage('changed');
  return answer;
}

/** End this session, and call `then` at the moment when nobody is signed in any more. Also done when the hub says that it
 * had ended before. */
export async function signOut(then: () => void): Promise<Result<unknown>> {
  const answer = await call('post', '/api/auth/logout', {});
  if (!answer.ok && answer.problem.code !== 'unauthorized') return answer;
  leave(then);
  tabs?.postMessage('changed');
  return { ok: true, data: undefined };
}

/** Give up a session that ended, with what was typed. */
export function leave(then: () => void): void {
  token = null;
  batch(() => {
    signIn.value = { state: 'out' };
    then();
  });
}

export const listSessions = () => call('get', '/api/auth/sessions', {});

export const endSession = (id: string) => call('delete', '/api/auth/sessions/{session_id}', { path: { session_id: id } });

export const endOtherSessions = () => call('delete', '/api/auth/sessions', {});

export const changePassword = (currentPassword: string, newPassword: string) =>
  call('post', '/api/auth/password', { body: { current_password: currentPassword, new_password: newPassword } });

/** Set a password with the token that an administrator passed on. */
export const setPassword = (proof: string, password: string) =>
  call('post', '/api/auth/password-link', { body: { token: proof, password } });

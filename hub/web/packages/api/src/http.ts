/** The one way to the hub: every call ends in data or a Problem, within its deadline. */

import { isLocal, local, problemOf, type Problem, type Result } from './problem';
import type { paths } from './generated/openapi';

export const DEADLINE_MS = 20_000;

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operation<Path extends keyof paths, M extends Method> = paths[Path] extends { [Name in M]: infer Op } ? Op : never;
type Body<Op> = Op extends { requestBody: { content: { 'application/json': infer Json } } } ? Json : undefined;
type PathParameters<Op> = Op extends { parameters: { path: infer Parameters } } ? Parameters : undefined;
type Answers<Op> = Op extends { responses: infer Responses } ? Responses : never;
type DataOf<Answer> = Answer extends { content: { 'application/json': infer Json } } ? Json : undefined;
/** What an operation answers when it succeeds. */
export type Data<Op> = { [Status in keyof Answers<Op>]: Status extends 200 | 201 | 204 ? DataOf<Answers<Op>[Status]> : never }[keyof Answers<Op>];
export type PathsWith<M extends Method> = { [Path in keyof paths]: paths[Path] extends { [Name in M]: object } ? Path : never }[keyof paths];

type Given<Op> = (Body<Op> extends undefined ? { readonly body?: undefined } : { readonly body: Body<Op> }) &
  (PathParameters<Op> extends undefined ? { readonly path?: undefined } : { readonly path: PathParameters<Op> });

/** What calls need to know of the page around them. */
export type Surroundings = {
  /** The reader's language, in which the hub writes its sentences. */
  readonly language: () => string;
  /** Proves that a change comes from this page; null before sign-in. */
  readonly csrfToken: () => string | null;
  /** Hears of each answer that says that nobody is signed in (any more). */
  readonly onSignedOut: (problem: Problem) => void;
};

let around: Surroundings = { language: () => 'en', csrfToken: () => null, onSignedOut: () => undefined };

export function surround(surroundings: Surroundings): void {
  around = surroundings;
}

/** Call an operation of the API. Never throws. */
export async function call<M extends Method, Path extends PathsWith<M>>(
  method: M,
  path: Path,
  given: Given<Operation<Path, M>>,
): Promise<Result<Data<Operation<Path, M>>>> {
  const answer = await send(method, filled(path, given.path), given.body);
  if (!answer.ok && answer.problem.code === 'unauthorized') around.onSignedOut(answer.problem);
  return answer as Result<Data<Operation<Path, M>>>;
}

/** The path with its parameters, each as one segment whatever it contains. */
export function filled(path: string, parameters: unknown): string {
  const known = (parameters ?? {}) as Readonly<Record<string, unknown>>;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(known[name])));
}

async function send(method: Method, url: string, body: unknown): Promise<Result<unknown>> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': around.language() };
  const token = around.csrfToken();
  if (method !== 'get' && token !== null) headers['X-CSRF-Token'] = token;
  const request: RequestInit = {
    method: method.toUpperCase(),
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    redirect: 'error',
    signal: AbortSignal.timeout(DEADLINE_MS),
  };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    request.body = JSON.stringify(body);
  }
  try {
    const response = await fetch(url, request);
    const text = await response.text();
    return resultOf(response.status, text, response.headers.get('Retry-After'));
  } catch {
    return { ok: false, problem: local('no_answer') };
  }
}

/** What an answer says. Something between page and hub may answer in the hub's place, and not in JSON. */
export function resultOf(status: number, text: string, retryAfter: string | null, now = Date.now()): Result<unknown> {
  const body = text === '' ? undefined : parsed(text);
  if (status >= 200 && status < 300) {
    return text !== '' && body === undefined ? { ok: false, problem: local('not_the_hub', status) } : { ok: true, data: body };
  }
  return { ok: false, problem: problemOf(status, body, retryAfter, now) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether the same call may succeed a moment later without anybody changing anything. */
export const isPassing = (problem: Problem): boolean => isLocal(problem) || problem.status >= 500;

import { afterEach, describe, expect, it, vi } from 'vitest';
import { call, filled, resultOf, surround } from './http';

const NOW = Date.UTC(2026, 10, 30);

const answering = (response: () => Response) => {
  const sent = vi.fn<(url: string, request: RequestInit) => Promise<Response>>(async () => response());
  vi.stubGlobal('fetch', sent);
  return sent;
};

describe('an answer', () => {
  it('with data is data, and an empty one is none', () => {
    expect(resultOf(200, '{"open":true}', null)).toEqual({ ok: true, data: { open: true } });
    expect(resultOf(204, '', null)).toEqual({ ok: true, data: undefined });
  });

  it('of the hub tells its own sentence and where each problem is, in the names of the forms', () => {
    const body = { code: 'validation_error', detail: '필드가 맞지 않습니다.', errors: [{ field: 'new_password', code: 'short', message: '짧습니다.' }, 7, { field: 1 }] };
    expect(resultOf(422, JSON.stringify(body), null)).toEqual({
      ok: false,
      problem: {
        code: 'validation_error',
        status: 422,
        detail: '필드가 맞지 않습니다.',
        fields: [{ field: 'newPassword', message: '짧습니다.' }],
        retryAt: null,
      },
    });
  });

  it.each([
    ['42', NOW + 42_000],
    ['Mon, 30 Nov 2026 00:01:00 GMT', NOW + 60_000],
    ['soon', null],
    ['', null],
    ['-1', null],
  ])('with Retry-After %s says when', (header, retryAt) => {
    const answer = resultOf(429, '{"code":"too_many_attempts","detail":"Wait."}', header, NOW);
    expect(answer).toMatchObject({ ok: false, problem: { code: 'too_many_attempts', retryAt } });
  });

  it.each([
    [200, '<html>Welcome to the hotel</html>'],
    [502, '<html>Bad gateway</html>'],
    [404, ''],
    [500, '[]'],
    [403, '{"message":"blocked"}'],
  ])('%i %s is not of the hub', (status, text) => {
    expect(resultOf(status, text, null)).toMatchObject({ ok: false, problem: { code: 'not_the_hub', status } });
  });
});

describe('a path', () => {
  it('takes each parameter as one segment', () => {
    expect(filled('/api/auth/sessions/{session_id}', { session_id: '../users?x=1#y' })).toBe('/api/auth/sessions/..%2Fusers%3Fx%3D1%23y');
  });
});

describe('a call', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('says the language, and proves a change by the token', async () => {
    const sent = answering(() => new Response(null, { status: 204 }));
    surround({ language: () => 'ko', csrfToken: () => 'proof', onSignedOut: () => undefined });
    await call('post', '/api/auth/logout', {});
    const [url, request] = sent.mock.calls[0] ?? [];
    expect(url).toBe('/api/auth/logout');
    expect(request).toMatchObject({ method: 'POST', credentials: 'same-origin', headers: { 'Accept-Language': 'ko', 'X-CSRF-Token': 'proof' } });
  });

  it('keeps the token to itself where nothing changes', async () => {
    const sent = answering(() => new Response('{"open":false}'));
    await call('get', '/api/auth/first-administrator', {});
    expect(sent.mock.calls[0]?.[1].headers).not.toHaveProperty('X-CSRF-Token');
  });

  it('tells once that nobody is signed in, and only of that', async () => {
    const heard = vi.fn<() => void>();
    surround({ language: () => 'en', csrfToken: () => null, onSignedOut: heard });
    answering(() => new Response('{"code":"login_failed","detail":"No."}', { status: 401 }));
    await call('get', '/api/auth/whoami', {});
    expect(heard).not.toHaveBeenCalled();
    answering(() => new Response('{"code":"unauthorized","detail":"Sign in."}', { status: 401 }));
    await call('get', '/api/auth/whoami', {});
    expect(heard).toHaveBeenCalledOnce();
  });

  it('without an answer is a problem, too', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')));
    expect(await call('get', '/api/auth/whoami', {})).toMatchObject({ ok: false, problem: { code: 'no_answer', status: 0 } });
  });
});

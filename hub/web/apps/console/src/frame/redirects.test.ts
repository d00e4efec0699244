import { beforeAll, describe, expect, it, vi } from 'vitest';

let redirectFor: typeof import('./redirects').redirectFor;
let pageAt: typeof import('../pages').pageAt;

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: { lang: '', dataset: {} } });
  vi.stubGlobal('navigator', { languages: ['en'] });
  vi.stubGlobal('location', { origin: 'https://hub.example', pathname: '/' });
  vi.stubGlobal('addEventListener', () => undefined);
  ({ redirectFor } = await import('./redirects'));
  ({ pageAt } = await import('../pages'));
});

describe('who is', () => {
  it.each([
    ['out', '/me/sessions', '', '/login?next=%2Fme%2Fsessions'],
    ['out', '/me/sessions', '?a=b', '/login?next=%2Fme%2Fsessions%3Fa%3Db'],
    ['out', '/', '', '/login'],
    ['out', '/login', '', null],
    ['out', '/nowhere', '', null],
    ['in', '/login', '', '/'],
    ['in', '/login', '?next=%2Fme%2Fpassword', '/me/password'],
    ['in', '/login', '?next=%2Flogin', '/'],
    ['in', '/me/password', '', null],
    // A session that ended, and a hub that does not answer, leave a page and what was typed there alone.
    ['ended', '/me/password', '', null],
    ['failed', '/me/password', '', null],
    ['asking', '/me/password', '', null],
  ] as const)('%s at %s%s belongs to %s', (state, pathname, search, to) => {
    expect(redirectFor(state, pageAt(pathname), { pathname, search })).toBe(to);
  });
});

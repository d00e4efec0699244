import { describe, expect, it, vi } from 'vitest';

const ORIGIN = 'https://hub.example';
const KNOWN = new Set(['/', '/me/sessions']);

const wantedOf = async (search: string): Promise<string> => {
  vi.stubGlobal('location', { origin: ORIGIN, pathname: '/login' });
  vi.stubGlobal('addEventListener', () => undefined);
  const { wanted } = await import('./router');
  return wanted(search, (path) => KNOWN.has(path), '/');
};

describe('the page that was wanted before the sign-in', () => {
  it.each([
    ['?next=%2Fme%2Fsessions', '/me/sessions'],
    ['?next=%2Fme%2Fsessions%3Fsort%3Dseen', '/me/sessions?sort=seen'],
    ['', '/'],
    ['?next=', '/'],
  ])('%s leads to %s', async (search, path) => {
    expect(await wantedOf(search)).toBe(path);
  });

  it.each(['//evil.example/me/sessions', '/\\evil.example/me/sessions', 'https://evil.example/', 'javascript:alert(1)', '/\t/evil.example', '/unknown', '/login', 'me/sessions'])(
    'is never elsewhere: %s',
    async (next) => {
      expect(await wantedOf(`?next=${encodeURIComponent(next)}`)).toBe('/');
    },
  );
});

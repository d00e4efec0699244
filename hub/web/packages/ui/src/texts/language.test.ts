import { beforeAll, describe, expect, it, vi } from 'vitest';

let texts: typeof import('./language');
let formats: typeof import('./formats');

beforeAll(async () => {
  vi.stubGlobal('document', { documentElement: { lang: '' } });
  vi.stubGlobal('navigator', { languages: ['fr-FR', 'ko-KR', 'en'] });
  texts = await import('./language');
  formats = await import('./formats');
});

describe('the language', () => {
  it.each([
    [['ko-KR', 'en'], 'ko'],
    [['fr-FR', 'en-GB', 'ko'], 'en'],
    [['KO'], 'ko'],
    [['kok-IN', 'fr'], 'en'],
    [[], 'en'],
  ])('of a browser with %j is %s', (languages, language) => {
    expect(texts.preferred(languages)).toBe(language);
  });

  it('is the browser’s until somebody chooses, also where nothing can be kept', () => {
    expect(texts.language.value).toBe('ko');
    texts.choose('en');
    expect(document.documentElement.lang).toBe('en');
    expect(texts.say({ ko: '홈', en: 'Home' })).toBe('Home');
    expect(texts.say({ ko: (name: string) => `${name} 님`, en: (name: string) => `Hello, ${name}` }, 'Kim')).toBe('Hello, Kim');
  });
});

describe('a time', () => {
  const now = Date.UTC(2026, 10, 30, 12);
  it.each([
    [now - 300_000, 'en', '5 minutes ago'],
    [now - 300_000, 'ko', '5분 전'],
    [now + 7_200_000, 'en', 'in 2 hours'],
    [now - 86_400_000, 'ko', '어제'],
    [now, 'en', 'now'],
  ] as const)('%i is said in %s as %s', (at, language, said) => {
    texts.choose(language);
    expect(formats.relative(new Date(at).toISOString(), now)).toBe(said);
  });

  it('within a sentence of the hub is shown by the clock of the reader', () => {
    texts.choose('en');
    const iso = '2026-11-30T10:40:26.5Z';
    expect(formats.withLocalTimes(`It ended at ${iso}.`)).toBe(`It ended at ${formats.dateTime(iso)}.`);
    expect(formats.withLocalTimes('2026-99-30T10:40:26Z')).toBe('2026-99-30T10:40:26Z');
  });
});

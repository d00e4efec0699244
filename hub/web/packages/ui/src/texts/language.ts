/** Texts in the reader's language: each with both languages side by side, so that a missing one does not compile. */

import { signal } from '@preact/signals';
import { keep, kept } from '../kept';

export const LANGUAGES = ['ko', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

/** One text in both languages; with parameters it is a function of them. */
export type Text<Parameters extends unknown[] = []> = Readonly<
  Record<Language, [] extends Parameters ? string : (...parameters: Parameters) => string>
>;

const KEY = 'language';

const isLanguage = (value: unknown): value is Language => LANGUAGES.some((language) => language === value);

/** The first of the browser's languages that there is; English without one. */
export function preferred(languages: readonly string[]): Language {
  const known = languages.map((tag) => tag.toLowerCase().split('-')[0]).find(isLanguage);
  return known ?? 'en';
}

const first = (): Language => {
  const chosen = kept(KEY);
  return isLanguage(chosen) ? chosen : preferred(navigator.languages);
};

export const language = signal<Language>(first());

language.subscribe((chosen) => {
  document.documentElement.lang = chosen;
});

export function choose(chosen: Language): void {
  language.value = chosen;
  keep(KEY, chosen);
}

/** A text in the reader's language. */
export function say(text: Text): string;
export function say<Parameters extends unknown[]>(text: Text<Parameters>, ...parameters: Parameters): string;
export function say(text: Readonly<Record<Language, string | ((...parameters: unknown[]) => string)>>, ...parameters: unknown[]): string {
  const said = text[language.value];
  return typeof said === 'string' ? said : said(...parameters);
}

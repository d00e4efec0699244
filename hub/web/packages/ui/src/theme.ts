/** Light, dark, or as the system has it. */

import { signal } from '@preact/signals';
import { keep, kept } from './kept';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'theme';

const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

const chosen = kept(KEY);

export const theme = signal<Theme>(isTheme(chosen) ? chosen : 'system');

theme.subscribe((value) => {
  document.documentElement.dataset['theme'] = value;
});

export function chooseTheme(value: Theme): void {
  theme.value = value;
  keep(KEY, value);
}

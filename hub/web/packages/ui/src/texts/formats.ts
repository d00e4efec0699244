/** Times and numbers as the reader's language writes them, in this machine's time zone. */

import { language } from './language';

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** Day and time of day, such as "30 Nov 2026, 11:42". */
export const dateTime = (iso: string): string =>
  new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(iso));

/** Time of day with seconds. */
export const timeOfDay = (at: number): string =>
  new Intl.DateTimeFormat(language.value, { timeStyle: 'medium' }).format(at);

/** How long ago, or until when, in the largest unit that fits: "5 minutes ago", "in 2 hours". */
export function relative(iso: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const [unit, length] = STEPS.find((step) => Math.abs(seconds) >= step[1]) ?? (['second', 1] as const);
  return new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }).format(Math.trunc(seconds / length), unit);
}

/** A sentence of the hub with its moments (UTC) as the reader's clock shows them; what only looks like one stays. */
export const withLocalTimes = (sentence: string): string =>
  sentence.replace(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, (iso) => (Number.isNaN(Date.parse(iso)) ? iso : dateTime(iso)));

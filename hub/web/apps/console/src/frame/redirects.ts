import { effect } from '@preact/signals';
import { signIn, type SignIn } from '@api/session';
import { go, path, wanted } from '@ui/page/router';
import { pageAt } from '../pages';
import type { Page } from './page';

const LOGIN = '/login';
const HOME = '/';

/** Where a person belongs who is at a page in the wrong state: signed out at a page of theirs, or the other way round. */
export function redirectFor(state: SignIn['state'], page: Page | undefined, place: Pick<Location, 'pathname' | 'search'>): string | null {
  if (state === 'out' && page?.audience === 'signed-in') {
    const from = place.pathname + place.search;
    return from === HOME ? LOGIN : `${LOGIN}?next=${encodeURIComponent(from)}`;
  }
  if (state === 'in' && page?.audience === 'signed-out') {
    return wanted(place.search, (target) => pageAt(target)?.audience === 'signed-in', HOME);
  }
  return null;
}

/** Send each where they belong, now and whenever that changes. */
export function keepInPlace(): void {
  effect(() => {
    const to = redirectFor(signIn.value.state, pageAt(path.value), location);
    if (to !== null) go(to, { replace: true });
  });
}

/** Where the page is. Links stay plain links: a click with a modifier, or to elsewhere, is the browser's. */

import { signal } from '@preact/signals';

export const path = signal(location.pathname);

/** Whether a page followed another one without a load, so that the browser has not told of it. */
export const hasMoved = signal(false);

addEventListener('popstate', () => arrive());

function arrive(): void {
  hasMoved.value = true;
  path.value = location.pathname;
}

/** Go to a path of this app, which may have a query. */
export function go(to: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', to);
  else history.pushState(null, '', to);
  arrive();
  scrollTo(0, 0);
}

/** Take over clicks on links to paths that `knows` knows. */
export function followLinks(knows: (path: string) => boolean): void {
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target !== '' || link.origin !== location.origin || !knows(link.pathname)) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** The path that a link to the sign-in page asks to come back to, if it is one of this app; else `otherwise`. */
export function wanted(search: string, knows: (path: string) => boolean, otherwise: string): string {
  const next = new URLSearchParams(search).get('next');
  if (next === null || !next.startsWith('/')) return otherwise;
  const target = URL.canParse(next, location.origin) ? new URL(next, location.origin) : null;
  return target !== null && target.origin === location.origin && knows(target.pathname) ? target.pathname + target.search : otherwise;
}

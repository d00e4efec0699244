/** The one polite live region: what was done, for those who do not see it. */

import { signal } from '@preact/signals';

const said = signal('');

export function announce(sentence: string): void {
  said.value = '';
  // The same sentence twice is read twice only if the region was empty in between.
  setTimeout(() => {
    said.value = sentence;
  });
}

export function Announcer() {
  return (
    <div class="unseen" aria-live="polite" role="status">
      {said}
    </div>
  );
}

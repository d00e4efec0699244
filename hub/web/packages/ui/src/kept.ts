/** What a browser keeps of a person's choices between visits. A browser that keeps nothing is no reason to fail. */

const PREFIX = 'floorhub.';

export function kept(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // Full, or forbidden: the choice counts until the page is closed.
  }
}

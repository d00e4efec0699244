/** Waiting, for what a browser does in its own time. */

const LONGEST_MS = 1_000;

const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));

/** After two frames the page has drawn what was changed before; a page that nobody sees draws none. Whether it did. */
export async function drawn(): Promise<boolean> {
  if (document.visibilityState !== 'visible') return false;
  const frames = frame()
    .then(frame)
    .then(() => document.visibilityState === 'visible');
  return Promise.race([frames, after(LONGEST_MS).then(() => false)]);
}

export const after = (delay: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, delay);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

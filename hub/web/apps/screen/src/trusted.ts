/** The one script that a page of ours starts beside itself. The page's policy forbids every other, also to itself. */

type Policy = { readonly createScriptURL: (url: string) => unknown };
type Factory = { readonly createPolicy: (name: string, rules: { createScriptURL: (url: string) => string }) => Policy };

/** What starts it, also anew; a policy can be made but once. `url`: as the build names it. */
export function workersAt(url: string): () => Worker {
  const factory = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  const policy = factory?.createPolicy('floorhub-worker', { createScriptURL: () => url });
  return () => new Worker((policy?.createScriptURL(url) ?? url) as string, { type: 'module', name: 'floorhub' });
}

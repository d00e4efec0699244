import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Nothing is drawn before the script has set theme and language, so that no page flashes in the wrong ones. */
const drawnLate: Plugin = {
  name: 'floorhub-drawn-late',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
  },
};

/** The hub that the development server takes `/api` from. */
const hub = process.env['FLOORHUB_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [drawnLate],
  resolve: { alias: { '@api': here('packages/api/src'), '@client': here('packages/client/src'), '@ui': here('packages/ui/src') } },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: URLs
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: { input: { console: here('apps/console/index.html'), screen: here('apps/screen/index.html') } },
  },
  worker: { format: 'es' },
  test: { include: ['{packages,apps}/**/*.test.ts'] },
  server: {
    proxy: Object.fromEntries(['/api', '/docs', '/openapi.json'].map((path) => [path, { target: hub, changeOrigin: true, headers: { origin: hub } }])),
  },
});

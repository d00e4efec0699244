import { pages as access } from './access/manifest';
import { pages as clients } from './clients/manifest';
import { pages as home } from './home/manifest';
import type { Page } from './frame/page';

/** All pages of the console, as their subjects declare them. */
export const PAGES: readonly Page[] = [...home, ...access, ...clients];

export const pageAt = (path: string): Page | undefined => PAGES.find((page) => page.path === path);

export const isPage = (path: string): boolean => pageAt(path) !== undefined;

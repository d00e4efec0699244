import type { Page } from '../frame/page';
import { Pair } from './pair';
import { texts } from './texts';

export const pages: readonly Page[] = [{ path: '/pair', title: texts.pair, view: Pair, audience: 'anybody' }];

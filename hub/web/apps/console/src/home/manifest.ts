import { say } from '@ui/texts/language';
import type { Page } from '../frame/page';
import { Home } from './home';
import { texts } from './texts';

export const pages: readonly Page[] = [
  { path: '/', title: texts.title, heading: (who) => say(texts.hello, who.name), view: Home, audience: 'signed-in' },
];

/** What a page calls itself, to the hub that it pairs and speaks with. */

import { version } from '../../../package.json';
import type { Agent } from './core/link';

export const AGENT: Agent = { name: 'floorhub-page', version };

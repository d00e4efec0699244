/** The worker of the screen: MQTT, journal and decisions; the page draws. */

import { serve } from '@client/serve';
import { CAPABILITIES, gate } from './actions/checks';

serve({ gate, capabilities: CAPABILITIES, path: '/mqtt' });

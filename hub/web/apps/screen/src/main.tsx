import { render } from 'preact';
import { askHub } from '@api/pairing';
import { startClient } from '@client/page';
import { AGENT } from '@client/version';
import '@ui/css/index.css';
import { actionsOf } from './actions/actions';
import { Screen } from './screen';
import { workersAt } from './trusted';
// The build makes the module.
// oxlint-disable-next-line import/default
import workerUrl from './worker?worker&url';

const client = startClient({
  makeWorker: workersAt(workerUrl),
  actions: actionsOf(AGENT.version),
  isHubThere: async () => (await askHub()).ok,
  displays: [{ index: 0, width: screen.width, height: screen.height }],
});

const place = document.querySelector('#app');
if (place !== null) render(<Screen client={client} />, place);

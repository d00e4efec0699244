import { render } from 'preact';
import { openSession } from '@api/session';
import { language } from '@ui/texts/language';
import { followLinks } from '@ui/page/router';
import '@ui/css/index.css';
import { App } from './frame/app';
import { keepInPlace } from './frame/redirects';
import { isPage } from './pages';

openSession(() => language.value);
followLinks(isPage);
keepInPlace();

const place = document.querySelector('#app');
if (place !== null) render(<App />, place);

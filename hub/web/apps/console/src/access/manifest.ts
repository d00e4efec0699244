import type { Page } from '../frame/page';
import { FirstAdministrator } from './first-administrator';
import { Login } from './login';
import { Password } from './password';
import { Sessions } from './sessions';
import { SetPassword } from './set-password';
import { texts } from './texts';

export const pages: readonly Page[] = [
  { path: '/login', title: texts.signIn, view: Login, audience: 'signed-out' },
  { path: '/first-administrator', title: texts.firstAdministrator, view: FirstAdministrator, audience: 'signed-out' },
  { path: '/set-password', title: texts.setPassword, view: SetPassword, audience: 'anybody' },
  { path: '/me/sessions', title: texts.sessions, view: Sessions, audience: 'signed-in' },
  { path: '/me/password', title: texts.password, view: Password, audience: 'signed-in' },
];

export { SignInAgain } from './sign-in-again';
export { texts } from './texts';

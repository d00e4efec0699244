import type { Text } from '@ui/texts/language';

const ended = (count: number): string => (count === 1 ? 'Signed out 1 other session.' : `Signed out ${count} other sessions.`);

export const texts = {
  signIn: { ko: '로그인', en: 'Sign in' },
  login: { ko: '로그인 이름', en: 'Sign-in name' },
  passwordField: { ko: '비밀번호', en: 'Password' },
  forgotten: {
    ko: '비밀번호를 잊었으면 관리자에게 문의하십시오.',
    en: 'Forgot your password? Ask an administrator.',
  },
  nobodyYet: { ko: '아직 관리자가 없습니다.', en: 'There is no administrator yet.' },
  howToFirst: {
    ko: '허브 데이터 폴더의 first-administrator.link 파일에 있는 일회용 링크를 열거나, 허브 컴퓨터에서 다음 명령으로 만드십시오.',
    en: 'Open the one-time link in the file first-administrator.link of the hub’s data folder, or make one on the hub’s machine:',
  },
  again: { ko: '다시 로그인하십시오', en: 'Sign in again' },
  sessionEnded: {
    ko: '로그인이 끝났습니다. 입력한 내용은 그대로 있습니다.',
    en: 'Your session has ended. What you typed is still here.',
  },
  asSomebodyElse: { ko: '다른 사용자로 로그인', en: 'Sign in as somebody else' },

  firstAdministrator: { ko: '첫 관리자 만들기', en: 'Create the first administrator' },
  aboutFirst: {
    ko: '이 계정으로 사용자를 추가하고 권한을 정합니다. 링크는 한 번만 쓸 수 있습니다.',
    en: 'With this account you add people and say what they may do. The link works once.',
  },
  name: { ko: '이름', en: 'Name' },
  nameHint: { ko: '다른 사람에게 보이는 이름입니다. 비워 두어도 됩니다.', en: 'As others see you. May stay empty.' },
  loginHint: {
    ko: '로그인할 때 입력합니다. 영문 소문자, 숫자, . _ @ + - 를 쓸 수 있습니다.',
    en: 'You type it when you sign in: a-z, 0-9 and . _ @ + -',
  },
  choosePassword: { ko: '새 비밀번호', en: 'New password' },
  passwordHint: {
    ko: '8자 이상이며 길수록 좋습니다. 서로 관계없는 단어 여러 개를 이어 써도 됩니다.',
    en: 'At least 8 characters; longer is better. A few unrelated words work well.',
  },
  makeAdministrator: { ko: '관리자 만들기', en: 'Create administrator' },
  noToken: {
    ko: '이 주소에 일회용 코드가 없습니다. 받은 링크 전체를 여십시오.',
    en: 'This address lacks its one-time code. Open the whole link that you were given.',
  },
  alreadyMade: {
    ko: '관리자가 이미 있으므로 이 링크를 더는 쓸 수 없습니다.',
    en: 'There is an administrator already, so this link does not work any more.',
  },
  toSignIn: { ko: '로그인하러 가기', en: 'Go to sign in' },

  sessions: { ko: '로그인된 기기', en: 'My sessions' },
  aboutSessions: {
    ko: '지금 로그인되어 있는 기기입니다. 모르는 기기가 있으면 로그아웃하고 비밀번호를 바꾸십시오.',
    en: 'Where you are signed in now. If you do not recognise one, sign it out and change your password.',
  },
  loading: { ko: '불러오는 중입니다 ...', en: 'Loading ...' },
  thisOne: { ko: '지금 이 기기', en: 'This device' },
  signedInAt: { ko: '로그인', en: 'Signed in' },
  lastSeen: { ko: '마지막 사용', en: 'Last used' },
  endsAt: { ko: '만료', en: 'Ends' },
  address: { ko: '주소', en: 'Address' },
  unknownAddress: { ko: '알 수 없음', en: 'Unknown' },
  signOutThere: { ko: '이 기기 로그아웃', en: 'Sign out there' },
  signOutOthers: { ko: '다른 기기 모두 로그아웃', en: 'Sign out everywhere else' },
  noOthers: { ko: '다른 기기에는 로그인되어 있지 않습니다.', en: 'You are signed in nowhere else.' },
  endedThere: { ko: '로그아웃했습니다.', en: 'Signed out there.' },
  endedOthers: { ko: (count: number) => `다른 기기 ${count}대에서 로그아웃했습니다.`, en: ended },

  password: { ko: '비밀번호 변경', en: 'Change password' },
  aboutPassword: {
    ko: '변경하려면 지금 비밀번호가 필요합니다.',
    en: 'You need your current password to change it.',
  },
  currentPassword: { ko: '현재 비밀번호', en: 'Current password' },
  repeatPassword: { ko: '비밀번호 확인', en: 'Repeat password' },
  notTheSame: { ko: '두 비밀번호가 서로 다릅니다.', en: 'The two passwords differ.' },
  save: { ko: '비밀번호 변경', en: 'Change password' },
  saved: {
    ko: '비밀번호를 변경했습니다. 다른 기기에서는 모두 로그아웃되었습니다.',
    en: 'Your password is changed. You are signed out everywhere else.',
  },

  setPassword: { ko: '비밀번호 정하기', en: 'Set your password' },
  aboutSet: {
    ko: '관리자가 보낸 링크로 비밀번호를 정합니다. 링크는 한 번만 쓸 수 있습니다.',
    en: 'An administrator gave you this link. It works once.',
  },
  nowSignIn: { ko: '비밀번호를 정했습니다. 이제 로그인하십시오.', en: 'Your password is set. Sign in with it now.' },

  device: { ko: '알 수 없는 프로그램', en: 'Unknown program' },
  browserOn: {
    ko: (browser: string, system: string) => `${system}의 ${browser}`,
    en: (browser: string, system: string) => `${browser} on ${system}`,
  },
} satisfies Record<string, Text | Text<[number]> | Text<[string, string]>>;

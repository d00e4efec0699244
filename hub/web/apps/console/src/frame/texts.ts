import type { Text } from '@ui/texts/language';

export const texts = {
  skip: { ko: '본문으로 건너뛰기', en: 'Skip to content' },
  navigation: { ko: '주 메뉴', en: 'Main' },
  home: { ko: '홈', en: 'Home' },
  account: { ko: '내 계정', en: 'My account' },
  apiReference: { ko: 'API 문서', en: 'API reference' },
  signOut: { ko: '로그아웃', en: 'Sign out' },
  asking: { ko: '불러오는 중입니다 ...', en: 'Loading ...' },
  tryAgain: { ko: '다시 시도', en: 'Try again' },
  notFound: { ko: '페이지가 없습니다', en: 'There is no such page' },
  toHome: { ko: '홈으로', en: 'Go to the home page' },
  noHub: { ko: '허브에 연결할 수 없습니다', en: 'The hub cannot be reached' },
  no_answer: {
    ko: '허브가 응답하지 않습니다. 네트워크와 허브가 실행 중인지 확인한 뒤 다시 시도하십시오.',
    en: 'The hub does not answer. Check the network and whether the hub runs, then try again.',
  },
  not_the_hub: {
    ko: '허브가 아닌 것이 응답했습니다. 허브 앞에 프록시가 있으면 그 설정을 확인한 뒤 다시 시도하십시오.',
    en: 'Something other than the hub answered. If there is a proxy in front of the hub, check it, then try again.',
  },
  roles: {
    admin: { ko: '관리자', en: 'Administrator' },
    operator: { ko: '운영자', en: 'Operator' },
    viewer: { ko: '조회자', en: 'Viewer' },
  },
} satisfies Record<string, Text | Record<string, Text>>;

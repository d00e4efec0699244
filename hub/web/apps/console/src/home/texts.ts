import type { Text } from '@ui/texts/language';

export const texts = {
  title: { ko: '홈', en: 'Home' },
  hello: { ko: (name: string) => `${name} 님, 안녕하십니까`, en: (name: string) => `Hello, ${name}` },
  you: { ko: '내 계정', en: 'Your account' },
  name: { ko: '이름', en: 'Name' },
  login: { ko: '로그인 이름', en: 'Sign-in name' },
  role: { ko: '역할', en: 'Role' },
  reach: { ko: '범위', en: 'Reach' },
  reaches: {
    all: { ko: '모든 클라이언트', en: 'All clients' },
    granted: { ko: '권한을 받은 클라이언트', en: 'The clients that were granted to you' },
  },
  mayDo: { ko: '할 수 있는 일', en: 'You may' },
  until: { ko: '로그인 만료', en: 'Signed in until' },
  works: { ko: '지금 쓸 수 있는 것', en: 'What works now' },
  aboutWorks: {
    ko: '기기와 브라우저는 floorhub pair로 만든 링크에서 연결합니다. 명령, 프린터, 클라이언트를 관리하는 페이지는 아직 없습니다. 그때까지는 다음을 쓰십시오.',
    en: 'Machines and browsers connect with a link that floorhub pair creates. Pages that manage commands, printers and clients do not exist yet; until then, use:',
  },
  api: { ko: 'API 문서', en: 'API reference' },
  aboutApi: { ko: '모든 경로를 읽고 이 브라우저에서 바로 호출해 볼 수 있습니다.', en: 'Read every route, and try it from this browser.' },
  cli: { ko: '명령줄', en: 'Command line' },
  aboutCli: { ko: '허브 컴퓨터의 터미널에서 실행하십시오.', en: 'In a terminal on the hub’s machine.' },
} satisfies Record<string, Text | Text<[string]> | Record<string, Text>>;

/** What each permission lets one do. */
export const permissions: Readonly<Record<string, Text>> = {
  read: { ko: '명령, 클라이언트, 프린터 조회', en: 'See commands, clients and printers' },
  command: { ko: '명령 전송, 취소, 재시도', en: 'Send, cancel and retry commands' },
  document: { ko: '문서 업로드', en: 'Upload documents' },
  administer: { ko: '클라이언트, 사용자, 설정 관리', en: 'Manage clients, people and settings' },
  decide: { ko: '결과를 모르는 명령의 처리 결정', en: 'Decide commands whose outcome is unknown' },
  pair: { ko: '기기 연결', en: 'Connect devices' },
  audit: { ko: '감사 기록 조회', en: 'Read the audit trail' },
};

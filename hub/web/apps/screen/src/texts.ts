import type { Text } from '@ui/texts/language';

export const texts = {
  title: { ko: '화면', en: 'Screen' },
  about: { ko: '이 브라우저', en: 'This browser' },
  id: { ko: 'ID', en: 'ID' },
  zone: { ko: '구역', en: 'Zone' },
  groups: { ko: '그룹', en: 'Groups' },
  none: { ko: '없음', en: 'None' },
  hub: { ko: '허브', en: 'Hub' },
  since: { ko: '연결된 시각', en: 'Connected since' },
  last: { ko: '마지막 명령', en: 'Last command' },
  again: { ko: (time: string) => `${time}에 저절로 다시 연결해 봅니다.`, en: (time: string) => `This page tries again at ${time}.` },
  tryNow: { ko: '지금 다시 연결', en: 'Connect now' },
  standings: {
    starting: { ko: '시작하는 중', en: 'Starting' },
    unpaired: { ko: '연결 안 됨', en: 'Not connected' },
    other_tab: { ko: '다른 탭에서 사용 중', en: 'In another tab' },
    connecting: { ko: '연결하는 중', en: 'Connecting' },
    online: { ko: '연결됨', en: 'Connected' },
    waiting: { ko: '연결 끊김', en: 'Disconnected' },
    refused: { ko: '거부됨', en: 'Refused' },
    fenced: { ko: '중지됨', en: 'Stopped' },
    asleep: { ko: '절전', en: 'Asleep' },
    gone: { ko: '저장소 지워짐', en: 'Storage cleared' },
    failed: { ko: '저장할 수 없음', en: 'Cannot store' },
    broken: { ko: '다시 시작하는 중', en: 'Restarting' },
  },
  statuses: {
    accepted: { ko: '받음', en: 'accepted' },
    started: { ko: '실행 중', en: 'running' },
    completed: { ko: '완료', en: 'completed' },
    failed: { ko: '실패', en: 'failed' },
    cancelled: { ko: '취소됨', en: 'cancelled' },
    expired: { ko: '만료됨', en: 'expired' },
    unknown: { ko: '결과 알 수 없음', en: 'unknown' },
  },
  unpaired: {
    ko: '이 브라우저는 아직 연결되지 않았습니다. 전에 연결한 적이 있다면 브라우저의 저장소가 지워진 것입니다.',
    en: 'This browser is not connected. If it was connected before, its storage was cleared.',
  },
  pair: {
    ko: '관리자에게 다음 명령으로 링크를 만들어 달라고 하고, 그 링크를 이 브라우저에서 여십시오.',
    en: 'Ask an administrator to create a link with this command, then open the link in this browser:',
  },
  lost: {
    ko: (id: string) => `이 브라우저는 ${id}이었지만, 저장소가 지워져 더 이상 연결할 수 없습니다. 지워지기 직전에 끝난 작업은 보고되지 않았을 수 있습니다.`,
    en: (id: string) => `This browser was ${id}, but its storage was cleared. What it finished just before may not have been reported.`,
  },
  pairAgain: {
    ko: '관리자에게 다음 명령으로 새 링크를 만들어 달라고 하십시오. 이름과 그룹은 그대로 남습니다.',
    en: 'Ask an administrator to create a new link with this command. Name and groups stay:',
  },
  otherTab: {
    ko: '이 브라우저는 다른 탭에서 이미 연결되어 있습니다. 그 탭을 닫으면 이 탭이 이어받습니다.',
    en: 'This browser is already connected in another tab. When you close that tab, this one takes over.',
  },
  waiting: {
    ko: '허브에 연결할 수 없어 계속 다시 시도하고 있습니다. 네트워크와 허브가 실행 중인지 확인하십시오.',
    en: 'The hub cannot be reached; this page keeps trying. Check the network, and whether the hub runs.',
  },
  refused: {
    ko: '허브가 이 브라우저를 거부합니다. 비활성화되었거나 삭제되었거나, 다른 기기가 이 자리에 연결되었습니다. 관리자에게 알리십시오. 비활성화되었으면 다음 명령으로 먼저 활성화해야 합니다.',
    en: 'The hub refuses this browser: it was disabled or deleted, or another machine took its place. Tell an administrator. If it was disabled, it must be enabled first, with this command:',
  },
  refusedStill: {
    ko: '그래도 거부되면 관리자에게 다음 명령으로 새 링크를 만들어 달라고 하고, 그 링크를 이 브라우저에서 여십시오. 삭제된 ID에는 새 링크를 만들 수 없으니 다른 ID를 쓰십시오.',
    en: 'If it is still refused, ask for a new link with this command, and open the link in this browser. A deleted ID gets no new link; use another ID.',
  },
  fenced: {
    ko: '같은 ID를 쓰는 다른 브라우저나 기기가 있어 허브가 이 브라우저를 멈추게 했습니다. 관리자에게 알리십시오.',
    en: 'Another browser or machine uses the same identity, so the hub has stopped this one. Tell an administrator.',
  },
  failed: {
    ko: '브라우저가 아무것도 저장하지 못해 명령을 실행하지 않습니다. 기기의 저장 공간을 확보하면 저절로 다시 시작합니다.',
    en: 'The browser cannot store anything, so no command is carried out. Free some space on the device; this page then starts again by itself.',
  },
  broken: {
    ko: '이 페이지에서 허브와 통신하는 부분이 시작되지 않았거나 멈추었습니다. 저절로 다시 시작합니다.',
    en: 'The part of this page that talks to the hub did not start, or has stopped. It starts again by itself.',
  },
  distrusts: {
    ko: (code: string) => `허브의 서명을 확인할 수 없어 명령을 실행하지 않습니다(${code}). 관리자에게 알리십시오.`,
    en: (code: string) => `The hub’s signatures cannot be verified, so no command is carried out (${code}). Tell an administrator.`,
  },
} satisfies Record<string, Text | Text<[string]> | Record<string, Text>>;

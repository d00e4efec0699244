import type { Text } from '@ui/texts/language';

export const texts = {
  pair: { ko: '기기 연결', en: 'Connect a machine' },
  loading: { ko: '불러오는 중입니다 ...', en: 'Loading ...' },

  aboutCode: {
    ko: '받은 링크 전체를 열거나 코드를 입력하십시오. 코드가 어떤 기기에 쓰이는지 보여 주며, 입력해도 코드가 사용되지는 않습니다.',
    en: 'Open the whole link that you were given, or type the code. You will see which machine the code is for; this does not use the code.',
  },
  code: { ko: '코드', en: 'Code' },
  codeHint: { ko: '8자입니다. 예: 7KQ4-M2XD', en: '8 characters, such as 7KQ4-M2XD' },
  show: { ko: '확인', en: 'Show the machine' },
  typeCode: { ko: '코드 직접 입력', en: 'Type a code' },

  machine: { ko: '기기', en: 'Machine' },
  id: { ko: 'ID', en: 'ID' },
  name: { ko: '이름', en: 'Name' },
  kind: { ko: '종류', en: 'Kind' },
  kinds: {
    printer_pc: { ko: '프린터 PC', en: 'Printer PC' },
    pda: { ko: 'PDA', en: 'PDA' },
    kiosk: { ko: '키오스크', en: 'Kiosk' },
    screen: { ko: '화면', en: 'Screen' },
    other: { ko: '기타', en: 'Other' },
  },
  anyKind: { ko: '기기가 알리는 종류', en: 'As the machine says' },
  zone: { ko: '구역', en: 'Zone' },
  groups: { ko: '그룹', en: 'Groups' },
  none: { ko: '없음', en: 'None' },
  madeBy: { ko: '만든 사람', en: 'Created by' },
  until: { ko: '유효 기한', en: 'Valid until' },
  replaces: {
    ko: '이 ID의 클라이언트는 이미 있습니다. 새 기기를 연결하면 지금 쓰는 기기의 연결은 끊어집니다.',
    en: 'A client with this ID exists. When the new machine connects, the machine that it has now is disconnected.',
  },
  otherClient: {
    ko: (named: string) => `이 주소는 ${named}을(를) 가리키지만, 코드는 아래 기기에 쓰이는 것입니다. 링크를 준 사람에게 확인하십시오.`,
    en: (named: string) => `The address names ${named}, but the code is for the machine below. Ask whoever gave you the link.`,
  },

  hub: { ko: '허브', en: 'Hub' },
  address: { ko: '주소', en: 'Address' },
  authority: { ko: '인증 기관 지문', en: 'CA fingerprint' },
  trusted: { ko: '없음. 시스템이 신뢰하는 인증서를 사용합니다.', en: 'None: systems trust its certificate.' },
  otherHub: {
    ko: '링크의 지문이 이 허브의 인증 기관과 다릅니다. 이 링크로 기기를 연결하지 마십시오. 새 링크를 받으십시오. 다시 다르면 중간에서 누군가 통신을 가로챌 수 있으니 관리자에게 알리십시오.',
    en: 'The fingerprint in the link is not that of this hub’s certificate authority. Do not connect a machine with this link; ask for another link. If it differs again, somebody may stand between you and the hub: tell your administrator.',
  },
  ofLink: { ko: '링크의 지문', en: 'Fingerprint in the link' },

  toDo: { ko: '기기에서 할 일', en: 'On the machine' },
  install: {
    ko: '연결할 기기에 floorhub-agent를 설치하십시오.',
    en: 'Install floorhub-agent on the machine that you want to connect.',
  },
  run: { ko: '그 기기에서 다음 명령을 실행하십시오.', en: 'Run this command there:' },
  where: {
    ko: 'floorhub-agent를 찾을 수 없다고 나오면 설치한 경로로 실행하십시오(예: /opt/floorhub/bin/floorhub-agent). agent.toml은 현재 폴더에 만들어집니다. 다른 위치에 만들려면 --config /etc/floorhub/agent.toml처럼 지정하십시오.',
    en: 'If floorhub-agent is not found, write the path where it is installed, such as /opt/floorhub/bin/floorhub-agent. The command writes agent.toml into the current folder; for another place, add for example --config /etc/floorhub/agent.toml.',
  },
  numbers: {
    ko: '기기에 여섯 자리 숫자가 표시되면, 코드를 만든 사람이 보는 숫자와 비교하게 하십시오.',
    en: 'If it shows six digits, compare them with those that whoever created the code sees.',
  },
  copy: { ko: '명령 복사', en: 'Copy the command' },
  secret: {
    ko: '명령에는 비밀이 들어 있습니다. 유효 기한까지는 이 명령을 가진 사람은 누구나 기기를 연결할 수 있습니다.',
    en: 'The command contains a secret. Until it expires, whoever has it can connect a machine.',
  },
  thisBrowser: { ko: '이 브라우저 연결', en: 'Connect this browser' },
  connectHere: { ko: '이 브라우저 연결하기', en: 'Connect this browser now' },
  tryAgain: { ko: '다시 시도', en: 'Try again' },
  number: { ko: '링크 번호', en: 'Number of the link' },
  compare: {
    ko: '링크를 만든 곳에도 같은 번호가 표시됩니다. 다르면 연결하지 마십시오.',
    en: 'The same number is shown where the link was made. If it differs, do not connect.',
  },
  oneTap: {
    ko: '연결하면 이 브라우저가 위의 기기가 됩니다. 허브의 명령을 받으며, 다시 열어도 연결이 유지됩니다.',
    en: 'This browser then is the machine above: it takes the hub’s commands, and stays connected when it is opened again.',
  },
  notPrivate: {
    ko: '시크릿 창에서는 연결하지 마십시오. 창을 닫으면 이 브라우저가 어느 기기인지 잊으며, 링크는 이미 사용된 뒤입니다.',
    en: 'Do not connect a private window: when you close it, it forgets which machine it is, and the link is used up.',
  },
  isAlready: {
    ko: '이 브라우저는 이미 이 기기로 연결되어 있습니다. 다시 연결하면 새 키를 받습니다.',
    en: 'This browser is this machine already. Connecting it again gives it a new key.',
  },
  usedHere: {
    ko: (clientId: string) => `이 브라우저는 이 링크로 이미 연결되었습니다(${clientId}).`,
    en: (clientId: string) => `This browser is already connected as ${clientId}, with this link.`,
  },
  openScreen: { ko: '화면 열기', en: 'Open its page' },
  wasOther: {
    ko: (before: string) => `이 브라우저는 지금 ${before}입니다. 여기서 연결하면 더 이상 ${before}이(가) 아닙니다.`,
    en: (before: string) => `This browser is ${before} now. If you connect it here, it is ${before} no longer.`,
  },
  mayNot: {
    ko: '이 브라우저에 로그인한 사람에게 기기를 연결할 권한이 없습니다. 링크를 만든 사람에게 요청하십시오. 기기로만 쓰는 브라우저라면 로그아웃한 뒤 링크를 다시 여십시오.',
    en: 'Whoever is signed in with this browser may not connect machines. Ask the person who made the link. If this browser is only a machine, sign out and open the link again.',
  },
  byAgent: { ko: '브라우저 대신 floorhub-agent로 연결', en: 'Use floorhub-agent instead of a browser' },
  untilTap: {
    ko: '단추를 누르기 전에는 아무것도 바뀌지 않습니다.',
    en: 'Nothing changes until you press the button.',
  },
  obstacles: {
    no_https: {
      ko: '이 주소로는 브라우저를 연결할 수 없습니다. 허브의 https:// 주소로 링크를 여십시오. 그런 주소가 없으면 관리자에게 네트워크 연결(LAN)을 켜 달라고 하십시오.',
      en: 'A browser cannot be connected at this address. Open the link at the hub’s https:// address; if there is none, ask an administrator to open the hub to the network.',
    },
    insecure: {
      ko: '브라우저가 이 주소의 인증서를 신뢰하지 않아 연결에 필요한 기능을 막고 있습니다. 먼저 /trust의 안내대로 인증서를 설치하십시오.',
      en: 'The browser does not trust the certificate of this address, and withholds what is needed. Install the certificate first, as /trust says.',
    },
    storage: {
      ko: '이 브라우저에는 IndexedDB와 Worker가 없습니다. 최신 Chrome, Edge, Firefox, Safari를 사용하십시오.',
      en: 'This browser has no IndexedDB or no workers. Use a current Chrome, Edge, Firefox or Safari.',
    },
    locks: {
      ko: '이 브라우저에는 Web Locks가 없습니다. 최신 Chrome, Edge, Firefox, Safari를 사용하십시오.',
      en: 'This browser has no Web Locks. Use a current Chrome, Edge, Firefox or Safari.',
    },
    ed25519: {
      ko: '이 브라우저는 Ed25519 키를 만들 수 없습니다. Chrome·Edge 137, Firefox 129, Safari 17 이상을 사용하십시오.',
      en: 'This browser cannot make Ed25519 keys. Use Chrome or Edge 137, Firefox 129, Safari 17, or newer.',
    },
    no_edge: {
      ko: '이 주소의 /mqtt에 연결할 수 없습니다. 코드는 아직 사용되지 않았습니다. 관리자에게 edge 프로세스가 실행 중인지, 프록시가 WebSocket을 전달하는지 확인해 달라고 하십시오.',
      en: 'Nothing answers at /mqtt of this address; the code is not used up. Ask an administrator whether the edge process runs, and whether proxies pass WebSockets on.',
    },
    no_store: {
      ko: '브라우저가 아무것도 저장하지 못합니다. 시크릿 창이 아닌지, 저장 공간이 남아 있는지 확인하십시오.',
      en: 'The browser cannot store anything. Use no private window, and check that the device has free space.',
    },
  },
  notHere: {
    ko: '이 페이지는 아무것도 바꾸지 않으며, 이 브라우저를 연결하지도 않습니다.',
    en: 'This page changes nothing, and it does not connect this browser.',
  },
} satisfies Record<string, Text | Text<[string]> | Record<string, Text>>;

"""The sentences for what a check found: the problem and its remedy, in English and Korean."""

from schemas.findings import Findings
from schemas.terminal import shows_korean


def in_language(code: str, **values: object) -> str:
    """A sentence in the language of this machine."""
    return SENTENCES[code][shows_korean()].format(**{name: str(value) for name, value in values.items()})


SENTENCES: dict[str, tuple[str, str]] = {
    "config_ok": ("{path} is complete.", "{path}: 빠진 설정이 없습니다."),
    "config_unreadable": (
        "{path} cannot be read ({problem}). Pass the right file with --config, or run this as the agent's user.",
        "{path} 파일을 읽을 수 없습니다({problem}). --config로 올바른 파일을 지정하거나 에이전트 사용자로 "
        "실행하십시오.",
    ),
    "config_not_text": ("{path}: {problem}.", "{path}: {problem}."),
    "config_not_private": (
        "Others can read the secret in {path}, so the agent refuses to start. Run: chmod 600 {path}",
        "다른 사용자가 {path}의 비밀 값을 읽을 수 있어 에이전트가 시작되지 않습니다. 실행하십시오: chmod 600 {path}",
    ),
    "config_invalid": (
        "The configuration is wrong: {problem}. Correct this key.",
        "설정이 잘못되었습니다: {problem}. 이 항목을 고치십시오.",
    ),
    "data_ok": ("{folder} is writable.", "{folder} 폴더에 쓸 수 있습니다."),
    "data_unwritable": (
        "The data folder {folder} is not writable ({problem}). Set `data` to a folder of the agent's user.",
        "데이터 폴더 {folder}에 쓸 수 없습니다({problem}). `data`를 에이전트 사용자가 쓸 수 있는 폴더로 지정하십시오.",
    ),
    "space_ok": ("{free_mib} MiB are free.", "{free_mib} MiB의 여유 공간이 있습니다."),
    "disk_low": (
        "Only {free_mib} MiB are free. The agent stores up to 500 MiB of documents. Free space soon.",
        "여유 공간이 {free_mib} MiB뿐입니다. 에이전트는 문서를 500 MiB까지 보관합니다. 곧 공간을 확보하십시오.",
    ),
    "disk_full": (
        "Only {free_mib} MiB are free, which may not be enough for one document. Free space on the disk of {folder}.",
        "여유 공간이 {free_mib} MiB로 문서 하나를 받기에도 부족합니다. {folder}의 디스크에 공간을 확보하십시오.",
    ),
    "journal_ok": (
        "The journal is intact: {unfinished} unfinished commands, {waiting} reports wait for the hub.",
        "저널이 온전합니다: 끝나지 않은 명령 {unfinished}건, 허브를 기다리는 보고 {waiting}건.",
    ),
    "journal_new": (
        "There is no journal yet: the first start creates one.",
        "아직 저널이 없습니다. 처음 시작할 때 만들어집니다.",
    ),
    "journal_in_use": (
        "An agent is running with this journal (process {process}).",
        "이 저널을 쓰는 에이전트가 실행 중입니다(프로세스 {process}).",
    ),
    "journal_damaged": (
        "The journal {file} is damaged ({problem}). Check the disk, then start the agent: it moves the journal aside "
        "and begins a new one. Unfinished commands become `unknown` at the hub: check the devices and decide each "
        "command (docs/how-to/operate.md, section about damaged journals).",
        "저널 {file}이(가) 손상되었습니다({problem}). 디스크를 점검한 뒤 에이전트를 시작하십시오. 에이전트가 저널을 "
        "다른 이름으로 옮기고 새 저널을 만듭니다. 진행 중이던 명령은 허브에서 `unknown`이 되므로 장치를 확인하고 "
        "하나씩 "
        "결정하십시오(docs/how-to/operate.md의 손상된 저널 항목).",
    ),
    "journal_newer": (
        "A newer agent wrote the journal {file} (version {newer}; this agent reads up to {known}), so this agent does "
        "not start: without the journal it could repeat finished commands. Install the newer agent again. To keep "
        "this version, follow docs/how-to/roll-back.md first.",
        "더 새로운 에이전트가 저널 {file}을(를) 기록했습니다(버전 {newer}, 이 에이전트는 {known}까지 읽습니다). 저널 "
        "없이는 이미 끝난 명령을 다시 수행할 수 있으므로 이 에이전트는 시작하지 않습니다. 새 버전의 에이전트를 다시 "
        "설치하십시오. 이 버전을 쓰려면 먼저 docs/how-to/roll-back.md를 따르십시오.",
    ),
    "journal_unreadable": (
        "The journal {file} cannot be read ({problem}). Make the agent's user the owner of the file and its folder.",
        "저널 {file}을(를) 읽을 수 없습니다({problem}). 파일과 폴더의 소유자를 에이전트 사용자로 바꾸십시오.",
    ),
    "hub_ok": ("The hub answers at {url}.", "{url}의 허브가 응답합니다."),
    "hub_name": ("{url}: {advice}", "{url}: {advice}"),
    "hub_unreachable": (
        "No hub answers at {url} ({problem}). Check hub_url, the network, and whether the hub is running.",
        "{url}에서 허브가 응답하지 않습니다({problem}). hub_url과 네트워크, 허브의 실행 여부를 확인하십시오.",
    ),
    "hub_certificate": (
        "{url} shows a certificate that is not trusted ({problem}). Set ca_file to the hub's certificate authority.",
        "{url}의 인증서를 신뢰할 수 없습니다({problem}). ca_file에 허브의 인증 기관을 지정하십시오.",
    ),
    "hub_not_now": (
        "{url} shows a certificate that is not valid now. {advice}",
        "{url}의 인증서가 지금은 유효하지 않습니다. {advice}",
    ),
    "hub_other": (
        "The server at {url} is not a hub ({problem}). Correct hub_url.",
        "{url}에서 응답하는 것은 허브가 아닙니다({problem}). hub_url을 고치십시오.",
    ),
    "clock_ok": (
        "This machine's clock and the hub's differ by at most {duration}.",
        "이 컴퓨터의 시계와 허브의 시계 차이는 최대 {duration_ko}입니다.",
    ),
    "clock_wrong": (
        "This machine's clock is {duration} {direction} the hub's. Switch time synchronisation (NTP) on.",
        "이 컴퓨터의 시계가 허브보다 {duration_ko} {direction_ko}. 시간 동기화(NTP)를 켜십시오.",
    ),
    "clock_unknown": ("The hub does not send its time.", "허브가 시각을 알려 주지 않습니다."),
    "broker_ok": ("The broker can be reached at {address}.", "{address}의 브로커에 연결할 수 있습니다."),
    "broker_refuses_certificate": ("{address}: {advice}", "{address}: {advice}"),
    "broker_name": ("{address}: {advice}", "{address}: {advice}"),
    "broker_unreachable": (
        "No broker can be reached at {address} ({problem}). Check mqtt_url, the network, and whether the broker is "
        "running.",
        "{address}의 브로커에 연결할 수 없습니다({problem}). mqtt_url과 네트워크, 브로커의 실행 여부를 확인하십시오.",
    ),
    "broker_certificate": (
        "{address} shows a certificate that is not trusted ({problem}). Set ca_file to the broker's certificate "
        "authority.",
        "{address}의 인증서를 신뢰할 수 없습니다({problem}). ca_file에 브로커의 인증 기관을 지정하십시오.",
    ),
    "broker_not_now": (
        "{address} shows a certificate that is not valid now. {advice}",
        "{address}의 인증서가 지금은 유효하지 않습니다. {advice}",
    ),
    "account_ok": (
        "The broker accepts this client, and only under its own id.",
        "브로커가 이 클라이언트를 자기 id로만 받아들입니다.",
    ),
    "account_in_use": (
        "Not checked, because the running agent uses the connection. Its log shows the state.",
        "확인하지 않았습니다. 실행 중인 에이전트가 연결을 쓰고 있으며, 상태는 에이전트의 로그에 있습니다.",
    ),
    "account_refused": (
        "The broker refuses {client_id} ({reason}). Check that the client is active in the hub, and that the "
        "configuration has its current secret.",
        "브로커가 {client_id}를 거부합니다({reason}). 허브에서 클라이언트가 활성인지, "
        "설정의 비밀 값이 최신인지 확인하십시오.",
    ),
    "account_unclear": (
        "The broker at {address} does not speak MQTT 5 as expected ({problem}). Check mqtt_url and the broker's log.",
        "{address}의 브로커가 MQTT 5로 정상 응답하지 않습니다({problem}). mqtt_url과 브로커의 로그를 확인하십시오.",
    ),
    "client_id_not_pinned": (
        "The broker lets {client_id} connect under another client id, so any client could take over another client's "
        "connection. Use the rules that `floorhub broker render` writes.",
        "브로커가 {client_id}를 다른 클라이언트 id로도 받아들여, 어느 클라이언트든 남의 연결을 빼앗을 수 있습니다. "
        "`floorhub broker render`가 만드는 규칙을 쓰십시오.",
    ),
    "keys_ok": (
        "The hub's keys are signed by the pinned root key (list {version}, until {expires}).",
        "허브의 키가 고정된 루트 키로 서명되어 있습니다(목록 {version}, {expires}까지).",
    ),
    "root_key_wrong": (
        "The hub's keys are not signed by root_key, so the agent would obey no command. Write this hub's root key "
        "into the "
        "configuration; `floorhub key show` on the hub's machine shows it (root).",
        "허브의 키가 root_key로 서명되지 않아 어떤 명령도 수행하지 않습니다. 이 허브의 루트 키를 설정에 넣으십시오. "
        "허브가 있는 컴퓨터에서 `floorhub key show`를 실행하면 root 행에 나옵니다.",
    ),
    "keys_refused": (
        "The running agent refuses the hub's messages ({reason}). Compare its root_key with `floorhub key show` on "
        "the hub's machine (root). If they agree, check the hub's clock and restart the hub: it signs a newer "
        "list.",
        "실행 중인 에이전트가 허브의 서명을 거부하고 있습니다({reason}). 허브가 있는 컴퓨터에서 `floorhub key "
        "show`의 root 행과 root_key를 비교하십시오. 같으면 허브의 시계를 확인하고 허브를 다시 시작하십시오. "
        "새 목록에 서명합니다.",
    ),
    "keys_unusable": (
        "The hub's list of keys cannot be used ({problem}). Restart the hub: it signs a new list.",
        "허브의 키 목록을 쓸 수 없습니다({problem}). 허브를 다시 시작하면 새 목록에 서명합니다.",
    ),
    "keys_missing": (
        "The broker has no list of keys: no hub has connected to it. Check the hub's FLOORHUB_MQTT_URL and its log.",
        "브로커에 키 목록이 없습니다. 허브가 이 브로커에 연결한 적이 없습니다. "
        "허브의 FLOORHUB_MQTT_URL과 로그를 확인하십시오.",
    ),
    "printer_none": ("No printer is configured.", "설정된 프린터가 없습니다."),
    "printer_ok": ("{name} answers and prints PDF.", "{name}: 응답하며 PDF를 인쇄할 수 있습니다."),
    "printer_raw_ok": (
        "{name} accepts connections; raw printers report nothing more.",
        "{name}: 연결을 받습니다. 원시(raw) 프린터는 그 이상을 알려 주지 않습니다.",
    ),
    "printer_folder_ok": ("{name} writes to {folder}.", "{name}: {folder}에 씁니다."),
    "printer_attention": (
        "{name} reports {reasons}: jobs may have to wait until someone fixes it.",
        "{name}: {reasons} 상태입니다. 조치할 때까지 작업이 기다릴 수 있습니다.",
    ),
    "printer_unreachable": (
        "{name} cannot be reached at {uri} ({problem}). Switch it on, or correct its uri.",
        "{name}: {uri}에 연결할 수 없습니다({problem}). 프린터를 켜거나 uri를 고치십시오.",
    ),
    "printer_refuses": (
        "{name} answers at {uri}, but refuses the request ({problem}). Correct its uri, or allow this machine at the "
        "printer.",
        "{name}: {uri}에서 응답하지만 거절합니다({problem}). uri를 고치거나 프린터에서 이 장치를 허용하십시오.",
    ),
    "printer_no_pdf": (
        "{name} does not print PDF, only {formats}. Use a CUPS queue for it, or send a format that it prints.",
        "{name}: PDF를 인쇄하지 못하고 {formats}만 인쇄합니다. CUPS 큐를 거치거나 지원하는 형식으로 보내십시오.",
    ),
    "printer_stopped": (
        "{name} accepts no jobs ({problem}). Make the printer or its queue accept jobs again.",
        "{name}: 작업을 받지 않습니다({problem}). 프린터나 큐에서 다시 작업을 받도록 하십시오.",
    ),
    "printer_folder_unwritable": (
        "{name}: the folder {folder} is not writable ({problem}). Create it, and make the agent's user its owner.",
        "{name}: {folder} 폴더에 쓸 수 없습니다({problem}). 폴더를 만들고 소유자를 에이전트 사용자로 바꾸십시오.",
    ),
    "action_ok": ("{action} runs {program}.", "{action}: {program}을(를) 실행합니다."),
    "program_missing": (
        "{action}: there is no program {program}. Install it, or correct argv.",
        "{action}: {program} 프로그램이 없습니다. 설치하거나 argv를 고치십시오.",
    ),
    "program_not_executable": (
        "{action}: {program} is not executable. Run: chmod +x {program}",
        "{action}: {program}을(를) 실행할 권한이 없습니다. 실행하십시오: chmod +x {program}",
    ),
    "action_folder_missing": (
        "{action}: its folder {folder} is not accessible. Create it, or correct cwd.",
        "{action}: {folder} 폴더에 들어갈 수 없습니다. 폴더를 만들거나 cwd를 고치십시오.",
    ),
}

_FINDINGS = Findings(SENTENCES)
ok, warn, fail = _FINDINGS.ok, _FINDINGS.warn, _FINDINGS.fail

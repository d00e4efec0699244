"""Korean of what arguments and options mean."""

OPTIONS: dict[str, str] = {
    # --- everywhere
    "Show the version and exit.": "버전을 표시하고 끝냅니다.",
    "Install completion for the current shell.": "현재 셸에 자동 완성을 설치합니다.",
    "Show completion for the current shell, to copy it or customize the installation.": (
        "현재 셸의 자동 완성 스크립트를 표시합니다."
    ),
    "Show this message and exit.": "이 도움말을 표시하고 끝냅니다.",
    "table (default), json or yaml.": "table(기본값), json, yaml.",
    "Short for -o json.": "-o json과 같습니다.",
    "Rows to show; 0: all.": "표시할 줄 수. 0이면 모두.",
    "Sort the rows by a field of -o json; -FIELD: reversed.": "-o json의 필드로 정렬합니다. -FIELD는 역순.",
    "Leave the line of headings out.": "제목 줄을 표시하지 않습니다.",
    "Created since: 2h, 3d, today, 2026-11-29 or 2026-11-29T08:00.": (
        "이때부터 생성된 것: 2h, 3d, today, 2026-11-29, 2026-11-29T08:00."
    ),
    "Created until; written like --since.": "이때까지 생성된 것. --since처럼 씁니다.",
    "Do not ask.": "묻지 않습니다.",
    "Where to write the files.": "파일을 쓸 폴더.",
    "Such as: client list.": "예: client list.",
    "The shell that completes the words.": "자동 완성할 셸.",
    # --- this machine
    "Print one page and stop; exit with 0 if it was printed.": (
        "한 페이지를 인쇄하고 멈춥니다. 인쇄되면 0으로 끝납니다."
    ),
    "The database to bring up to date.": "최신으로 맞출 데이터베이스.",
    "The hub's database.": "허브의 데이터베이스.",
    "The hub's database; default: that of `make run`.": "허브의 데이터베이스. 기본값: `make run`의 것.",
    "The hub's data folder.": "허브의 데이터 폴더.",
    "Only say what would be deleted now.": "지금 삭제될 것만 알려 줍니다.",
    "An API key, by id or prefix; or a key of this hub: admin (the administrator's API key), command (signs "
    "messages), root (agents pin it), data (seals secrets), audit (seals the audit trail).": (
        "API 키의 id나 prefix. 또는 이 허브의 키: admin(관리자의 API 키), command(메시지에 서명), "
        "root(에이전트가 신뢰), data(비밀 값을 암호화), audit(감사 기록을 봉인)."
    ),
    "For an API key: how long the old one stays valid; default 24h, 0s: not.": (
        "API 키: 이전 키가 유효한 기간. 기본값 24h, 0s이면 바로 끝납니다."
    ),
    # --- integrations, keys, grants, access
    "Its name; must be unique.": "이름. 중복될 수 없습니다.",
    "order-system, wms or monitoring: role, permissions and actions that fit.": (
        "order-system, wms, monitoring: 알맞은 역할, 권한, 동작."
    ),
    "What it may do at most: admin, operator or viewer.": "최대 권한: admin, operator, viewer.",
    "granted: the clients of its grants; all: every client.": "granted: 접근 허용된 클라이언트, all: 모든 클라이언트.",
    "The clients of a group; may be given several times.": "그룹의 클라이언트. 여러 번 쓸 수 있습니다.",
    "The clients of a zone; may be given several times.": "구역의 클라이언트. 여러 번 쓸 수 있습니다.",
    "Every client, also those that come later.": "나중에 추가되는 것까지 모든 클라이언트.",
    "Only this action; may be given several times.": "이 동작만. 여러 번 쓸 수 있습니다.",
    "Only to see, not to command.": "조회만 허용하고 명령은 허용하지 않습니다.",
    "What the key may do: read, command, document, ...; may be given several times.": (
        "키의 권한: read, command, document 등. 여러 번 쓸 수 있습니다."
    ),
    "An address or network that the key may be used from; may be given several times.": (
        "키를 쓸 수 있는 주소나 네트워크. 여러 번 쓸 수 있습니다."
    ),
    "When the key ends: 90d, 2027-01-31 or 2027-01-31T08:00.": "키의 만료: 90d, 2027-01-31, 2027-01-31T08:00.",
    "A name of the key, such as where it is used.": "키의 이름. 예: 쓰이는 곳.",
    "Create no key yet.": "키는 아직 만들지 않습니다.",
    "Name or id of an integration.": "연동 시스템의 이름이나 id.",
    "Its new name.": "새 이름.",
    "Name or id of an integration or a user.": "연동 시스템이나 사용자의 이름 또는 id.",
    "Only of this integration or user, by name or id.": "이 연동 시스템이나 사용자의 것만. 이름이나 id.",
    "Only those that mean this client.": "이 클라이언트에 해당하는 것만.",
    "Id of a grant.": "접근 허용의 id.",
    "An integration or a user, by name or id.": "연동 시스템이나 사용자의 이름 또는 id.",
    "A key, by id or prefix.": "키의 id나 prefix.",
    "A client's id.": "클라이언트의 id.",
    "An action; without it, any.": "동작. 없으면 어느 것이든.",
    "read or command; default: command with --action, else read.": (
        "read나 command. 기본값: --action이 있으면 command, 없으면 read."
    ),
    "Also people whose data was erased.": "데이터를 지운 사람도.",
    "Also keys that expired or were revoked.": "만료되거나 폐기된 키도.",
    "Only keys that were not used since: 90d or 2026-09-01.": "이때부터 쓰이지 않은 키만: 90d, 2026-09-01.",
    "Id or prefix of a key.": "키의 id나 prefix.",
    "For root: really replace it, otherwise only say what it means. For data: give up keys that are lost.": (
        "root: 실제로 교체합니다. 없으면 무슨 뜻인지만 알려 줍니다. data: 잃어버린 키를 포기합니다."
    ),
    "Really do it; otherwise only say what it means.": "실제로 실행합니다. 없으면 무슨 뜻인지만 알려 줍니다.",
    # --- doctor, backup, restore, support bundle
    "The new file; it is as secret as the keys.": "새 파일. 키만큼 비밀로 보관해야 합니다.",
    "Include the hub's certificate authority and its key.": "허브의 인증 기관과 그 키를 백업에 넣습니다.",
    "Serve other machines, with TLS, at this address; 0.0.0.0: at every one.": (
        "이 주소에서 TLS로 다른 기기에도 서비스합니다. 0.0.0.0이면 모든 주소입니다."
    ),
    "Leave the archive folder out.": "보관 폴더를 백업에서 뺍니다.",
    "Folder of pg_dump and pg_restore.": "pg_dump와 pg_restore가 있는 폴더.",
    "A file that `floorhub backup` wrote, and that you trust.": "`floorhub backup`이 만든, 신뢰할 수 있는 파일.",
    "Replace existing data; the old data is kept.": "기존 데이터를 교체합니다. 기존 데이터는 따로 보관됩니다.",
    "The new file, for example bundle.tar.gz.": "새 파일. 예: bundle.tar.gz.",
    # --- sending and printing
    "The client's id.": "클라이언트의 id.",
    "The command's id.": "명령의 id.",
    "print, status, or a site's own action.": "print, status 또는 현장의 동작.",
    "The payload as JSON.": "JSON 형식의 내용(payload).",
    "A document to upload and name in the payload.": "업로드해서 payload에 넣을 문서.",
    "The file's type; default: by its bytes, then its ending.": "파일의 형식. 기본값: 내용과 확장자로 판단.",
    "10 is the most urgent.": "10이 가장 급합니다.",
    "Your order number.": "주문 번호 등 참조 번호.",
    "If the client is not online: queue (default), or fail.": (
        "클라이언트가 온라인이 아닐 때: queue(대기, 기본값), fail(실패)."
    ),
    "How long the effect may wait to begin: 90, 15m, 2h, 1w.": "이 시간 안에 실행을 시작해야 합니다: 90, 15m, 2h, 1w.",
    "Commands of a client with the same key run in order.": "같은 클라이언트에서 키가 같은 명령은 순서대로 실행됩니다.",
    "Not earlier than: 15m, 2h, tomorrow or 2026-11-30T08:00.": (
        "이때부터 실행합니다: 15m, 2h, tomorrow, 2026-11-30T08:00."
    ),
    "After a crash in the middle: rerun, or unknown (default).": (
        "실행 중에 중단되었을 때: rerun(다시 실행), unknown(결과 불명, 기본값)."
    ),
    "A tag of the command, to find it by; may be given several times.": (
        "명령을 찾을 때 쓸 태그. 여러 번 쓸 수 있습니다."
    ),
    "How long to wait for the end; 0: do not wait.": "끝날 때까지 기다릴 시간(초). 0이면 기다리지 않습니다.",
    "Idempotency-Key; default: a new one.": "Idempotency-Key. 기본값: 새로 만듦.",
    "The file to print; omit it with --test-page.": "인쇄할 파일. --test-page를 쓰면 생략합니다.",
    "The client; default: the only one that is online.": "클라이언트. 기본값: 온라인인 유일한 것.",
    "Its printer; default: its default or only one.": ("그 클라이언트의 프린터. 기본값: 기본 프린터 또는 유일한 것."),
    "Print a test page with the time and the printer.": "시각과 프린터가 적힌 시험 페이지를 인쇄합니다.",
    "How many copies.": "부수.",
    "Default: the printer's setting.": "기본값: 프린터의 설정대로.",
    "Which pages, such as 1-3,5,8-; default: all.": "인쇄할 페이지. 예: 1-3,5,8-. 기본값: 전체.",
    "Several copies: each complete, or page by page.": "여러 부일 때 한 부씩, 또는 페이지별로 인쇄합니다.",
    "a4, letter, or a name such as iso_a4_210x297mm.": "용지: a4, letter 또는 iso_a4_210x297mm 같은 이름.",
    "The tray, as the printer calls it: tray-1, manual, ...": "프린터가 쓰는 용지함 이름: tray-1, manual 등.",
    "Scale to the paper, or keep the size.": "용지에 맞춰 조정하거나 원래 크기로 인쇄합니다.",
    "Pages on each side, such as 2 or 4.": "한 면에 인쇄할 페이지 수. 예: 2, 4.",
    "The job's name; default: the file's.": "작업의 이름. 기본값: 파일 이름.",
    "exact: fail if the printer does not support an option.": "exact: 프린터가 요청대로 할 수 없으면 거부합니다.",
    # --- logs
    "Show the log that was fetched last; fetch nothing.": "새로 가져오지 않고 마지막으로 가져온 로그를 표시합니다.",
    "Lines to show; 0: all.": "표시할 줄 수. 0이면 모두.",
    "How much of its end to fetch.": "로그의 끝에서 가져올 크기.",
    "Write the whole log to this file.": "로그 전체를 이 파일에 씁니다.",
    # --- filters of lists
    "Only of this client.": "이 클라이언트의 것만.",
    "Only in this status; may be given several times.": "이 상태인 것만. 여러 번 쓸 수 있습니다.",
    "Only of this action.": "이 동작의 것만.",
    "Only with this order number.": "이 참조 번호의 것만.",
    "Only with this tag.": "이 태그가 있는 것만.",
    "Only in this zone.": "이 구역의 것만.",
    "Only in this group.": "이 그룹의 것만.",
    "Only those that are online, offline or unknown.": "online, offline, unknown 중 이 접속 상태인 것만.",
    "Only those that are active, disabled or retired.": "active, disabled, retired 중 이 상태인 것만.",
    "Only of clients in this zone.": "이 구역에 있는 클라이언트의 것만.",
    "Only of clients in this group.": "이 그룹에 있는 클라이언트의 것만.",
    "Only of clients with this tag.": "이 태그가 있는 클라이언트의 것만.",
    "Only with this name.": "이 이름의 것만.",
    "Only with this in the name of the model.": "모델 이름에 이것이 들어 있는 것만.",
    "idle, processing, stopped, unreachable or unknown; may be given several times.": (
        "idle, processing, stopped, unreachable, unknown. 여러 번 쓸 수 있습니다."
    ),
    "Only with this reason, such as media-empty.": "media-empty 같은 이 이유의 것만.",
    "Only with this reason, such as printer_stopped.": "printer_stopped 같은 이 이유의 것만.",
    "Only of clients that are online, offline or unknown.": "online, offline, unknown 중 이 상태인 클라이언트의 것만.",
    "Only commands in this status.": "이 상태인 명령만.",
    "Only commands whose client is offline, or unresponsive.": (
        "클라이언트가 오프라인(offline)이거나 응답하지 않는(unresponsive) 명령만."
    ),
    "running, paused, cancelled or finished; may be given several times.": (
        "running, paused, cancelled, finished. 여러 번 쓸 수 있습니다."
    ),
    "Only those that are enabled, or disabled.": "사용 중이거나 사용 중지된 것만.",
    "Only how many, by client, action and reason.": "클라이언트, 동작, 이유별 개수만.",
    "How many times.": "표시할 시각의 수.",
    "The same database, as the owner of the tables, if the hub connects as another role.": (
        "허브가 다른 역할을 쓸 때, 테이블을 소유한 역할로 접속하는 같은 데이터베이스."
    ),
    # --- audit, security events
    "Only of this user or integration: name or id.": "이 사용자나 연동의 것만. 이름이나 id.",
    "Only of this action, such as client.update.": "client.update처럼 이 동작의 것만.",
    "Only about this kind of thing, such as client.": "client처럼 이 종류의 대상에 관한 것만.",
    "Only about the thing with this id.": "이 id의 대상에 관한 것만.",
    "Only from this address.": "이 주소에서 한 것만.",
    "Only with this text anywhere.": "어디든 이 글자가 있는 것만.",
    "Number of the row.": "행의 번호.",
    "A new file.": "새 파일.",
    "jsonl or csv.": "jsonl이나 csv.",
    "Read the database of this host instead of asking the hub.": (
        "허브에 묻지 않고 이 호스트의 데이터베이스를 읽습니다."
    ),
    "Offline: the audit key's public half; default: of keys/.": "오프라인: 감사 키의 공개 키. 기본값: keys/의 것.",
    "Offline: also compare with the day's seals in this file.": "오프라인: 이 파일의 일별 봉인과도 비교합니다.",
    "The seal of a restore that you know of.": "알고 있는 복원의 봉인 번호.",
    "Offline: the hub's database.": "오프라인: 허브의 데이터베이스.",
    "Name or id of the user or integration.": "사용자나 연동의 이름 또는 id.",
    "Only: info, warning or critical.": "info, warning, critical 중 하나만.",
    "Only of this kind, such as two_machines.": "two_machines처럼 이 종류만.",
    # --- commands and dead letters
    "The id of an unknown command.": "결과 불명인 명령의 id.",
    "completed, failed or cancelled.": "completed, failed, cancelled 중 하나.",
    "What you saw or did, for the log.": "확인하거나 조치한 내용. 기록에 남습니다.",
    "Ids of commands.": "명령의 id.",
    "Instead of ids, all that match: client=, action=, reason=, reference=, before=, after=, joined by commas; or "
    "everything.": (
        "id 대신 조건에 맞는 모두: client=, action=, reason=, reference=, before=, after=을 쉼표로 이어 쓰거나 "
        "everything."
    ),
    "Also unknown commands; their effect may then happen twice.": (
        "결과 불명인 명령도 실행합니다. 두 번 실행될 수 있습니다."
    ),
    "How long they stay valid: 90, 15m, 2h; default: as long as before.": (
        "유효한 시간: 90, 15m, 2h. 기본값: 이전과 같음."
    ),
    # --- clients, groups, printers
    "a-z, 0-9 and '-'; chosen once, never used again.": "a-z, 0-9, '-'. 한 번 정하면 다시 쓸 수 없습니다.",
    "Its name for people; default: its id.": "사람이 읽을 이름. 기본값: id.",
    "Its name for people.": "사람이 읽을 이름.",
    "printer_pc, pda, kiosk, screen or other.": "printer_pc, pda, kiosk, screen, other 중 하나.",
    "Id of the client that the machine becomes.": "기기가 될 클라이언트의 id.",
    "The client exists: another machine takes its place.": "이미 있는 클라이언트의 기기를 교체합니다.",
    "A group that it joins; may be given several times.": "들어갈 그룹. 여러 번 쓸 수 있습니다.",
    "How long the code is valid; at most 10m, the default.": "코드의 유효 기간. 최대 10m(기본값).",
    "Wait for the machine; default: at a terminal.": "기기를 기다립니다. 기본값: 터미널에서만.",
    "Show no QR code.": "QR 코드를 표시하지 않습니다.",
    "Only those that a machine can use now.": "지금 쓸 수 있는 것만.",
    "Id of a code, see `floorhub pairing list`.": "코드의 id. `floorhub pairing list`로 확인합니다.",
    "The six digits that the machine shows.": "기기에 표시된 6자리 숫자.",
    "What it is for, for people.": "용도(사람이 읽는 이름).",
    "Ids of the clients: {n} is a number, {host} the machine's name.": (
        "클라이언트의 id 규칙. {n}은 번호, {host}는 기기 이름입니다."
    ),
    "How many machines at most.": "연결할 수 있는 최대 기기 수.",
    "How long it is valid: 8h, 3d; default 24h, at most 90d.": "유효 기간: 8h, 3d. 기본값 24h, 최대 90d.",
    "Write what `floorhub-agent pair --enrol` needs to this file (0600).": (
        "`floorhub-agent pair --enrol`에 필요한 내용을 이 파일에 씁니다(0600)."
    ),
    "Id of an enrolment token.": "등록 토큰의 id.",
    "Its zone, such as hall-2.": "hall-2 같은 구역.",
    "Its zone; '' for none.": "구역. ''이면 없음.",
    "A tag; may be given several times.": "태그. 여러 번 쓸 수 있습니다.",
    "Its tags; they replace the existing ones. '' for none.": "지금의 태그를 모두 대신할 태그. ''이면 없음.",
    "NAME=VALUE to store with it; NAME= removes one. May be given several times.": (
        "함께 저장할 이름=값. 이름=이면 삭제합니다. 여러 번 쓸 수 있습니다."
    ),
    "An allowed action; default: all.": "받을 수 있는 동작. 기본값: 모두.",
    "An allowed action; all others are refused.": "받을 수 있는 동작. 다른 동작은 받지 않습니다.",
    "Allow every action again.": "다시 모든 동작을 받습니다.",
    "Commands a minute; default 60.": "분당 명령 수. 기본값 60.",
    "Commands a day (UTC); default 1,000.": "하루(UTC) 명령 수. 기본값 1,000.",
    "Commands a minute.": "분당 명령 수.",
    "Commands a day (UTC).": "하루(UTC) 명령 수.",
    "The list, as CSV; - for standard input.": "CSV 목록. 표준 입력은 -.",
    "Only show what would happen.": "어떻게 될지만 보여 줍니다.",
    "MQTT with TLS asks for a certificate of the hub's machines; no WebSocket with TLS then. Needs keys/ of the data "
    "folder.": "TLS를 쓰는 MQTT가 허브 기기의 인증서를 요구합니다. 이때 TLS를 쓰는 WebSocket은 없습니다. 데이터 폴더의 "
    "keys/가 필요합니다.",
    "Change clients that the list describes differently.": "목록과 다른 클라이언트를 목록대로 바꿉니다.",
    "Import the other lines if some are wrong.": "잘못된 줄이 있어도 나머지 줄을 가져옵니다.",
    "Leave out columns that are not known.": "알 수 없는 열을 뺍니다.",
    "Create groups that do not exist.": "없는 그룹을 만듭니다.",
    "If the list is not UTF-8: utf-16 or cp949.": "목록이 UTF-8이 아닐 때: utf-16 또는 cp949.",
    "The file for the secrets (0600); default: beside the list, with -secrets in its name.": (
        "비밀 값을 둘 파일(0600). 기본값: 목록 옆에, 이름에 -secrets를 붙인 파일."
    ),
    "Make no secrets: each machine is connected by pairing.": (
        "비밀 값을 만들지 않습니다. 각 기기를 페어링으로 연결합니다."
    ),
    "Write each agent's configuration to this folder (0600).": "각 에이전트의 설정을 이 폴더에 씁니다(0600).",
    "For --configs: the broker as the clients reach it.": "--configs용: 클라이언트가 접속하는 브로커 주소.",
    "For --configs: the hub as the clients reach it.": "--configs용: 클라이언트가 접속하는 허브 주소.",
    "Do not restart the broker of `make run`: it learns clients one by one.": (
        "`make run`의 브로커를 다시 시작하지 않고 클라이언트를 하나씩 알립니다."
    ),
    "Do not wait until the broker knows all clients.": "브로커가 모두 알 때까지 기다리지 않습니다.",
    "Write the agent's configuration, with its secret, to this file (0600).": (
        "비밀 값이 포함된 에이전트 설정을 이 파일(0600)에 씁니다."
    ),
    "For --config: the broker as the client reaches it.": "--config용: 클라이언트가 접속할 브로커 주소.",
    "For --config: the hub as the client reaches it.": "--config용: 클라이언트가 접속할 허브 주소.",
    "The group's id: a-z, 0-9 and '-'.": "그룹의 id: a-z, 0-9, '-'.",
    "Ids of its first clients.": "처음 넣을 클라이언트의 id.",
    "Ids of clients.": "클라이언트의 id.",
    "The printer's name.": "프린터의 이름.",
    "Its client; default: the only one.": "프린터의 클라이언트. 기본값: 유일한 것.",
    # --- targets and batches
    "A client's id; may be given several times.": "클라이언트의 id. 여러 번 쓸 수 있습니다.",
    "The clients of a group.": "그룹의 클라이언트.",
    "The clients of a zone.": "구역의 클라이언트.",
    "Clients with this tag; several times: with all of them.": "이 태그가 있는 클라이언트. 여러 번 쓰면 모두 있는 것.",
    "Clients with this tag; several times: with one of them.": (
        "이 태그가 있는 클라이언트. 여러 번 쓰면 하나라도 있는 것."
    ),
    "Every client.": "모든 클라이언트.",
    "The batch's id.": "배치의 id.",
    "A JSON list of commands, each with its client_id and action.": (
        "명령의 JSON 목록. 각각 client_id와 action이 있습니다."
    ),
    "The batch stops if more commands than this fail.": "실패가 이 수를 넘으면 배치를 멈춥니다.",
    "The same limit in percent of all commands.": "같은 것을 전체 명령의 비율(%)로.",
    "Rollout: start at most this many clients a minute.": "점진 실행: 분당 시작할 클라이언트 수.",
    "The same in percent of all clients.": "같은 것을 전체 클라이언트의 비율(%)로.",
    "Show who would get it and who would not; send nothing.": "보내지 않고, 누가 받고 누가 받지 않는지만 알려 줍니다.",
    # --- schedules and actions
    "Its name for people; must be unique.": "사람이 읽을 이름. 예약마다 다릅니다.",
    'Five fields, such as "0 7 * * 1-5".': '"0 7 * * 1-5" 같은 다섯 필드.',
    "An IANA name, such as Asia/Seoul.": "Asia/Seoul 같은 IANA 이름.",
    "If no hub was running at that time: skip, or once.": "그때 허브가 꺼져 있었으면: skip(건너뜀), once(한 번 실행).",
    "How late `once` may still fire: 90, 15m, 2h.": "`once`가 얼마나 늦게까지 실행해도 되는지: 90, 15m, 2h.",
    "Do not enable it yet.": "아직 사용하지 않습니다.",
    "Its id or name.": "id 또는 이름.",
    "A new name.": "새 이름.",
    "A new cron expression; past times do not fire late.": ("다른 cron 식. 지나간 시각은 다시 실행하지 않습니다."),
    "Such as print, or a site's own.": "print 또는 현장의 동작.",
    "Further attempts, 0 to 100.": "추가 시도 횟수, 0에서 100.",
    "Wait before the second attempt: 2, 30s, 5m.": "두 번째 시도 전에 기다릴 시간: 2, 30s, 5m.",
    "Each further wait is this many times longer.": "그다음 대기 시간은 이 배수만큼 길어집니다.",
    "The longest wait.": "가장 긴 대기 시간.",
    "How long a run may take.": "실행 제한 시간.",
    # --- users
    "What the person signs in with.": "로그인할 때 쓰는 이름.",
    "admin: everything; operator: command and read; viewer: read.": "admin: 모두, operator: 명령과 조회, viewer: 조회.",
    "all clients, or only those that were granted.": "all: 모든 클라이언트, granted: 부여된 클라이언트만.",
    "A name for people.": "사람이 알아볼 이름.",
    "Another login.": "다른 로그인 이름.",
    "Show a link with which the person sets it; valid once, for 24 hours.": (
        "그 사람이 비밀번호를 정할 링크를 보여 줍니다. 24시간 동안 한 번 쓸 수 있습니다."
    ),
    "Sign the person out everywhere.": "모든 곳에서 로그아웃시킵니다.",
    # --- broker
    "Where the broker will read its files; made if it is missing.": "브로커가 읽을 파일의 폴더. 없으면 만듭니다.",
    "The address without TLS.": "TLS가 없는 주소.",
    "MQTT without TLS.": "TLS가 없는 MQTT.",
    "MQTT over WebSocket, without TLS.": "TLS가 없는 WebSocket MQTT.",
    "PEM; adds listeners for the network.": "PEM 파일. 네트워크용 포트를 추가합니다.",
    "PEM; readable by the broker's user.": "PEM 파일. 브로커의 사용자가 읽을 수 있어야 합니다.",
    "MQTT with TLS.": "TLS를 쓰는 MQTT.",
    "MQTT over WebSocket, with TLS.": "TLS를 쓰는 WebSocket MQTT.",
    "The dynamic-security plugin; default: this system's.": "dynamic-security 플러그인. 기본값: 이 시스템의 것.",
    "The broker's user, if it is a different one (needs root).": "브로커의 사용자가 다를 때(root 필요).",
    "Where the accounts' secrets are kept.": "계정의 암호를 둘 폴더.",
    # --- conformance and simulate
    "A registered client, best one made for this.": "등록된 클라이언트. 이 검사용으로 따로 만드는 것이 좋습니다.",
    "After --: what starts the client. {host}, {port} and {url} are filled in.": (
        "-- 뒤에 쓰는, 클라이언트를 시작하는 명령. {host}, {port}, {url}이 채워집니다."
    ),
    "An action that the client can run without harm.": "클라이언트가 문제없이 실행할 수 있는 동작.",
    "The payload of --action as JSON.": "--action의 JSON 내용(payload).",
    "Where the client shall connect; port 0: any.": "클라이언트가 접속할 주소. 포트 0은 아무 포트.",
    "The hub's broker; default: that of this machine.": "허브의 브로커. 기본값: 이 컴퓨터의 것.",
    "The hub's folder of keys; default: that of this machine.": "허브의 키 폴더. 기본값: 이 컴퓨터의 것.",
    "Seconds for a report, the action included.": "동작을 포함해 보고까지의 시간(초).",
    "Seconds for the client to connect.": "클라이언트가 접속하기까지의 시간(초).",
    "How many clients.": "클라이언트 수.",
    "A TOML file of faults; without it nothing fails.": "장애를 적은 TOML 파일. 없으면 장애가 없습니다.",
    "How long to run once the clients are connected; 0: until Ctrl-C.": (
        "클라이언트가 접속한 뒤 실행할 시간(초). 0이면 Ctrl-C까지."
    ),
    "Clients are PREFIX-0001, PREFIX-0002, ...": "클라이언트는 PREFIX-0001, PREFIX-0002, ...입니다.",
    "Post this many commands a second, and check them.": "초당 이만큼 명령을 보내고 확인합니다.",
    "With --post: actions in turn; default: simulate.": "--post용: 차례로 보낼 동작. 기본값: simulate.",
    "With --post: seconds that the last ones may take.": "--post용: 마지막 명령을 기다릴 시간(초).",
    "Write each effect as a JSON line to this file.": "실행 결과를 한 줄씩 JSON으로 이 파일에 씁니다.",
    "Write the result as JSON to this file.": "결과를 JSON으로 이 파일에 씁니다.",
    "Retire the clients at the end; their ids are then used up.": (
        "끝나면 클라이언트를 폐기합니다. 그 id는 다시 쓸 수 없습니다."
    ),
}

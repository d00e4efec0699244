"""Korean of what the commands say about themselves, paragraph by paragraph."""

COMMANDS: dict[str, str] = {
    # --- the program and its shortcuts
    "The hub from which print shops, warehouses and stores command their machines.": (
        "인쇄소, 창고, 매장의 장치에 명령을 보내는 허브입니다."
    ),
    "Exit codes: 0 done; 1 failed; 2 wrong command line or set-up; 3 not ended yet; 4 hub unreachable; 5 refused; "
    "6 not permitted; 7 not found.": (
        "종료 코드: 0 완료, 1 실패, 2 명령줄이나 설정 오류, 3 아직 끝나지 않음, 4 허브에 연결할 수 없음, 5 거부됨, "
        "6 권한 없음, 7 찾을 수 없음."
    ),
    "Start everything on this machine and print a page.": "이 컴퓨터에서 모두 시작하고 한 페이지를 인쇄합니다.",
    "Postgres, broker, hub, an agent and a virtual printer.": "Postgres, 브로커, 허브, 에이전트, 가상 프린터입니다.",
    "Run the hub with the settings of the environment (FLOORHUB_*).": (
        "환경 변수(FLOORHUB_*)의 설정으로 허브를 실행합니다."
    ),
    "Serve HTTPS and MQTT over WebSocket to other machines, in front of the hub.": (
        "허브 앞에서 다른 컴퓨터에 HTTPS와 WebSocket을 통한 MQTT를 제공합니다."
    ),
    "Settings come from the environment (FLOORHUB_*).": "설정은 환경 변수(FLOORHUB_*)에서 읽습니다.",
    "Bring the database's tables up to date.": "데이터베이스의 테이블을 최신으로 맞춥니다.",
    "Safe to call again, and from several machines at once.": "다시 실행하거나 여러 컴퓨터에서 동시에 실행해도 됩니다.",
    "Send one command, and show its timeline and result.": "명령 하나를 보내고 처리 과정과 결과를 보여 줍니다.",
    "Exits with 0 if it completed, or was stored with --wait 0.": (
        "완료되었거나 --wait 0으로 저장되었으면 0으로 끝납니다."
    ),
    "Print a file, and show its timeline.": "파일을 인쇄하고 처리 과정을 보여 줍니다.",
    "Exits with 0 if it was printed, or stored with --wait 0.": (
        "인쇄되었거나 --wait 0으로 저장되었으면 0으로 끝납니다."
    ),
    "Show a command, its timeline and its result.": "명령과 처리 과정, 결과를 보여 줍니다.",
    "Say why a command has not run yet, and what to do.": "명령이 아직 실행되지 않은 이유와 할 일을 알려 줍니다.",
    "One sentence, and below it the timeline, step by step.": "한 문장으로 답하고, 그 아래에 처리 과정을 보여 줍니다.",
    "Cancel a command.": "명령을 취소합니다.",
    "A pending command is cancelled at once. If its client has it already, the client is asked to stop; finished "
    "work counts.": (
        "대기 중인 명령은 바로 취소됩니다. 클라이언트가 이미 받았으면 중단을 요청하며, 그때까지 한 일은 그대로 "
        "인정됩니다."
    ),
    "Create a code that connects one machine.": "기기 한 대를 연결하는 코드를 만듭니다.",
    "It is valid for 10 minutes, and shown only once.": "10분 동안 유효하며 지금 한 번만 표시됩니다.",
    "Codes that connect machines; `floorhub pair` creates one.": (
        "기기를 연결하는 코드. 코드는 `floorhub pair`로 만듭니다."
    ),
    "List codes of the last day, newest first.": "최근 하루의 코드를 최신순으로 보여 줍니다.",
    "Confirm the number of a machine, which then gets its secret.": (
        "기기의 번호를 확인합니다. 확인된 기기는 비밀 값을 받습니다."
    ),
    "Type what the machine shows: it proves that nobody stands between.": (
        "기기에 표시된 번호를 입력하십시오. 중간에서 아무도 가로채지 않았음을 확인합니다."
    ),
    "Revoke a code; a machine that asks with it is refused.": ("코드를 취소합니다. 확인을 기다리는 기기는 거절됩니다."),
    "Enrolment tokens, which connect many machines: create, list, revoke.": (
        "여러 기기를 연결하는 등록 토큰: 생성, 목록, 취소."
    ),
    "Create a token that connects many machines.": "여러 기기를 연결하는 토큰을 만듭니다.",
    "It is shown only once, or written with --file.": "지금 한 번만 표시되며, --file로 파일에 쓸 수 있습니다.",
    "List enrolment tokens, newest first.": "등록 토큰을 최신순으로 보여 줍니다.",
    "Revoke a token; machines that it has connected stay.": "토큰을 취소합니다. 이미 연결된 기기는 그대로입니다.",
    "Show the end of an agent's log.": "에이전트 로그의 끝부분을 보여 줍니다.",
    "Runs the action collect_logs. If the client is offline, shows the log that was fetched last.": (
        "collect_logs 동작을 실행합니다. 클라이언트가 오프라인이면 마지막으로 가져온 로그를 보여 줍니다."
    ),
    "Check the hub of this machine and say what to fix.": "이 컴퓨터의 허브를 검사하고 고칠 것을 알려 줍니다.",
    "Database, broker, keys, disk, clock, certificates. Works whether the hub runs or not. Exits 0 "
    "without problems, else 1; a hub that is not running is no problem, and the last line says so.": (
        "데이터베이스, 브로커, 키, 디스크, 시계, 인증서를 검사합니다. 허브가 실행 중이 아니어도 됩니다. 문제가 없으면 "
        "0, 있으면 1로 끝납니다. 멈춘 허브는 문제로 세지 않으며 마지막 줄에 표시합니다."
    ),
    "Write database, keys and settings into one file.": "데이터베이스와 키, 설정을 파일 하나에 백업합니다.",
    "Works while the hub runs. The file is private (0600) and is written whole or not at all.": (
        "허브가 실행 중이어도 됩니다. 파일은 소유자만 읽을 수 있고(0600), 전부 써지거나 전혀 써지지 않습니다."
    ),
    "Put a backup in place of the hub's data.": "허브의 데이터를 백업으로 복원합니다.",
    "Stop every hub first. The file is checked before anything changes. The replaced data is kept beside it.": (
        "먼저 모든 허브를 멈추십시오. 파일을 검사한 뒤에 변경하며, 이전 데이터는 옆에 보관합니다."
    ),
    "Collect redacted logs and settings in one file.": "비밀 값을 뺀 로그와 설정을 파일 하나에 모읍니다.",
    "Holds no secret, no document and no payload. Works whether the hub runs or not.": (
        "비밀 값과 문서, 페이로드는 들어가지 않습니다. 허브가 실행 중이 아니어도 됩니다."
    ),
    "Archive and delete rows that are older than their period.": "보관 기간이 지난 것을 보관 파일에 쓰고 삭제합니다.",
    "Of the hub that the environment (FLOORHUB_*) names, else of the one that `make run` started.": (
        "환경 변수(FLOORHUB_*)가 가리키는 허브, 없으면 `make run`으로 시작한 허브의 데이터를 정리합니다."
    ),
    "Test a client against the contract, and name each mistake.": (
        "클라이언트가 계약을 지키는지 검사하고 문제를 알려 줍니다."
    ),
    "Exits with 0 only if there is none. The client connects to a port of this program, which passes everything on to "
    "the broker. Commands go through the hub. Run it where the hub's keys are.": (
        "문제가 없을 때만 0으로 끝납니다. 클라이언트는 이 프로그램의 포트에 접속하고, 이 프로그램은 모두 브로커로 "
        "전달합니다. 명령은 허브를 거칩니다. 허브의 키가 있는 곳에서 실행하십시오."
    ),
    "Simulate many clients with planned faults.": "장애를 일으키는 클라이언트 여러 대를 시뮬레이션합니다.",
    "They are slow, crash, answer twice and disconnect. Exits with 1 if the hub broke a promise.": (
        "느리게 동작하고, 멈추고, 두 번 응답하고, 접속을 끊습니다. 허브가 약속을 어기면 1로 끝납니다."
    ),
    "Print the completion script of a shell.": "셸의 자동 완성 스크립트를 출력합니다.",
    "bash: add `source <(floorhub completion bash)` to ~/.bashrc.": (
        "bash: ~/.bashrc에 `source <(floorhub completion bash)`를 추가하십시오."
    ),
    "zsh: add `source <(floorhub completion zsh)` to ~/.zshrc, after compinit.": (
        "zsh: ~/.zshrc의 compinit 다음에 `source <(floorhub completion zsh)`를 추가하십시오."
    ),
    "fish: floorhub completion fish > ~/.config/fish/completions/floorhub.fish": (
        "fish: floorhub completion fish > ~/.config/fish/completions/floorhub.fish"
    ),
    "Show the help of a command.": "명령의 도움말을 보여 줍니다.",
    # --- command
    "Commands: list, show, explain, cancel, decide.": "명령: 목록, 보기, 이유, 취소, 결과 확정.",
    "List commands, newest first.": "명령 목록을 최신순으로 보여 줍니다.",
    "List every change of a command, oldest first.": "명령의 모든 변경을 오래된 것부터 보여 줍니다.",
    "Set how an unknown command ended, after you checked the device.": (
        "장치를 확인한 뒤 결과 불명인 명령의 결과를 확정합니다."
    ),
    "That is final.": "되돌릴 수 없습니다.",
    # --- client
    "Clients: register, list, show, change, retire.": "클라이언트: 등록, 목록, 보기, 변경, 폐기.",
    "List clients with their presence.": "클라이언트와 접속 상태를 보여 줍니다.",
    "Show a client: where it is, what it can do, its printers.": (
        "클라이언트의 위치, 할 수 있는 동작, 프린터를 보여 줍니다."
    ),
    "List when a client went online and offline, newest first.": "클라이언트의 접속 기록을 최신순으로 보여 줍니다.",
    "Show the limits of a client, and how much is left.": "클라이언트의 한도와 남은 양을 보여 줍니다.",
    "Register a client.": "클라이언트를 등록합니다.",
    "Its secret is shown only once, or written with --config.": (
        "비밀 값은 한 번만 표시되며, --config를 쓰면 파일에 저장됩니다."
    ),
    "Change a client's name, zone, tags and metadata; omitted values stay.": (
        "클라이언트의 이름, 구역, 태그, 메타데이터를 바꿉니다. 지정하지 않은 것은 그대로 둡니다."
    ),
    "Change the limits of clients; omitted values stay.": (
        "클라이언트의 한도를 바꿉니다. 지정하지 않은 것은 그대로 둡니다."
    ),
    "Register many clients from a list.": "목록의 여러 클라이언트를 한 번에 등록합니다.",
    "Nothing is stored unless all lines are right. The same list again changes nothing, and completes an import that "
    "was interrupted. Columns: id, name, kind, zone, groups, tags, allowed_actions, rate_limit, max_commands_per_day, "
    "metadata.NAME.": (
        "모든 줄이 올바를 때만 저장합니다. 같은 목록을 다시 가져오면 바뀌는 것이 없고, 중단된 가져오기는 이어서 "
        "끝냅니다. 열: id, name, kind, zone, groups, tags, allowed_actions, rate_limit, max_commands_per_day, "
        "metadata.이름."
    ),
    "Retire a client permanently.": "클라이언트를 폐기합니다.",
    "It can no longer connect, and its id is never used again. Its history stays.": (
        "더 이상 접속할 수 없고 id는 다시 쓰이지 않습니다. 기록은 남습니다."
    ),
    "Disable a client until it is enabled again.": "클라이언트의 사용을 중지합니다.",
    "Its connection ends, and nothing is sent to it.": "연결이 끊기고, 다시 사용할 때까지 아무것도 받지 않습니다.",
    "Enable a client again.": "클라이언트의 사용을 재개합니다.",
    "Resume dispatch to a client after two machines used its id.": (
        "두 컴퓨터가 한 id를 써서 중단된 클라이언트에 명령 전달을 재개합니다."
    ),
    "Give each machine its own identity first.": "먼저 컴퓨터마다 자기 id를 갖게 하십시오.",
    "Give a client a new secret, shown only once.": "클라이언트의 비밀 값을 새로 만들어 한 번만 보여 줍니다.",
    "The old one is no longer valid.": "이전 비밀 값은 더 이상 유효하지 않습니다.",
    # --- printer
    "Printers: list them with state, paper, toner and queue.": "프린터: 목록과 상태, 용지, 토너, 대기열.",
    "List the printers of all clients.": "모든 클라이언트의 프린터를 보여 줍니다.",
    "Show a printer: state, reasons, paper, supplies and queue.": (
        "프린터의 상태, 이유, 용지, 소모품, 대기열을 보여 줍니다."
    ),
    # --- group
    "Groups: put clients together under a name.": "그룹: 클라이언트를 한 이름으로 묶기.",
    "Create a group. A client may be in many groups.": ("그룹을 만듭니다. 클라이언트는 여러 그룹에 속할 수 있습니다."),
    "List groups.": "그룹 목록을 보여 줍니다.",
    "List the clients of a group with their presence.": "그룹의 클라이언트와 접속 상태를 보여 줍니다.",
    "Add clients to a group.": "그룹에 클라이언트를 추가합니다.",
    "Remove clients from a group.": "그룹에서 클라이언트를 뺍니다.",
    "Remove a group; its clients stay.": "그룹을 삭제합니다. 클라이언트는 남습니다.",
    # --- batch
    "Batches: command many clients at once.": "배치: 여러 클라이언트에 한 번에 명령 보내기.",
    "Send one command to many clients.": "한 명령을 여러 클라이언트에 보냅니다.",
    "Exits with 0 if it was stored; with --wait, if all of it completed in time.": (
        "저장되면 0으로 끝납니다. --wait를 쓰면 모두 제시간에 완료되었을 때 0으로 끝납니다."
    ),
    "Send a list of different commands at once.": "서로 다른 명령의 목록을 한 번에 보냅니다.",
    "Exits like `batch send`.": "종료 코드는 `batch send`와 같습니다.",
    "Show the progress of a batch, and its commands.": "배치의 진행 상황과 명령을 보여 줍니다.",
    "List batches, newest first.": "배치 목록을 최신순으로 보여 줍니다.",
    "Pause a batch until it is resumed.": "배치를 일시 정지합니다.",
    "Resume a paused batch.": "일시 정지한 배치를 재개합니다.",
    "Cancel the unfinished commands of a batch.": "배치에서 끝나지 않은 명령을 취소합니다.",
    "If a client has its command already, the client is asked to stop.": (
        "클라이언트가 명령을 이미 받았으면 중단을 요청합니다."
    ),
    # --- schedule
    "Schedules: send to clients by a cron expression.": "예약: cron 식에 따라 명령 보내기.",
    "Create a schedule.": "예약을 만듭니다.",
    "List schedules, newest first.": "예약 목록을 최신순으로 보여 줍니다.",
    "List the next times of a schedule.": "예약의 다음 시각을 보여 줍니다.",
    "Show a schedule and its next times.": "예약과 다음 시각을 보여 줍니다.",
    "Change a schedule; omitted values stay.": "예약을 바꿉니다. 지정하지 않은 것은 그대로 둡니다.",
    "Setting --cron or --time-zone, even to the same value, makes you the owner: from then on it sends with your "
    "permissions.": (
        "--cron이나 --time-zone을 같은 값으로라도 지정하면 예약의 소유자가 됩니다. 그때부터 소유자의 권한으로 보냅니다."
    ),
    "Enable a schedule from its next time on.": "예약의 사용을 다음 시각부터 재개합니다.",
    "Disable a schedule; commands it has sent continue.": "예약의 사용을 중지합니다. 이미 보낸 명령은 계속됩니다.",
    "Remove a schedule; commands it has sent continue.": "예약을 삭제합니다. 이미 보낸 명령은 계속됩니다.",
    # --- action
    "Actions: their policies for retries, back-off, time-out, expiry.": "동작: 재시도, 대기, 제한 시간, 만료의 정책.",
    "List actions with the values that apply to their commands.": "동작과 그 명령에 적용되는 값을 보여 줍니다.",
    "* marks the action's own values; the others are the hub's defaults.": (
        "*는 동작 자체의 값이고, 나머지는 허브의 기본값입니다."
    ),
    "Create or replace the policy of an action.": "동작의 정책을 만들거나 바꿉니다.",
    "Omitted values are the hub's defaults.": "지정하지 않은 값은 허브의 기본값입니다.",
    "Remove the policy of an action; the hub's defaults apply.": (
        "동작의 정책을 삭제합니다. 허브의 기본값이 적용됩니다."
    ),
    # --- dead letter
    "Dead letters: commands that ended without success.": "데드 레터: 성공하지 못하고 끝난 명령.",
    "List open dead letters, newest first.": "처리할 데드 레터를 최신순으로 보여 줍니다.",
    "`floorhub dead-letter` alone does the same.": "`floorhub dead-letter`만 입력해도 같습니다.",
    "Replay dead letters, each as one new command.": "데드 레터를 각각 새 명령으로 다시 실행합니다.",
    "Exits with 0 if none is refused.": "거부된 것이 없으면 0으로 끝납니다.",
    "Close dead letters that nobody needs any more.": "더 이상 필요 없는 데드 레터를 종결합니다.",
    "Commands that wait behind them by their order key can run. Exits with 0 if none is refused.": (
        "order key로 그 뒤에서 기다리던 명령이 실행될 수 있습니다. 거부된 것이 없으면 0으로 끝납니다."
    ),
    # --- user
    "People who can sign in.": "로그인할 수 있는 사람.",
    "Add a person.": "사람을 추가합니다.",
    "Asks for the first password, or reads it from standard input.": ("첫 비밀번호를 묻거나 표준 입력에서 읽습니다."),
    "List the people who can sign in.": "로그인할 수 있는 사람의 목록을 보여 줍니다.",
    "Show a person.": "한 사람을 보여 줍니다.",
    "Change a person's role, reach (all or granted clients), name or login.": (
        "사람의 역할, 접근 범위(모든 클라이언트 또는 허용된 클라이언트), 이름, 로그인 이름을 바꿉니다."
    ),
    "Set a person's password, and sign the person out everywhere.": (
        "사람의 비밀번호를 정하고 모든 곳에서 로그아웃시킵니다."
    ),
    "Asks for the new password, or reads it from standard input. With --link, the person chooses it.": (
        "새 비밀번호를 묻거나 표준 입력에서 읽습니다. --link를 쓰면 그 사람이 직접 정합니다."
    ),
    "Sign a person out, and refuse further sign-ins.": "로그아웃시키고 더 이상 로그인하지 못하게 합니다.",
    "Let a disabled person sign in again.": "비활성화된 사람이 다시 로그인할 수 있게 합니다.",
    "List where a person is signed in.": "어디에서 로그인했는지 보여 줍니다.",
    "Set a person's Floorhub password; run this on the hub's machine.": (
        "사람의 Floorhub 비밀번호를 정합니다. 허브 기기에서 실행하십시오."
    ),
    "For an administrator who cannot sign in any more. Asks for the new password, or reads it from standard input; the "
    "person is enabled and signed out everywhere.": (
        "더 이상 로그인할 수 없는 관리자를 위한 명령입니다. 새 비밀번호를 묻거나 표준 입력에서 읽습니다. 비활성화를 "
        "풀고 모든 곳에서 로그아웃합니다."
    ),
    # --- integrations, grants, access
    "Integrations: other systems, such as a WMS, with keys of their own.": (
        "연동 시스템: WMS처럼 자신의 키를 쓰는 다른 시스템."
    ),
    "Create an integration with its grants and its first key.": "연동 시스템을 접근 허용, 첫 키와 함께 만듭니다.",
    "The key is shown only once. --client, --group, --zone, --tag and --all say what it is granted, with --action and "
    "--read-only.": (
        "키는 한 번만 표시됩니다. --client, --group, --zone, --tag, --all로 접근할 대상을 정하고, --action과 "
        "--read-only로 범위를 좁힙니다."
    ),
    "List integrations.": "연동 시스템을 보여 줍니다.",
    "Show an integration with its grants and keys.": "연동 시스템과 그 접근 허용, 키를 보여 줍니다.",
    "Change an integration. What you leave out stays.": "연동 시스템을 바꿉니다. 지정하지 않은 것은 그대로입니다.",
    "Refuse all keys of an integration from now on.": "지금부터 연동 시스템의 모든 키를 거부합니다.",
    "Accept the keys of a disabled integration again.": "사용 중지한 연동 시스템의 키를 다시 받아들입니다.",
    "Remove an integration for good, with its keys and grants.": (
        "연동 시스템을 키, 접근 허용과 함께 영구히 삭제합니다."
    ),
    "Grants: which clients an integration or a user may see or command.": (
        "접근 허용: 연동 시스템이나 사용자가 조회하거나 명령할 수 있는 클라이언트."
    ),
    "Grant clients to an integration or a user.": "연동 시스템이나 사용자에게 클라이언트 접근을 허용합니다.",
    "Each --client, --group and --zone is a grant of its own.": (
        "--client, --group, --zone은 각각 따로 된 접근 허용이 됩니다."
    ),
    "List grants.": "접근 허용을 보여 줍니다.",
    "Take a grant back, which takes effect at once.": "접근 허용을 취소합니다. 즉시 적용됩니다.",
    "Access: who may do what, and why.": "접근: 누가 무엇을 할 수 있는지, 그 이유.",
    "Say whether something is allowed, and why.": "어떤 작업이 허용되는지와 그 이유를 알려 줍니다.",
    "--client alone: who may do it. --of or --key alone: what it may do.": (
        "--client만 쓰면 누가 할 수 있는지, --of나 --key만 쓰면 무엇을 할 수 있는지 보여 줍니다."
    ),
    "With both, exits with 0 if it is allowed, with 1 if not.": "둘 다 쓰면 허용될 때 0, 아닐 때 1로 끝납니다.",
    # --- audit, security events
    "The audit trail: who did what.": "감사 기록: 누가 무엇을 했는지.",
    "Security events: what looks like an attack.": "보안 이벤트: 공격으로 보이는 일.",
    "List what was done, newest first.": "수행된 작업을 최신순으로 보여 줍니다.",
    "Show a row with its details, such as the values before and after.": (
        "변경 전후의 값과 같은 상세 내용과 함께 한 행을 보여 줍니다."
    ),
    "Write the rows that match the filters to a file, oldest first.": "조건에 맞는 행을 오래된 것부터 파일에 씁니다.",
    "Say whether anybody changed the audit trail.": "감사 기록이 허브가 쓴 그대로인지 확인합니다.",
    "Names the first row that was edited, deleted, inserted or moved. Exits with 0 if the trail is intact, else with "
    "1.": "수정, 삭제, 삽입되거나 옮겨진 첫 행을 알려 줍니다. 기록이 온전하면 0, 아니면 1로 끝납니다.",
    "Erase a person's data from the trail.": "감사 기록에서 개인의 데이터를 지웁니다.",
    "Address and detail of all rows by or about the person, and the name. The rows stay, and the trail stays "
    "verifiable.": (
        "그 사람이 했거나 그 사람에 관한 모든 행의 주소와 상세 내용, 그리고 이름을 지웁니다. 행은 남고, 기록은 계속 "
        "확인할 수 있습니다."
    ),
    "List security events, newest first.": "보안 이벤트를 최신순으로 보여 줍니다.",
    # --- broker, keys, schema
    "Configuration for your own Mosquitto.": "직접 운영하는 Mosquitto의 설정.",
    "Write mosquitto.conf, acl and dynsec.json.": "mosquitto.conf, acl, dynsec.json을 만듭니다.",
    "With the hub's accounts and all clients of the database. Secrets of the accounts: FLOORHUB_MQTT_PASSWORD (hub), "
    "FLOORHUB_MQTT_ADMIN_PASSWORD and FLOORHUB_MQTT_OPS_PASSWORD. If the first is not set, the secrets come from "
    "keys/broker-accounts.json of the data folder, or are created there.": (
        "허브의 계정과 데이터베이스의 모든 클라이언트가 들어갑니다. 계정의 암호는 FLOORHUB_MQTT_PASSWORD(허브), "
        "FLOORHUB_MQTT_ADMIN_PASSWORD, FLOORHUB_MQTT_OPS_PASSWORD입니다. 첫 번째가 없으면 데이터 폴더의 "
        "keys/broker-accounts.json에 있는 것을 쓰고, 없으면 만듭니다."
    ),
    "Keys: API keys of integrations and users, and the hub's own keys.": (
        "키: 연동 시스템과 사용자의 API 키, 그리고 허브 자체의 키."
    ),
    "Create an API key of an integration or a user.": "연동 시스템이나 사용자의 API 키를 만듭니다.",
    "It is shown only once. It may do what its owner may, within these options.": (
        "키는 한 번만 표시됩니다. 소유자의 권한 중 이 옵션으로 정한 범위만 쓸 수 있습니다."
    ),
    "List API keys.": "API 키를 보여 줍니다.",
    "Revoke an API key: the hub refuses it at once.": "API 키를 폐기합니다. 허브는 이 키를 즉시 거부합니다.",
    "Another API key is made by the hub, and the old one stays valid for the overlap.": (
        "API 키는 허브가 새로 만들며, 이전 키는 --overlap 동안 유효합니다."
    ),
    "Compare this folder's keys with the database.": "이 폴더의 키를 데이터베이스와 비교합니다.",
    "Exits with 0 if they agree, with 1 if they differ.": "같으면 0, 다르면 1로 끝납니다.",
    "Replace a key.": "키를 교체합니다.",
    "admin, command, root, data and audit are replaced on this machine. Running hubs stop when their keys are no "
    "longer the database's.": (
        "admin, command, root, data, audit은 이 컴퓨터에서 교체합니다. 실행 중인 허브는 자신의 키가 "
        "데이터베이스의 키와 달라지면 멈춥니다."
    ),
    "Use the keys of this folder as the hub's keys.": "이 폴더의 키를 허브의 키로 삼습니다.",
    "For example after a restore of the database.": "예를 들어 데이터베이스를 복원한 뒤에 씁니다.",
    "Export the wire contract: JSON Schema and AsyncAPI.": "메시지 계약을 JSON Schema와 AsyncAPI로 내보내기.",
    "Write the JSON Schema of every message, and asyncapi.json.": "모든 메시지의 JSON Schema와 asyncapi.json을 씁니다.",
}

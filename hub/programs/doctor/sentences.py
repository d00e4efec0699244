"""What the checks say: the problem and what to do, in English and Korean, by code."""

from schemas.findings import Findings

SENTENCES: dict[str, tuple[str, str]] = {
    "version_ok": ("Floorhub {version}, Python {python}.", "Floorhub {version}, Python {python}입니다."),
    "version_differs": (
        "The running hub has version {running}, this program has {version}: restart the hub.",
        "실행 중인 허브는 버전 {running}, 이 프로그램은 {version}입니다. 허브를 다시 시작하십시오.",
    ),
    "config_ok": (
        "The settings are complete; the data folder is {folder}.",
        "설정이 완전합니다. 데이터 폴더: {folder}",
    ),
    "config_wrong": ("{problem}", "{problem_ko}"),
    "config_unknown": (
        "{name} is not a setting of Floorhub and is ignored: correct its name (docs/reference/settings.md) or unset "
        "it.",
        "{name}은(는) Floorhub의 설정이 아니므로 무시됩니다. 이름을 고치거나(docs/reference/settings.md) 없애십시오.",
    ),
    "hub_ok": ("The hub answers at {url} and is ready.", "허브가 {url}에서 응답하며 준비되어 있습니다."),
    "hub_not_ready": (
        "The hub answers at {url}, but is not ready: {checks}. See the lines below and its log.",
        "허브가 {url}에서 응답하지만 준비되지 않았습니다: {checks}. 아래 줄과 허브의 로그를 확인하십시오.",
    ),
    "hub_stopped": (
        "No hub answers at {url} ({problem}). If it should run, start it; if it runs elsewhere, set FLOORHUB_URL.",
        "{url}에서 허브가 응답하지 않습니다({problem_ko}). 실행 중이어야 하면 시작하고, 다른 곳에서 실행 중이면 "
        "FLOORHUB_URL을 설정하십시오.",
    ),
    "hub_url": (
        "FLOORHUB_URL is not an address ({problem}): set it to the hub's http://host:port, or unset it.",
        "FLOORHUB_URL이 주소가 아닙니다({problem_ko}). 허브의 http://호스트:포트로 고치거나 없애십시오.",
    ),
    "hub_other": (
        "The server at {url} is not a hub ({problem}): correct FLOORHUB_URL or FLOORHUB_PORT.",
        "{url}에서 응답하는 것은 허브가 아닙니다({problem}). FLOORHUB_URL 또는 FLOORHUB_PORT를 고치십시오.",
    ),
    "database_ok": (
        "Postgres {version} answers; the database has {mib} MiB, {used} of {most} connections are in use.",
        "Postgres {version}이(가) 응답합니다. 데이터베이스 {mib} MiB, 연결 {most}개 중 {used}개 사용 중입니다.",
    ),
    "database_stopped": (
        "`make run` and its Postgres are stopped. To check database and broker, start `make run` and run this again.",
        "`make run`이 멈춰 있어 Postgres도 멈춰 있습니다. 데이터베이스와 브로커를 점검하려면 시작한 뒤 다시 "
        "실행하십시오.",
    ),
    "database_unreachable": ("{problem}", "{problem_ko}"),
    "database_old": (
        "Postgres {version} is too old: Floorhub needs {oldest} or newer. Upgrade it.",
        "Postgres {version}은(는) 너무 오래되었습니다. {oldest} 이상으로 업그레이드하십시오.",
    ),
    "database_untested": (
        "Postgres {version} answers. Floorhub is tested with {oldest} to {newest}.",
        "Postgres {version}이(가) 응답합니다. Floorhub은 {oldest}부터 {newest}까지 시험되었습니다.",
    ),
    "database_full": (
        "{used} of {most} connections to Postgres are in use: raise max_connections, or lower FLOORHUB_DATABASE_POOL.",
        "Postgres 연결 {most}개 중 {used}개를 사용 중입니다. max_connections를 늘리거나 FLOORHUB_DATABASE_POOL을 "
        "줄이십시오.",
    ),
    "durability_ok": (
        "Postgres keeps committed data (fsync, full_page_writes, synchronous_commit are on).",
        "Postgres가 커밋한 것을 보존합니다(fsync, full_page_writes, synchronous_commit 켜짐).",
    ),
    "durability_off": (
        "Postgres may lose accepted commands: switch {names} on and reload Postgres (SELECT pg_reload_conf()).",
        "Postgres가 접수한 명령을 잃을 수 있습니다. {names}을(를) 켜고 Postgres를 다시 읽히십시오(SELECT "
        "pg_reload_conf()).",
    ),
    "schema_ok": (
        "The tables have the revision that this version needs ({revision}).",
        "테이블이 이 버전에 맞습니다({revision}).",
    ),
    "audit_two_roles": (
        "The hub's role at Postgres can add to the audit trail and cannot change it.",
        "Postgres에서 허브의 역할은 감사 기록에 추가만 할 수 있고 변경할 수 없습니다.",
    ),
    "audit_one_role": (
        "The hub's role at Postgres owns the tables, so it can also change the audit trail; `floorhub audit verify` "
        "finds that. For two roles see docs/how-to/audit.md.",
        "Postgres에서 허브의 역할이 테이블을 소유하므로 감사 기록을 변경할 수도 있습니다. `floorhub audit verify`로 "
        "찾을 수 있습니다. 역할을 둘로 나누려면 docs/how-to/audit.md를 보십시오.",
    ),
    "schema_wrong": ("{problem}", "{problem_ko}"),
    "lost_none": (
        "No agent has reported about a command that the hub does not know.",
        "허브가 모르는 명령의 보고가 없습니다.",
    ),
    "lost_found": (
        "In the last {days} days agents reported about commands that this database does not have ({number}): {some}. "
        "If the hub was restored, these commands were accepted after the backup: compare them with the orders, and "
        "send "
        "those again that were not done. The reports are in the table report_quarantine.",
        "최근 {days}일 동안 에이전트가 이 데이터베이스에 없는 명령 {number}건을 보고했습니다: {some}. 복원한 뒤라면 "
        "백업 이후에 접수된 명령입니다. 주문과 비교하여 처리되지 않은 것을 다시 보내십시오. report_quarantine "
        "테이블에 있습니다.",
    ),
    "broker_ok": (
        "The broker at {address} accepts the hub's account.",
        "{address}의 브로커가 허브 계정을 받아들입니다.",
    ),
    "broker_stopped": (
        "The broker of `make run` is stopped, too.",
        "`make run`의 브로커가 함께 멈춰 있습니다.",
    ),
    "broker_setting": ("{problem}", "{problem_ko}"),
    "broker_unreachable": (
        "No broker answers at {address} ({problem}). Check FLOORHUB_MQTT_URL, the network, and whether the broker is "
        "running.",
        "{address}에서 브로커가 응답하지 않습니다({problem_ko}). FLOORHUB_MQTT_URL과 네트워크, 브로커의 실행 여부를 "
        "확인하십시오.",
    ),
    "broker_certificate": (
        "{address} shows a certificate that is not trusted ({problem}). Renew it, or set FLOORHUB_MQTT_CA_FILE to its "
        "certificate authority.",
        "{address}의 인증서를 신뢰할 수 없습니다({problem}). 갱신하거나 FLOORHUB_MQTT_CA_FILE에 인증 기관을 "
        "지정하십시오.",
    ),
    "account_refused": (
        "The broker refuses {username} ({problem}). `floorhub broker render` must have had the same password: "
        "compare it, render again, and restart the broker.",
        "브로커가 {username}을(를) 거부합니다({problem}). 암호를 `floorhub broker render`에 준 것과 비교하고, 다시 "
        "렌더링한 뒤 브로커를 다시 시작하십시오.",
    ),
    "broker_open": (
        "The broker lets {what}: it does not use the rules of Floorhub. Run `floorhub broker render`, point Mosquitto "
        "to its files, and restart it.",
        "브로커가 {what_ko}. Floorhub의 규칙을 쓰지 않는 브로커입니다. `floorhub broker render`를 실행하고 "
        "Mosquitto가 그 파일을 쓰게 한 뒤 다시 시작하십시오.",
    ),
    "rules_ok": (
        "Roles and clients ({clients}) at the broker are those of the database.",
        "브로커의 역할과 클라이언트 {clients}개가 데이터베이스와 같습니다.",
    ),
    "rules_not_ours": (
        "Not checked: without FLOORHUB_MQTT_ADMIN_PASSWORD you manage the broker's users and rules yourself.",
        "확인하지 않았습니다. FLOORHUB_MQTT_ADMIN_PASSWORD가 없으면 브로커의 사용자와 규칙은 직접 관리합니다.",
    ),
    "rules_no_answer": (
        "The broker does not answer its administrator {username} ({problem}). Check that the dynamic-security plugin "
        "is loaded: `floorhub broker render` writes the configuration.",
        "브로커가 관리자 {username}에게 응답하지 않습니다({problem}). dynamic-security 플러그인을 불러왔는지 "
        "확인하십시오. 설정은 `floorhub broker render`가 만듭니다.",
    ),
    "rules_differ": (
        "The broker differs from what Floorhub renders in: {what}. Render again and restart the broker "
        "(`make run`: restart it).",
        "브로커의 다음 항목이 Floorhub이 만드는 것과 다릅니다: {what}. 다시 렌더링하고 브로커를 다시 "
        "시작하십시오(`make run`은 다시 시작).",
    ),
    "rules_edited": (
        "{file} was edited: the next start of `make run` overwrites it. Put your settings into "
        "conf.d in the same folder.",
        "{file}이(가) Floorhub이 쓴 것과 다릅니다. `make run`을 다시 시작하면 덮어씁니다. 설정은 옆의 conf.d에 "
        "두십시오.",
    ),
    "published_ok": (
        "The list of keys at the broker is signed by the root key, until {expires} ({days} days).",
        "브로커의 키 목록이 루트 키로 서명되어 있습니다({expires}까지 {days}일).",
    ),
    "published_missing": (
        "The broker has no list of keys: no hub has connected to it yet. Start the hub.",
        "브로커에 키 목록이 없습니다. 아직 허브가 연결한 적이 없습니다. 허브를 시작하십시오.",
    ),
    "published_wrong": (
        "Agents cannot use the list of keys at the broker ({problem}). Restart the hub: it signs a new list.",
        "에이전트가 브로커의 키 목록을 쓸 수 없습니다({problem}). 허브를 다시 시작하면 새 목록에 서명합니다.",
    ),
    "published_ends": (
        "The list of keys at the broker expires in {days} days; then agents obey no command. Restart the hub: it signs "
        "a new list.",
        "브로커의 키 목록이 {days}일 뒤에 끝나며 그 뒤에는 에이전트가 따르지 않습니다. 허브를 다시 시작하면 새 "
        "목록에 서명합니다.",
    ),
    "keys_ok": (
        "The keys in {folder} are private and match the database (root {root}).",
        "{folder}의 키는 보호되어 있으며 데이터베이스와 같습니다(루트 {root}).",
    ),
    "keys_files_ok": (
        "The keys in {folder} exist and are private; they were not compared with the database.",
        "{folder}의 키가 있고 보호되어 있습니다. 데이터베이스와는 비교하지 않았습니다.",
    ),
    "keys_files": ("{problem}", "{problem_ko}"),
    "keys_missing": (
        "{folder} has no {names}. Before the first start of the hub this is normal. Otherwise, copy keys/ from "
        "another hub "
        "or restore your backup.",
        "{folder}에 {names}이(가) 없습니다. 허브를 처음 시작하기 전이라면 정상입니다. 아니라면 다른 허브에서 keys/를 "
        "복사하거나 백업을 복원하십시오.",
    ),
    "keys_differ": (
        "The {purpose} key in {folder} is {here}, but the database has {known}: the hub does not start. Copy keys/ "
        "from "
        "a hub of this database, or see `floorhub key` in docs/how-to/secure.md.",
        "{folder}의 {purpose} 키는 {here}인데 데이터베이스의 키는 {known}이므로 허브가 시작되지 않습니다. 이 "
        "데이터베이스의 허브에서 keys/를 복사하거나 docs/how-to/secure.md의 `floorhub key`를 보십시오.",
    ),
    "keys_replaced": (
        "{folder} has replaced key files ({number}): delete them when every hub and agent works.",
        "{folder}에 교체된 키 파일 {number}개가 있습니다. 모든 허브와 에이전트가 동작하면 삭제하십시오.",
    ),
    "files_ok": (
        "The files of {folder} that `make run` needs can be used.",
        "{folder}의 파일 중 `make run`에 필요한 것을 쓸 수 있습니다.",
    ),
    "accounts_wrong": ("{problem}", "{problem_ko}"),
    "agent_config_wrong": (
        "{file} is damaged ({problem}), so `make run` does not start: restore it from your backup, or retire the "
        "client {client} and use another data folder.",
        "{file}이(가) 손상되어({problem}) `make run`이 시작되지 않습니다. 백업에서 복원하거나, 클라이언트 "
        "{client}을(를) 폐기하고 다른 데이터 폴더를 쓰십시오.",
    ),
    "agent_config_missing": (
        "{file} is missing, so `make run` does not start: restore it from your backup, or retire the client {client} "
        "and use another data folder.",
        "{file}이(가) 없어 `make run`이 시작되지 않습니다. 백업에서 복원하거나, 클라이언트 {client}을(를) 폐기하고 "
        "다른 데이터 폴더를 쓰십시오.",
    ),
    "folder_expected": (
        "{file} must be a folder, so `make run` does not start: move aside what is there.",
        "{file}은(는) 폴더여야 하므로 `make run`이 시작되지 않습니다. 그 자리에 있는 것을 옮기십시오.",
    ),
    "file_expected": (
        "{file} must be a file, so `make run` does not start: move aside what is there.",
        "{file}은(는) 파일이어야 하므로 `make run`이 시작되지 않습니다. 그 자리에 있는 것을 옮기십시오.",
    ),
    "file_unreadable": (
        "{file} cannot be read ({problem}): check its owner, its rights and its disk.",
        "{file}을(를) 읽을 수 없습니다({problem}). 소유자, 권한, 디스크를 확인하십시오.",
    ),
    "admin_ok": ("The key in {file} is valid.", "{file}의 키가 유효합니다."),
    "admin_file_ok": (
        "{file} has a key; it was not compared with the database.",
        "{file}에 키가 있습니다. 데이터베이스와는 비교하지 않았습니다.",
    ),
    "admin_missing": (
        "There is no {file}, so the program `floorhub` needs FLOORHUB_KEY. `floorhub key rotate admin` creates a new "
        "key.",
        "{file}이(가) 없어 `floorhub` 프로그램에 FLOORHUB_KEY가 필요합니다. `floorhub key rotate admin`으로 새 키를 "
        "만드십시오.",
    ),
    "admin_file": ("{problem}", "{problem_ko}"),
    "admin_unknown": (
        "The database does not accept the key in {file}. Copy it from a hub that has it, or run `floorhub key rotate "
        "admin`.",
        "데이터베이스가 {file}의 키를 받아들이지 않습니다. 그 키가 있는 허브에서 복사하거나 `floorhub key rotate "
        "admin`을 실행하십시오.",
    ),
    "disk_ok": ("{folder}: {free_mib} MiB are free.", "{folder}: {free_mib} MiB의 여유 공간이 있습니다."),
    "disk_low": (
        "{folder}: only {free_mib} MiB are free (warning below {limit_mib}). Free space, shorten the periods of "
        "clean-up, or move the archive away.",
        "{folder}: 여유 공간이 {free_mib} MiB뿐입니다(경고 기준 {limit_mib}). 공간을 확보하거나 정리 기간을 줄이거나 "
        "보관 폴더를 옮기십시오.",
    ),
    "disk_full": (
        "{folder}: only {free_mib} MiB are free, so the hub refuses documents (below {limit_mib}). Free space.",
        "{folder}: 여유 공간이 {free_mib} MiB뿐이어서 허브가 문서를 거부합니다(기준 {limit_mib}). 공간을 확보하십시오.",
    ),
    "folder_unwritable": (
        "{folder} is not writable ({problem}). Make the hub's user its owner, or mount its disk writable.",
        "{folder}에 쓸 수 없습니다({problem}). 소유자를 허브의 사용자로 바꾸거나 디스크를 쓰기 가능으로 "
        "마운트하십시오.",
    ),
    "clock_ok": (
        "The clocks of this machine and of Postgres differ by at most {duration}.",
        "이 컴퓨터와 Postgres의 시계 차이는 최대 {duration_ko}입니다.",
    ),
    "clock_wrong": (
        "The clock of this machine is {duration} {direction} the clock of Postgres, which decides every deadline. "
        "Switch on time synchronisation (NTP) on both machines.",
        "이 컴퓨터의 시계가 Postgres보다 {duration_ko} {direction_ko}. 모든 기한은 Postgres의 시계를 따릅니다. 두 "
        "컴퓨터에서 시간 동기화(NTP)를 켜십시오.",
    ),
    "network_none": (
        "Only this machine reaches the hub; `make run LAN=1` serves others, too.",
        "이 컴퓨터만 허브를 쓸 수 있습니다. `make run LAN=1`은 다른 기기에도 서비스합니다.",
    ),
    "network_not_told": (
        "Not checked: FLOORHUB_PUBLIC_URL does not say where other machines reach the hub.",
        "확인하지 않았습니다. 다른 기기가 허브를 찾는 주소(FLOORHUB_PUBLIC_URL)가 설정되지 않았습니다.",
    ),
    "network_stopped": (
        "Not checked: the hub that other machines reach at {url} does not run.",
        "확인하지 않았습니다. 다른 기기가 {url}(으)로 찾는 허브가 실행 중이 아닙니다.",
    ),
    "network_ok": (
        "Other machines reach the hub at {url}.",
        "다른 기기는 {url}(으)로 허브를 찾습니다.",
    ),
    "network_unreachable": (
        "The hub does not answer at {url}, where other machines call it ({problem}). Check that this machine has this "
        "name or address, the firewall, and FLOORHUB_PUBLIC_URL.",
        "다른 기기가 찾는 {url}에서 허브가 응답하지 않습니다({problem_ko}). 이 컴퓨터의 이름과 주소, 방화벽, "
        "FLOORHUB_PUBLIC_URL을 확인하십시오.",
    ),
    "network_unplugged": (
        "The network interface {interface} has no connection, so no other machine reaches the hub at {url}. Check the "
        "cable, the switch or the Wi-Fi.",
        "네트워크 인터페이스 {interface}이(가) 연결되어 있지 않아 다른 기기가 {url}에서 허브를 찾을 수 없습니다. "
        "케이블, 스위치 또는 Wi-Fi를 확인하십시오.",
    ),
    "network_moved": (
        "This machine no longer has the address {address}, at which other machines call the hub; it has {others}. "
        "Start the hub again (make run LAN=1, or the new address in FLOORHUB_PUBLIC_URL), and see "
        "docs/how-to/move-the-hub-to-another-address.md for the machines.",
        "다른 기기가 허브를 찾는 주소 {address}이(가) 이 컴퓨터에 더 이상 없습니다. 지금 주소는 {others}입니다. 허브를 "
        "다시 시작하십시오(make run LAN=1, 또는 FLOORHUB_PUBLIC_URL에 새 주소). 기기에서 할 일은 "
        "docs/how-to/move-the-hub-to-another-address.md에 있습니다.",
    ),
    "network_distrusted": (
        "Other machines do not trust the certificate at {url}; the line about its certificate says why.",
        "다른 기기가 {url}의 인증서를 신뢰하지 않습니다. 이유는 인증서 줄에 있습니다.",
    ),
    "machine_certificates_ok": (
        "The broker at {address} takes only machines that show a certificate of this hub.",
        "{address}의 브로커는 이 허브의 인증서를 가진 기기만 받습니다.",
    ),
    "machine_certificates_off": (
        "FLOORHUB_MACHINE_CERTIFICATES is on, but the broker at {address} takes machines without a certificate. "
        "Restart `make run`; for a broker of your own, run `floorhub broker render --machine-certificates` and restart "
        "it.",
        "FLOORHUB_MACHINE_CERTIFICATES가 켜져 있지만 {address}의 브로커가 인증서 없는 기기도 받습니다. `make run`을 "
        "다시 시작하십시오. 자체 브로커라면 `floorhub broker render --machine-certificates`를 실행하고 브로커를 다시 "
        "시작하십시오.",
    ),
    "machine_certificates_unknown": (
        "Whether the broker at {address} asks machines for a certificate is not known ({problem}).",
        "{address}의 브로커가 기기의 인증서를 요구하는지 확인하지 못했습니다({problem_ko}).",
    ),
    "machines_without_key": (
        "Clients without a certificate: {number} ({names}). The broker refuses them on the network. Pair each one: "
        "floorhub pair ID --replace.",
        "인증서가 없는 클라이언트가 {number}대입니다({names}). 네트워크에서는 브로커가 받지 않습니다. 각각 "
        "페어링하십시오(floorhub pair ID --replace).",
    ),
    "machines_without_key_yet": (
        "Clients without a certificate: {number} ({names}). They connect with their secret. Before you switch "
        "FLOORHUB_MACHINE_CERTIFICATES on, pair each one: floorhub pair ID --replace.",
        "인증서가 없는 클라이언트가 {number}대입니다({names}). 지금은 비밀 값만으로 접속합니다. "
        "FLOORHUB_MACHINE_CERTIFICATES를 켜기 전에 각각 페어링하십시오(floorhub pair ID --replace).",
    ),
    "machines_all_with_key": (
        "No client is without a certificate.",
        "인증서가 없는 클라이언트가 없습니다.",
    ),
    "network_plain": (
        "HTTP without TLS listens on {address}: others on the network can read keys, secrets and documents. Set "
        "FLOORHUB_HOST to 127.0.0.1, and serve other machines over TLS (docs/how-to/certificates.md).",
        "HTTP가 TLS 없이 {address}에서 열려 있어 네트워크에서 키, 암호, 문서를 읽을 수 있습니다. FLOORHUB_HOST를 "
        "127.0.0.1로 하고 다른 기기에는 TLS로 서비스하십시오(docs/how-to/certificates.md).",
    ),
    "authority_ok": (
        "Machines must trust the authority with the fingerprint {fingerprint}; it is valid until {until}.",
        "기기는 지문이 {fingerprint}인 인증 기관을 신뢰해야 합니다. {until}까지 유효합니다.",
    ),
    "authority_ends": (
        "The authority with the fingerprint {fingerprint} ends in {days} days, on {until}. Make a new one before, "
        "which every machine must trust (docs/how-to/move-the-hub-to-another-address.md).",
        "지문이 {fingerprint}인 인증 기관이 {days}일 뒤 {until}에 끝납니다. 그 전에 새로 만들고 모든 기기가 신뢰하게 "
        "하십시오(docs/how-to/move-the-hub-to-another-address.md).",
    ),
    "authority_wrong": ("{problem}", "{problem_ko}"),
    "certificate_not_now": (
        "The certificate of {address} is not valid now. {problem}",
        "{address}의 인증서가 지금은 유효하지 않습니다. {problem_ko}",
    ),
    "certificate_none": (
        "No certificate to check: neither FLOORHUB_MQTT_URL nor FLOORHUB_URL uses TLS.",
        "확인할 인증서가 없습니다. FLOORHUB_MQTT_URL과 FLOORHUB_URL이 TLS를 쓰지 않습니다.",
    ),
    "certificate_ok": (
        "The certificate of {address} is valid for {days} more days, until {until}.",
        "{address}의 인증서는 {until}까지 {days}일 남았습니다.",
    ),
    "certificate_ends": (
        "The certificate of {address} expires on {until} (days left: {days}). Renew it, then restart the broker or "
        "the proxy.",
        "{address}의 인증서가 {days}일 뒤({until})에 끝납니다. 갱신한 뒤 브로커나 프록시를 다시 시작하십시오.",
    ),
    "certificate_wrong": (
        "The certificate of {address} is not trusted ({problem}). Renew it, or trust its certificate authority.",
        "{address}의 인증서를 신뢰할 수 없습니다({problem}). 갱신하거나 그 인증 기관을 신뢰하게 하십시오.",
    ),
    "certificate_unknown": (
        "The certificate of {address} could not be read ({problem}).",
        "{address}의 인증서를 읽지 못했습니다({problem}).",
    ),
    "zone_ok": (
        "This machine's time zone is {zone} ({offset}). Schedules name their own; the database keeps UTC.",
        "이 컴퓨터의 시간대는 {zone}({offset})입니다. 예약은 각자의 시간대를 쓰고 데이터베이스는 UTC로 저장합니다.",
    ),
    "zone_wrong": (
        "TZ is {zone}, which this system does not know, so UTC is used. Correct TZ, for example Asia/Seoul.",
        "TZ가 {zone}이지만 이 시스템이 모르는 값이어서 UTC로 처리됩니다. TZ를 고치십시오(예: Asia/Seoul).",
    ),
    "zone_no_data": (
        "There is no time zone data, so schedules cannot run. Install the package tzdata again.",
        "시간대 데이터가 없어 예약을 실행할 수 없습니다. tzdata 패키지를 다시 설치하십시오.",
    ),
    "check_failed": (
        "This check failed: {problem}. Report it with `floorhub support-bundle`.",
        "이 점검을 하지 못했습니다: {problem}. `floorhub support-bundle`과 함께 알려 주십시오.",
    ),
}

_FINDINGS = Findings(SENTENCES)
ok, warn, fail = _FINDINGS.ok, _FINDINGS.warn, _FINDINGS.fail

"""What a person does about a command that ended without success, by its reason, in English and Korean.

`docs/reference/errors.md` shows the same table. Codes that are not here come from a site's own drivers, or from agents
that are newer than this hub.
"""

from collections.abc import Mapping

_LOOK = "Check at the device whether it happened; then run `floorhub command decide ID completed` or `failed`."
_LOOK_KO = "장치에서 실제로 수행되었는지 확인한 뒤 `floorhub command decide ID completed` 또는 `failed`로 결정하십시오."
_AGAIN = "then replay the command"
_AGAIN_KO = "명령을 다시 실행(replay)하십시오."

OTHER = (
    "Read the message and the agent's log; check the device before you send it again.",
    "메시지와 에이전트의 로그를 읽고, 다시 보내기 전에 장치를 확인하십시오.",
)

REMEDIES: Mapping[str, tuple[str, str]] = {
    "unsupported_action": (
        "Choose an action that the client has (`floorhub client show ID`), or add it to its agent.",
        "클라이언트가 지원하는 동작을 고르거나(`floorhub client show ID`) 에이전트에 동작을 추가하십시오.",
    ),
    "action_not_allowed": (
        "Add the action to `allowed_actions` in the client's agent.toml, and restart its agent.",
        "클라이언트의 agent.toml에서 `allowed_actions`에 동작을 추가하고 에이전트를 다시 시작하십시오.",
    ),
    "payload_invalid": (
        "Correct the field that the message names, and send a new command.",
        "메시지에 나온 필드를 고쳐 새 명령을 보내십시오.",
    ),
    "printer_unknown": (
        "Use a name that `floorhub client show ID` lists, or add the printer to agent.toml.",
        "`floorhub client show ID`에 나오는 이름을 쓰거나 agent.toml에 프린터를 추가하십시오.",
    ),
    "printer_unreachable": (
        "Run `floorhub-agent doctor`. Correct the printer's uri, make the agent trust the printer's certificate, or "
        "make the printer's folder readable and writable for the agent. If the command is `unknown`, check whether the "
        "document is in the folder. Then replay the command if the page is needed.",
        "`floorhub-agent doctor`를 실행하십시오. 프린터의 uri를 고치거나, 에이전트가 프린터의 인증서를 신뢰하게 "
        "하거나, 에이전트가 프린터 폴더를 읽고 쓸 수 있게 하십시오. 명령이 `unknown`이면 폴더에 문서가 있는지 "
        f"확인하십시오. 그래도 필요하면 {_AGAIN_KO}",
    ),
    "printer_stopped": (
        f"Check what came out; make the printer or its queue accept jobs again; {_AGAIN}.",
        f"출력물을 확인하고 프린터나 큐가 다시 작업을 받게 한 뒤 {_AGAIN_KO}",
    ),
    "printer_rejected": (
        "Find the reason in the log of the printer or queue; correct the job, and send it again.",
        "프린터나 큐의 로그에서 이유를 찾아 작업을 고친 뒤 다시 보내십시오.",
    ),
    "document_unprintable": (
        "If other documents print there, perhaps this document is damaged or protected: save it as a plain PDF, and "
        "send the PDF. If no document prints, check the error log of the printer or of CUPS.",
        "다른 문서가 인쇄되면 이 문서가 손상되었거나 암호로 보호된 것일 수 있으니 일반 PDF로 다시 저장해 보내십시오. "
        "아무것도 인쇄되지 않으면 프린터나 CUPS의 오류 로그를 확인하십시오.",
    ),
    "document_format_unsupported": (
        "Send the document as a type that the printer prints: the message lists them.",
        "프린터가 인쇄할 수 있는 형식으로 문서를 보내십시오. 메시지에 그 형식의 목록이 있습니다.",
    ),
    "options_unsupported": (
        "Drop the option that the message names, choose a printer that supports it, or send `fidelity: closest`.",
        "메시지에 나온 옵션을 빼거나, 지원하는 프린터를 고르거나, `fidelity: closest`로 보내십시오.",
    ),
    "document_mislabelled": (
        "Upload the document again with its real type.",
        "문서를 실제 형식에 맞는 유형으로 다시 올리십시오.",
    ),
    "job_aborted": (
        f"Check the pages that came out, and the printer's log; {_AGAIN} if the page is needed.",
        f"출력물과 프린터의 로그를 확인하고, 필요하면 {_AGAIN_KO}",
    ),
    "completed_with_errors": (
        f"Check what came out; {_AGAIN} if pages are missing or spoilt.",
        f"출력물을 확인하고, 빠지거나 잘못된 쪽이 있으면 {_AGAIN_KO}",
    ),
    "job_cancelled_at_printer": (
        "Send it again if the page is still needed.",
        "그래도 필요하면 다시 보내십시오.",
    ),
    "printer_lost": (_LOOK, _LOOK_KO),
    "document_invalid": (
        "Upload the document, and send a new command with its id.",
        "문서를 올리고 그 id로 새 명령을 보내십시오.",
    ),
    "document_missing": (
        "Upload the document again, and send a new command with its id.",
        "문서를 다시 올리고 그 id로 새 명령을 보내십시오.",
    ),
    "document_hash_mismatch": (
        "Upload the document again, and send a new command. If this happens again, check the network between client "
        "and hub.",
        "문서를 다시 올려 새 명령을 보내십시오. 반복되면 클라이언트와 허브 사이의 네트워크를 점검하십시오.",
    ),
    "document_too_large": (
        "Make the document smaller than 100 MiB, or split it.",
        "문서를 100 MiB 미만으로 줄이거나 나누십시오.",
    ),
    "hub_unreachable": (
        f"Check hub_url and the network at the client (`floorhub-agent doctor`); {_AGAIN}.",
        f"클라이언트에서 hub_url과 네트워크를 확인한 뒤(`floorhub-agent doctor`) {_AGAIN_KO}",
    ),
    "document_not_stored": (
        f"Free space in the agent's data folder; {_AGAIN}.",
        f"에이전트의 데이터 폴더에 공간을 확보한 뒤 {_AGAIN_KO}",
    ),
    "upload_too_large": (
        "Raise `FLOORHUB_MAX_UPLOAD_MIB` at the hub, or upload less.",
        "허브의 `FLOORHUB_MAX_UPLOAD_MIB`를 늘리거나 올리는 양을 줄이십시오.",
    ),
    "upload_refused": (
        "Send it again. If this happens again, check the hub's log.",
        "다시 보내십시오. 반복되면 허브의 로그를 확인하십시오.",
    ),
    "program_not_found": (
        f"Install the program, or correct argv in agent.toml (`floorhub-agent doctor`); {_AGAIN}.",
        f"프로그램을 설치하거나 agent.toml의 argv를 고친 뒤(`floorhub-agent doctor`) {_AGAIN_KO}",
    ),
    "action_failed": (
        f"Read the program's output in `result`; remove the cause; {_AGAIN}.",
        f"`result`에서 프로그램의 출력을 읽고 원인을 없앤 뒤 {_AGAIN_KO}",
    ),
    "reported_error": (
        f"Read the message and `result.data.stack`; remove the cause at the client; {_AGAIN}.",
        f"메시지와 `result.data.stack`을 읽고 클라이언트에서 원인을 없앤 뒤 {_AGAIN_KO}",
    ),
    "timed_out": (
        "Check at the device whether it happened; allow more time with `timeout_s`, or fix what hangs.",
        "장치에서 실제로 수행되었는지 확인하고, `timeout_s`로 시간을 늘리거나 멈춘 원인을 없애십시오.",
    ),
    "stopped": (
        "Check at the device how far it got; send it again if it is needed.",
        "장치에서 어디까지 진행되었는지 확인하고, 필요하면 다시 보내십시오.",
    ),
    "stop_failed": (_LOOK, _LOOK_KO),
    "cancelled": (
        "Nothing. Send it again if it is still needed.",
        "할 일이 없습니다. 그래도 필요하면 다시 보내십시오.",
    ),
    "expired": (
        "Send it again, with a later `expires_at` if the client is sometimes away for longer.",
        "다시 보내십시오. 클라이언트가 더 오래 꺼져 있을 수 있으면 `expires_at`을 늦추십시오.",
    ),
    "interrupted": (_LOOK, _LOOK_KO),
    "no_answer": (_LOOK, _LOOK_KO),
    "driver_error": (
        "Check the device first. Then find the stack in the agent's log (`floorhub send ID collect_logs`), "
        "and report it.",
        "먼저 장치를 확인하십시오. 그다음 에이전트의 로그에서 스택을 찾아(`floorhub send ID collect_logs`) "
        "신고하십시오.",
    ),
    "effect_not_noted": (
        "Check whether the file is in the folder; then run `floorhub command decide ID completed` or `failed`.",
        "폴더에 파일이 있는지 확인한 뒤 `floorhub command decide ID completed` 또는 `failed`로 결정하십시오.",
    ),
    "journal_replaced": (_LOOK, _LOOK_KO),
    "not_proven": (
        "Check whether the machine or its agent has restarted; then run `floorhub command decide ID completed` or "
        "`failed`.",
        "컴퓨터나 에이전트가 다시 시작되었는지 확인한 뒤 `floorhub command decide ID completed` 또는 `failed`로 "
        "결정하십시오.",
    ),
    "rerun_refused": (
        "Send it again with `on_interrupt: unknown`.",
        "`on_interrupt: unknown`으로 다시 보내십시오.",
    ),
    "logs_unreadable": (
        "Make the agent's user the owner of its log, and send the command again.",
        "에이전트 로그의 소유자를 에이전트 사용자로 바꾸고 다시 보내십시오.",
    ),
    "journal_rolled_back": (
        f"{_LOOK} Never restore or copy an agent's data folder.",
        f"{_LOOK_KO} 에이전트의 데이터 폴더를 복원하거나 복사하지 마십시오.",
    ),
    "no_word": (
        f"Check whether the machine and its agent are running (`floorhub-agent doctor`). {_LOOK}",
        f"컴퓨터와 에이전트가 실행 중인지 확인하십시오(`floorhub-agent doctor`). {_LOOK_KO}",
    ),
    "journal_lost": (_LOOK, _LOOK_KO),
    "session_lost": (_LOOK, _LOOK_KO),
    "restored": (_LOOK, _LOOK_KO),
    "decided": (
        "Nothing; a person has decided it.",
        "할 일이 없습니다. 사람이 결정했습니다.",
    ),
}


def remedy(reason: str) -> dict[str, str]:
    """What to do about a reason, by language."""
    english, korean = REMEDIES.get(reason, OTHER)
    return {"en": english, "ko": korean}
